"""The app: owns the session, runs detection and planning off the UI thread, hands the answers to the walk."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.worker import Worker, WorkerState, get_current_worker

from tui.messages import DraftChanged, Failed, InventoryReady, PlanChosen, PlanProgress, PlanReady
from tui.session import Draft, Session
from tui.walk import PaneOpened, WalkScreen

if TYPE_CHECKING:
    from planner.library import Library

DEBOUNCE_S = 0.15
"""A new plan starts when the inputs have been still for this long."""


class PlannerApp(App[None]):
    """deploy-planner in a terminal."""

    TITLE = "deploy-planner"
    CSS_PATH = "app.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (160, "-wide")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1,question_mark", "help", "Help", id="app.help", key_display="?", tooltip="Help for this place"),
        Binding("p", "pin", "Pin", id="app.pin", tooltip="Pin this plan and compare changes with it"),
        Binding("u", "undo", "Undo", show=False, id="app.undo", tooltip="Take the last change back"),
        Binding("ctrl+r", "redo", "Redo", show=False, id="app.redo", tooltip="Make the change again"),
        Binding("d", "toggle_theme", "Light/dark", show=False, id="app.theme", tooltip="Light, dark, plain colours"),
        Binding("q,ctrl+q", "quit", "Quit", id="app.quit", tooltip="Leave"),
    ]
    THEMES: ClassVar[tuple[str, ...]] = ("textual-dark", "textual-light", "ansi-dark")

    def __init__(self, hardware: str | None = None, overlays: tuple[Path, ...] = ()) -> None:
        super().__init__()
        self.session = Session()
        self._hardware, self._overlays = hardware, overlays
        self._library: Library | None = None
        self._badged_for: object = None
        self._timer_running = False

    def on_mount(self) -> None:
        if "NO_COLOR" in os.environ:
            self.theme = "ansi-dark"
        self.push_screen(WalkScreen(self.session))
        self.call_after_refresh(self._look)

    def _look(self) -> None:
        if self._hardware:
            self.load_hardware(self._hardware)
        else:
            self.action_detect()

    @property
    def walk(self) -> WalkScreen:
        return next(s for s in self.screen_stack if isinstance(s, WalkScreen))

    def library(self) -> Library:
        """The facts; opened by the first worker that needs them."""
        if self._library is None:
            from planner.library import Library

            self._library = Library(self._overlays)
        return self._library

    # hardware

    @work(thread=True, exclusive=True, group="hardware", exit_on_error=False)
    def action_detect(self) -> None:
        """Look at this machine."""
        from planner.detect.machine import detect_machine

        inventory = detect_machine(self.library().database)
        host = next((node.host.hostname for node in inventory.nodes if node.host.hostname), "this machine")
        self.post_message(InventoryReady(inventory, f"site: {host} (detected)"))

    @work(thread=True, exclusive=True, group="hardware", exit_on_error=False)
    def load_hardware(self, spec: str) -> None:
        """Take hardware by name or from a file."""
        from planner.detect.spec import load_hardware
        from planner.errors import PlannerError

        try:
            inventory = load_hardware(spec, self.library().database)
        except PlannerError as error:
            self.post_message(Failed("hardware", str(error)))
        else:
            self.post_message(InventoryReady(inventory, f"site: {spec} ({inventory.origin})"))

    def action_simulate(self) -> None:
        """Ask for other hardware."""
        from tui.modals import SimulateModal

        def take(spec: str | None) -> None:
            if spec:
                self.load_hardware(spec)

        self.push_screen(SimulateModal(), take)

    def on_inventory_ready(self, event: InventoryReady) -> None:
        from dataclasses import replace

        self._change(replace(self.session.draft, inventory=event.inventory, site=event.site))

    # planning

    def on_draft_changed(self, event: DraftChanged) -> None:
        self._change(event.draft)

    def _change(self, draft: Draft) -> None:
        if self.session.change(draft):
            self.walk.refresh_all("planning …")
            self._plan_soon()

    def _plan_soon(self) -> None:
        """Plan once the inputs are still; every change starts the wait again."""
        self.plan_draft(self.session.draft)

    @work(thread=True, exclusive=True, group="plan", exit_on_error=False)
    def plan_draft(self, draft: Draft) -> None:
        """Ask the planner. A newer draft cancels this one; an answer to an older draft is dropped."""
        import time

        worker = get_current_worker()
        time.sleep(DEBOUNCE_S)
        if worker.is_cancelled or draft.inventory is None:
            return
        from planner.errors import PlannerError
        from planner.plan import plan

        def progress(done: int, total: int, text: str) -> None:
            self.post_message(PlanProgress(done, total, text))

        try:
            answer = plan(draft.request(), self.library(), progress=progress, cancelled=lambda: worker.is_cancelled)
        except PlannerError as error:
            self.post_message(Failed("plan", str(error)))
        else:
            if not worker.is_cancelled:
                self.post_message(PlanReady(draft, answer))

    def on_plan_ready(self, event: PlanReady) -> None:
        if self.session.answer(event.draft, event.plan):
            self.walk.refresh_all("")

    def on_plan_progress(self, event: PlanProgress) -> None:
        if not self.session.current:
            self.walk.show_progress(f"planning {event.done}/{event.total}")

    def on_failed(self, event: Failed) -> None:
        if event.what == "plan":
            self.session.failure = event.reason
            self.walk.refresh_all("")
        else:
            self.notify(event.reason, title="Hardware not taken", severity="error", timeout=10)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A worker that broke says so instead of leaving the screen waiting."""
        if event.state is WorkerState.ERROR:
            error = event.worker.error
            self.post_message(Failed(event.worker.group, f"internal error: {type(error).__name__}: {error}"))

    def on_plan_chosen(self, event: PlanChosen) -> None:
        self.session.selected = event.index
        self.walk.refresh_all()

    # panes

    def on_pane_opened(self, event: PaneOpened) -> None:
        """Give a pane the data it lists, once."""
        if event.pane.id == "model":
            self.load_catalogue()

    @work(thread=True, exclusive=True, group="catalogue", exit_on_error=False)
    def load_catalogue(self) -> None:
        """Read the catalogue, then mark what fits on the hardware of the draft."""
        from tui.panes.model import ModelPane

        models = self.library().catalogue.search("")
        pane = self.walk.pane("model")
        if isinstance(pane, ModelPane):
            self.call_from_thread(pane.load, models)

    # actions

    def action_pin(self) -> None:
        """Pin the plan looked at; pinning it again lets it go."""
        best = self.session.best
        self.session.pinned = None if best is self.session.pinned else best
        self.notify("Pinned: ▲ ▼ now compare with this plan" if self.session.pinned else "Nothing is pinned", timeout=3)
        self.walk.refresh_all()

    def action_undo(self) -> None:
        if self.session.undo():
            self.walk.refresh_all("planning …")
            self._plan_soon()

    def action_redo(self) -> None:
        if self.session.redo():
            self.walk.refresh_all("planning …")
            self._plan_soon()

    def action_toggle_theme(self) -> None:
        """Dark, light, the terminal's own 16 colours."""
        index = self.THEMES.index(self.theme) if self.theme in self.THEMES else -1
        self.theme = self.THEMES[(index + 1) % len(self.THEMES)]

    def action_help(self) -> None:
        """Help for what has the focus."""
        from tui.modals import HelpModal, help_for

        keys = [
            (binding.key_display or binding.key, binding.tooltip or binding.description)
            for _, binding, enabled, tooltip in self.screen.active_bindings.values()
            if enabled and (binding.tooltip or binding.description)
        ]
        self.push_screen(HelpModal(help_for(self.focused), keys))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Everything that has a key is in the palette too."""
        yield from super().get_system_commands(screen)
        yield SystemCommand("Simulate hardware", "Plan for hardware you name", self.action_simulate)
        yield SystemCommand("Detect hardware", "Look at this machine again", self.action_detect)
        yield SystemCommand("Pin plan", "Compare further changes with this plan", self.action_pin)
        yield SystemCommand("Undo", "Take the last change back", self.action_undo)
        yield SystemCommand("Redo", "Make the change again", self.action_redo)


def run_app(argv: list[str]) -> int:
    """Parse the app's few options and run it."""
    parser = argparse.ArgumentParser(prog="deploy-planner", add_help=False)
    parser.add_argument("--hardware", metavar="SPEC|FILE")
    parser.add_argument("--data", action="append", default=[], metavar="DIR")
    args = parser.parse_args(argv)
    app = PlannerApp(args.hardware, tuple(Path(folder) for folder in args.data))
    app.run()
    return app.return_code or 0
