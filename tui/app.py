"""The app: owns the session, hands answers to the walk, and every action that is not one step's own."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from tui import themes
from tui.draft import Draft
from tui.jobs import Jobs
from tui.main import INTERRUPTED
from tui.messages import (
    CataloguePaneShown,
    Changed,
    FitsProgress,
    LoadCurveWanted,
    PlanChosen,
    PlanMarked,
    PlanProgress,
    RowsShown,
)
from tui.services import Services
from tui.walk import WalkScreen

if TYPE_CHECKING:
    from planner.documents.inventory import Inventory
    from planner.documents.result import PlanDocument, PlannedDeployment
    from tui.load_curve import LoadPoint

DEBOUNCE_S = 0.12
"""A new plan starts when the inputs have been still for this long."""
SWITCH_S = 0.0005
"""How long a planning thread may hold the interpreter while a key waits; Python's own 5 ms are felt."""


class PlannerApp(Jobs):
    """deploy-planner in a terminal."""

    TITLE = "deploy-planner"
    CSS_PATH = "app.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-normal"), (160, "-wide")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", "Help", show=False, id="app.help", tooltip="Help for this place, with every key"),
        Binding("p", "pin", "Pin", id="app.pin", tooltip="Pin this plan: ▲ ▼ compare with it from then on"),
        Binding("e", "simulate", "Simulate", show=False, id="app.simulate", tooltip="Plan for hardware you name"),
        Binding("u", "undo", "Undo", show=False, id="app.undo", tooltip="Take the last change back"),
        Binding("ctrl+r", "redo", "Redo", show=False, id="app.redo", tooltip="Make the change again"),
        Binding("ctrl+s", "export", "Export", show=False, id="app.export", tooltip="Go and write the document"),
        Binding(
            "T", "toggle_theme", "Look", show=False, id="app.theme", tooltip="Dark, light, high contrast, terminal"
        ),
        Binding("ctrl+q", "quit", "Quit", show=False, id="app.quit", tooltip="Leave", priority=True),
        Binding("ctrl+c", "interrupt", "Interrupt", show=False, id="app.interrupt", priority=True, system=True),
    ]

    def __init__(
        self,
        hardware: str | None = None,
        overlays: tuple[Path, ...] = (),
        *,
        services: Services | None = None,
        debounce_s: float = DEBOUNCE_S,
    ) -> None:
        super().__init__(overlays, services or Services(), debounce_s)
        self._hardware = hardware
        self._possible: object = None
        self.register_theme(themes.HIGH_CONTRAST)
        self.theme = themes.first_theme(self.no_color, self.console.color_system)

    def on_mount(self) -> None:
        if not self.is_headless:
            self._leave_cleanly_on_signals()
        self.push_screen(WalkScreen(self.session))
        self.call_after_refresh(self._look)

    def _leave_cleanly_on_signals(self) -> None:
        """A signal ends the app like a key would: with the terminal as it was."""
        import asyncio

        loop = asyncio.get_running_loop()
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None:
                loop.add_signal_handler(number, self.exit, None, 128 + number)

    def _look(self) -> None:
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
        self.session.activity = ""
        if self.session.draft.inventory is None:
            from planner.presets import DEFAULT, preset

            self.session.begin(Draft(inventory=inventory, site=site).with_preset(preset(DEFAULT)))
            self._draft_changed()
        elif not self._change({"inventory": inventory, "site": site}):
            self.redraw()

    def took_plan(self, draft: Draft, plan: PlanDocument, *, partial: bool) -> None:
        if self.session.answer(draft, plan, partial=partial):
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
        self.notify(reason, title=what.capitalize(), severity="error", timeout=12)

    def on_plan_progress(self, event: PlanProgress) -> None:
        if event.draft == self.session.draft and not self.session.current:
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
        self._draft_changed()
        return True

    def _draft_changed(self) -> None:
        self.plan_soon()
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
        elif self.session.current:
            self.fits_soon()

    def on_rows_shown(self, event: RowsShown) -> None:
        self._on_screen = event.ids

    def on_load_curve_wanted(self, event: LoadCurveWanted) -> None:
        if self.session.best is not None:
            self.read_load_curve(self.session.best)

    # actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What cannot be done now is greyed."""
        possible = {
            "pin": lambda: self.session.best is not None,
            "undo": lambda: bool(self.session.done),
            "redo": lambda: bool(self.session.undone),
            "save_site": lambda: self.session.draft.inventory is not None,
            "stop": lambda: self.planning or self.running("hardware") or self.running("fits"),
        }.get(action)
        return True if possible is None or possible() else None

    def action_detect(self) -> None:
        """Look at this machine again."""
        self.detect_hardware()

    def action_simulate(self) -> None:
        """Plan for hardware that is named."""
        from tui.hints import HARDWARE_ABOUT, hardware_hint

        self._ask("Plan for other hardware", HARDWARE_ABOUT, "", lambda line: hardware_hint(line, self.library()))

    def action_open(self) -> None:
        """Plan for hardware in a file."""
        from tui.hints import FILE_ABOUT, file_hint

        self._ask("Open hardware", FILE_ABOUT, f"{Path.cwd()}/", file_hint)

    def _ask(self, title: str, about: str, line: str, hint: Any) -> None:
        from tui.modals.prompt import PromptModal

        def take(spec: str | None) -> None:
            if spec:
                self.load_hardware(str(Path(spec).expanduser()) if spec.startswith("~") else spec)

        self.push_screen(PromptModal(title, about, line, hint), take)

    def action_save_site(self) -> None:
        """Keep the hardware as a file."""
        from tui.hints import SAVE_ABOUT, save_hint
        from tui.modals.prompt import PromptModal

        self.push_screen(PromptModal("Save this hardware", SAVE_ABOUT, "site.json", save_hint), self._save_site)

    def _save_site(self, name: str | None) -> None:
        if not name:
            return
        from planner.documents.encode import to_json
        from planner.documents.files import write_whole
        from planner.errors import BadInput

        try:
            write_whole(Path(name).expanduser(), to_json(self.session.draft.inventory) + "\n", overwrite=True)
        except BadInput as error:
            self.notify(str(error), title="Not saved", severity="error", timeout=10)
        else:
            self.notify(f"Saved: deploy-planner --hardware {name} plans with it.", timeout=6)

    def action_stop(self) -> None:
        """Stop what is being worked out; what there is so far stays."""
        self.stop_planning()
        self.stop_fits()
        self.workers.cancel_group(self, "hardware")
        if self.session.draft.inventory is None:
            self.show_activity("stopped · e names hardware, r looks again")
        self.redraw()

    def action_pin(self) -> None:
        """Pin the plan looked at; pinning it again lets it go."""
        best = self.session.best
        self.session.pinned = None if best is self.session.pinned else best
        self.notify("Pinned: ▲ ▼ now compare with this plan" if self.session.pinned else "Nothing is pinned", timeout=3)
        self.redraw()

    def action_undo(self) -> None:
        if self.session.undo():
            self._draft_changed()

    def action_redo(self) -> None:
        if self.session.redo():
            self._draft_changed()

    async def action_export(self) -> None:
        await self.walk.action_go("export")

    def action_toggle_theme(self) -> None:
        """The next look."""
        index = themes.CYCLE.index(self.theme) if self.theme in themes.CYCLE else -1
        self.theme = themes.CYCLE[(index + 1) % len(themes.CYCLE)]

    def action_interrupt(self) -> None:
        """Ctrl-C: leave at once, the terminal as it was."""
        self.exit(return_code=INTERRUPTED)

    def action_help(self) -> None:
        """Help for what has the focus."""
        from tui.modals.reader import HelpModal, help_for

        keys = [
            (self.get_key_display(active.binding), active.binding.tooltip)
            for active in self.screen.active_bindings.values()
            if active.enabled and active.binding.id and active.binding.tooltip
        ]
        self.push_screen(HelpModal(help_for(self.focused), keys))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Everything that has a key is in the palette too."""
        yield from super().get_system_commands(screen)
        for active in screen.active_bindings.values():
            binding = active.binding
            if active.enabled and binding.tooltip and not binding.system:
                command = f"{active.binding.description} ({self.get_key_display(binding)})"
                yield SystemCommand(command, binding.tooltip, _runner(self, binding.action, active.node))


def _runner(app: PlannerApp, action: str, node: Any) -> Any:
    async def run() -> None:
        await app.run_action(action, node)

    return run


def run_app(argv: list[str]) -> int:
    """Parse the app's few options and run it."""
    hardware, overlays = _options(argv) if argv else (None, ())
    sys.setswitchinterval(SWITCH_S)
    app = PlannerApp(hardware, overlays)
    app.run()
    return app.return_code or 0


def _options(argv: list[str]) -> tuple[str | None, tuple[Path, ...]]:
    import argparse

    parser = argparse.ArgumentParser(prog="deploy-planner", add_help=False)
    parser.add_argument("--hardware", metavar="SPEC|FILE")
    parser.add_argument("--data", action="append", default=[], metavar="DIR")
    args = parser.parse_args(argv)
    return args.hardware, tuple(Path(folder) for folder in args.data)
