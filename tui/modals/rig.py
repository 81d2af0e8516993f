"""Edit a copy of the hardware: card, count, memory, link, machines; the answer below follows each step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, work
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input

from tui.inputs.kinds import Number
from tui.messages import Explained
from tui.modals.aside import AsideScreen
from tui.simulate import LINKS, Rig, in_words, rig_of, rigged
from tui.threads import in_thread
from tui.widgets.answer import FoldedAnswer
from tui.widgets.choice import ChoiceField, Option
from tui.widgets.number import NumberField, name_of, number_field
from tui.widgets.words import Words

if TYPE_CHECKING:
    from planner.library import Library
    from tui.session import Session

NUMBERS = (
    Number("per_node", "Cards a machine", "", 1, 64, False, "accelerators of each machine. Moves: everything."),
    Number("nodes", "Machines", "", 1, 1000, False, "equal machines. Moves: which layouts are possible."),
    Number("memory_gib", "Memory each", "GiB", 1, 2048, True,
     "of one card; empty: as the database has it. Moves: what fits, room for users."),
)  # fmt: skip
LINK_ABOUT = "between the cards of a machine. Moves: speed."
CARD_ABOUT = "Card — an accelerator of the database by its name; Enter takes it."


class RigScreen(AsideScreen):
    """Fields above, the answer below."""

    TITLE: ClassVar[str] = "Edit a copy of this hardware"
    HELP_TEXT: ClassVar[str] = (
        "What is changed here is a simulated copy: nothing is done to the machine. u takes a step back afterwards.\n\n"
        "← →  move a slider or a choice · digits type · Enter in the card's line takes it · Escape  back to the walk"
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "card", "Card", id="rig.card", tooltip="Another accelerator, by name"),
    ]

    def __init__(self, session: Session, library: Callable[[], Library]) -> None:
        super().__init__(session)
        self._library = library

    def body(self) -> Iterator[Widget]:
        yield Input(placeholder="card", id="rig-card")
        yield Words(id="rig-said")
        yield from map(number_field, NUMBERS)
        yield ChoiceField("Link", [Option(link, link) for link in LINKS], LINK_ABOUT, id="choice-link")
        yield FoldedAnswer(id="rig-answer", way="")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#number-per_node").focus()
        self.call_after_refresh(self.redraw)

    def redraw(self) -> None:
        """The fields as the hardware is now, and the answer to it."""
        inventory = self.session.draft.inventory
        super().redraw()
        if inventory is None:
            return
        rig = rig_of(inventory)
        card = self.query_one(Input)
        if not card.has_focus:
            card.value = rig.accelerator
        for number in self.query(NumberField):
            number.value = getattr(rig, name_of(number))
        link = self.query_one(ChoiceField)
        names = dict.fromkeys([*([rig.link] if rig.link else []), *LINKS])
        link.options, link.value = tuple(Option(name, name) for name in names), rig.link
        link.display = rig.per_node > 1
        self.query_one(FoldedAnswer).show(self.session)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if event.widget.id == "rig-card":
            self.post_message(Explained(CARD_ABOUT))

    def action_card(self) -> None:
        self.query_one(Input).focus()

    def on_number_field_changed(self, event: NumberField.Changed) -> None:
        event.stop()
        self._change({name_of(event.field): event.value})

    def on_choice_field_changed(self, event: ChoiceField.Changed) -> None:
        event.stop()
        self._change({"link": event.value})

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._change({"accelerator": event.value.strip(), "link": "", "memory_gib": None})

    def _change(self, changes: dict[str, Any]) -> None:
        inventory = self.session.draft.inventory
        if inventory is not None:
            self._take(replace(rig_of(inventory), **changes))

    @work(exclusive=True, group="rig", exit_on_error=False)
    async def _take(self, rig: Rig) -> None:
        """The copy becomes what is planned with."""
        from hwdb.errors import LookupProblem
        from planner.errors import PlannerError

        inventory, said = self.session.draft.inventory, self.query_one("#rig-said", Words)
        if inventory is None:
            return
        try:
            changed = await in_thread(lambda: rigged(inventory, rig, self._library()), "rig")
        except (PlannerError, LookupProblem) as error:
            said.say(f"✗ {error}")
            return
        said.say("")
        self.app.took_hardware(changed, f"{in_words(rig_of(changed))} (simulated)")  # type: ignore[attr-defined]
        self.redraw()
