"""What keys and palette do that is not one step's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import SystemCommand
from textual.binding import ActiveBinding, Binding, BindingType
from textual.screen import Screen

from planner.errors import Exit
from tui import themes
from tui.what_ifs import WhatIfs

if TYPE_CHECKING:
    from tui.modals.prompt import Hint


MOVES = frozenset({"up", "down", "left", "right", "pageup", "pagedown", "home", "end"})
"""Keys that only move the cursor: no commands."""


class Actions(WhatIfs):
    """The app's actions, with their keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", "Help", show=False, id="app.help", tooltip="Help for this place, with every key"),
        Binding("p", "pin", "Pin", id="app.pin", tooltip="Pin this plan: ▲ ▼ compare with it from then on"),
        Binding("e", "simulate", "Simulate", show=False, id="app.simulate", tooltip="Plan for hardware you name"),
        Binding("E", "edit", "Edit", show=False, id="app.edit", tooltip="Edit a copy: cards, memory, link, machines"),
        Binding("u", "undo", "Undo", show=False, id="app.undo", tooltip="Take the last change back"),
        Binding("ctrl+r", "redo", "Redo", show=False, id="app.redo", tooltip="Make the change again"),
        Binding("ctrl+s", "export", "Export", show=False, id="app.export", tooltip="Go and write the document"),
        Binding(
            "T", "toggle_theme", "Look", show=False, id="app.theme", tooltip="Dark, light, high contrast, terminal"
        ),
        Binding("dollar_sign", "cost", "Cost", show=False, id="app.cost", tooltip="What this plan costs, and why"),
        Binding("v", "verify", "Verify", show=False, id="app.verify", tooltip="A log or metrics beside this plan"),
        Binding(
            "ctrl+p",
            "command_palette",
            "Commands",
            show=False,
            id="app.commands",
            priority=True,
            tooltip="Every command by name",
        ),
        Binding("ctrl+q", "quit", "Quit", show=False, id="app.quit", tooltip="Leave", priority=True),
        Binding("ctrl+c", "interrupt", "Interrupt", show=False, id="app.interrupt", priority=True, system=True),
    ]

    def draft_changed(self) -> None:
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What cannot be done now is greyed; what is for other steps is none of this one's keys."""
        if action == "what_if" and not self.what_if_here:
            return False
        possible = {
            "pin": lambda: self.session.best is not None,
            "cost": lambda: self.session.best is not None and self.session.draft.purpose != "tune",
            "verify": lambda: self.session.best is not None and self.session.draft.purpose != "tune",
            "simulated": lambda: self.session.best is not None and self.session.draft.purpose != "tune",
            "what_if": lambda: self.session.best is not None,
            "undo": lambda: bool(self.session.done),
            "redo": lambda: bool(self.session.undone),
            "edit": lambda: self.session.draft.inventory is not None and self.session.draft.purpose != "buy",
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

    def action_edit(self) -> None:
        """Edit a copy of the hardware, the answer following."""
        from tui.modals.rig import RigScreen

        self.push_screen(RigScreen(self.session, self.library))

    def action_open(self) -> None:
        """Plan for hardware in a file."""
        from tui.hints import FILE_ABOUT, open_hint, site_names

        self._ask("Open hardware", FILE_ABOUT, "" if site_names() else f"{Path.cwd()}/", open_hint, site=True)

    def _ask(self, title: str, about: str, line: str, hint: Callable[[str], Hint], *, site: bool = False) -> None:
        from tui.hints import place_of
        from tui.modals.prompt import PromptModal

        def take(spec: str | None) -> None:
            if spec:
                self.load_hardware(str(place_of(spec)) if site or spec.startswith("~") else spec)

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
        from tui.hints import is_site, place_of

        try:
            if is_site(name):
                place_of(name).parent.mkdir(parents=True, exist_ok=True)
            write_whole(place_of(name), to_json(self.session.draft.inventory) + "\n", overwrite=True)
        except (BadInput, OSError) as error:
            self.notify(str(error), title="Not saved", severity="error", timeout=10)
        else:
            self.notify(f"Saved: deploy-planner --hardware {quote(str(place_of(name)))} plans with it.", timeout=6)

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
            self.draft_changed()

    def action_redo(self) -> None:
        if self.session.redo():
            self.draft_changed()

    async def action_export(self) -> None:
        await self.walk.action_go("export")

    def action_cost(self) -> None:
        """What the plan looked at costs."""
        from tui.modals.cost import CostScreen

        self.push_screen(CostScreen(self.session, self.library, self.desk))

    def action_verify(self) -> None:
        """A log or a metrics page beside the plan looked at."""
        from tui.modals.verify import VerifyScreen

        self.push_screen(VerifyScreen(self.session, self.library))

    def get_key_display(self, binding: Binding) -> str:
        """Keys by signs that every terminal has: Enter by its name, as Esc and Space are."""
        return super().get_key_display(binding).replace("⏎", "enter")

    def action_toggle_theme(self) -> None:
        """The next look."""
        index = themes.CYCLE.index(self.theme) if self.theme in themes.CYCLE else -1
        self.theme = themes.CYCLE[(index + 1) % len(themes.CYCLE)]

    def action_interrupt(self) -> None:
        """Ctrl-C: leave at once, the terminal as it was."""
        self.exit(return_code=Exit.INTERRUPTED)

    def action_command_palette(self) -> None:
        """Every command by name."""
        from tui.modals.palette import Palette

        if not any(isinstance(screen, Palette) for screen in self.screen_stack):
            self.push_screen(Palette(id="--command-palette"))

    def action_help(self) -> None:
        """Help for what has the focus."""
        from tui.modals.reader import HelpModal, help_for

        keys = [(self.get_key_display(key.binding), key.binding.tooltip) for key in _once(self.screen)]
        self.push_screen(HelpModal(help_for(self.focused), keys))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Everything that has a key is in the palette too."""
        yield from super().get_system_commands(screen)
        for active in _once(screen):
            binding = active.binding
            if not binding.system and binding.key not in MOVES:
                command = f"{binding.description} ({self.get_key_display(binding)})"
                yield SystemCommand(command, binding.tooltip, _runner(self, binding.action, active.node))


def _once(screen: Screen[object]) -> Iterator[ActiveBinding]:
    """What can be done now, each once: several keys may do the same."""
    told: set[str] = set()
    for active in screen.active_bindings.values():
        binding = active.binding
        if active.enabled and binding.id and binding.tooltip and binding.id not in told:
            told.add(binding.id)
            yield active


def _runner(app: Actions, action: str, node: Any) -> Any:
    async def run() -> None:
        await app.run_action(action, node)

    return run
