"""The app: owns the session, hands answers to the walk, and every action that is not one step's own."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any

from tui import themes
from tui.ahead import Ahead
from tui.ascii import Ascii, wanted
from tui.draft import Draft
from tui.messages import (
    CataloguePaneShown,
    Changed,
    ExportShown,
    FitsProgress,
    LoadCurveWanted,
    PlanChosen,
    PlanMarked,
    PlanProgress,
    RowsShown,
)
from tui.modals.aside import AsideScreen
from tui.services import Services
from tui.terminal import forget_exported_size, state_folder
from tui.walk import WalkScreen

if TYPE_CHECKING:
    from planner.documents.inventory import Inventory
    from planner.documents.result import PlannedDeployment
    from tui.answers import Answer
    from tui.load_curve import LoadPoint

DEBOUNCE_S = 0.12
"""A new plan starts when the inputs have been still for this long."""
LAST_WORDS_S = 3.0
"""For a last frame and the session after a signal."""
SWITCH_S = 0.0002
"""How long a planning thread may hold the interpreter while a key waits; Python's own 5 ms are felt."""


class PlannerApp(Ahead):
    """deploy-planner in a terminal."""

    TITLE = "deploy-planner"
    CSS_PATH = "app.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-normal"), (160, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (14, "-short"), (20, "-tall")]  # noqa: RUF012

    def __init__(
        self,
        hardware: str | None = None,
        overlays: tuple[Path, ...] = (),
        *,
        services: Services | None = None,
        debounce_s: float = DEBOUNCE_S,
        ascii_only: bool = False,
        state: Path | None = None,
        fresh: bool = False,
    ) -> None:
        super().__init__(overlays, services or Services(), debounce_s)
        if ascii_only:
            self._filters.append(Ascii())
        self._hardware = self.started_with = hardware
        self.state, self._fresh = state, fresh
        self._possible: object = None
        for look in (themes.HIGH_CONTRAST, themes.LIGHTER):
            self.register_theme(look)
        self.theme = themes.first_theme(self.no_color, self.console.color_system)

    def on_mount(self) -> None:
        if not self.is_headless:
            self._leave_cleanly_on_signals()
            self.tidy_when_idle()
        self.push_screen(WalkScreen(self.session))
        self.call_after_refresh(self._look)
        self.watch_hardware()

    @property
    def hardware_shown(self) -> bool:
        return self.screen is self.walk and self.walk.step == "hardware" and self.session.draft.purpose != "buy"

    def _leave_cleanly_on_signals(self) -> None:
        """A signal ends the app like a key would: with the terminal as it was."""
        import asyncio

        loop = asyncio.get_running_loop()
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None:
                loop.add_signal_handler(number, self._leave, 128 + number)

    def _leave(self, code: int) -> None:
        """Exit; by force where a terminal that is gone takes no last words and nobody would end the program."""
        self.exit(None, code)
        end = Timer(LAST_WORDS_S, os._exit, (code,))
        end.daemon = True
        end.start()

    def _handle_exception(self, error: Exception) -> None:
        """What fails because the app is being left, as a step that was just being opened, is no failure."""
        if not self._exit:
            super()._handle_exception(error)

    def _look(self) -> None:
        self.call_later(self.take_own_keys)
        self.open_desk()
        if not self.is_headless:
            self.open_ahead_when_still()
        if self.restore(fresh=self._fresh):
            return
        if self._hardware:
            self.load_hardware(self._hardware)
        else:
            self.detect_hardware()

    @property
    def walk(self) -> WalkScreen:
        return next(s for s in self.screen_stack if isinstance(s, WalkScreen))

    # what is shown

    def redraw(self) -> None:
        """Draw the session; the keys too, when others became possible."""
        self.walk.redraw()
        if isinstance(self.screen, AsideScreen):
            self.screen.redraw()
        self.keep_soon()
        possible = (self.session.best is None, self.walk.step)
        if possible != self._possible:
            self._possible = possible
            self.screen.refresh_bindings()

    def show_activity(self, activity: str) -> None:
        self.session.activity = activity
        self.walk.show_activity()

    # answers of the workers

    def took_hardware(self, inventory: Inventory, site: str) -> None:
        """The first hardware is where one starts from; any other is a change that can be undone."""
        self.session.activity, self.session.live = "", None
        if self.session.draft.inventory is None:
            self.begin_with(inventory, site)
        elif not self._change({"inventory": inventory, "site": site}):
            self.redraw()

    def took_plan(self, draft: Draft, answer: Answer, *, partial: bool) -> None:
        if self.session.answer(draft, answer, partial=partial):
            self.session.activity = ""
            self.redraw()

    def plan_failed(self, draft: Draft, reason: str) -> None:
        if self.session.fail(draft, reason):
            self.session.activity = ""
            self.redraw()

    def took_load_curve(self, plan: PlannedDeployment, points: tuple[LoadPoint, ...]) -> None:
        if plan is self.session.best:
            self.session.load_curve = points
            self.redraw()

    def refused(self, what: str, reason: str) -> None:
        self.show_activity("")
        if self.session.draft.inventory is None:
            self.session.failure = reason
            self.redraw()
        else:
            self.notify(reason, title=what.capitalize(), severity="error", timeout=12)

    def on_plan_progress(self, event: PlanProgress) -> None:
        if event.draft == self.session.draft and self.planning:
            self.show_activity(f"planning {event.done + 1}/{event.total} · Esc")

    def on_fits_progress(self, event: FitsProgress) -> None:
        if event.draft != self._fits_for:
            return
        self.session.fits = {**self.session.fits, **event.fits}
        known = len(self.session.fits)
        done = known >= event.total or self._stop_fits.is_set()
        self.session.fits_activity = "" if done else f"{known}/{event.total} worked out · Esc stops"
        self.walk.show_fits(frozenset(event.fits))

    # what people do

    def on_changed(self, event: Changed) -> None:
        self._change(event.changes)

    def _change(self, changes: dict[str, Any]) -> bool:
        if not self.session.change(changes):
            return False
        self.draft_changed()
        return True

    def draft_changed(self) -> None:
        self.plan_soon()
        if self.walk.shown_for != self.session.draft.purpose:
            self.call_later(self.walk.follow)
        self.redraw()

    def on_plan_chosen(self, event: PlanChosen) -> None:
        if self.session.look_at(event.index):
            self.redraw()

    def on_plan_marked(self, event: PlanMarked) -> None:
        if not self.session.mark(event.index):
            self.notify("Four plans are marked already: x on one of them lets it go.", timeout=4)
        self.redraw()

    def on_catalogue_pane_shown(self, event: CataloguePaneShown) -> None:
        if self.session.catalogue is None:
            if not self.running("catalogue"):
                self.read_catalogue()
        elif self.session.current or self.session.wants_model:
            self.fits_soon()

    def on_rows_shown(self, event: RowsShown) -> None:
        self._on_screen = event.ids

    def on_load_curve_wanted(self, event: LoadCurveWanted) -> None:
        if self.session.best is not None:
            self.read_load_curve(self.session.best)

    def on_export_shown(self, event: ExportShown) -> None:
        if self.session.exported is not None and not self.running("render"):
            self.render_export(self.session.exported)


def run_app(argv: list[str]) -> int:
    """Parse the app's few options and run it."""
    options = _options(argv)
    forget_exported_size(os.environ)
    sys.setswitchinterval(SWITCH_S)
    app = PlannerApp(**{"ascii_only": wanted(os.environ), **options})
    app.away = True
    app.run()
    app.desk.close()
    code = app.return_code or 0
    app.left(code)
    return code


def _options(argv: list[str]) -> dict[str, Any]:
    if not argv:
        return {"state": state_folder(os.environ)}
    import argparse

    parser = argparse.ArgumentParser(prog="deploy-planner", add_help=False)
    parser.add_argument("--hardware", metavar="SPEC|FILE")
    parser.add_argument("--data", action="append", default=[], metavar="DIR")
    parser.add_argument("--ascii", action="store_true")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--no-session", action="store_true")
    args = parser.parse_args(argv)
    given: dict[str, Any] = {"hardware": args.hardware, "overlays": tuple(Path(folder) for folder in args.data)}
    given |= {"state": None if args.no_session else state_folder(os.environ), "fresh": args.fresh}
    return given | ({"ascii_only": True} if args.ascii else {})
