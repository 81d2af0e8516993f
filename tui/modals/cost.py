"""Cost: what the plan looked at draws and costs, owned, rented and against APIs, with the assumptions to change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import BindingType
from textual.widget import Widget

from tui import text
from tui.cost_rows import COLUMNS, cost_rows, sources
from tui.explain import Explanation
from tui.inputs.kinds import Number
from tui.modals.aside import AsideScreen
from tui.threads import in_thread
from tui.widgets.listing import Listing
from tui.widgets.number import NumberField, name_of, number_field
from tui.widgets.words import Words

if TYPE_CHECKING:
    from planner.account.request import Assumptions
    from planner.cost.document import CostDocument
    from planner.library import Library
    from tui.desk.local import Desk
    from tui.session import Session


NUMBERS = (
    Number("kwh", "A kWh, in cents", "", 1, 300, True,
           "price of electricity, hundredths of the currency of the devices' price; empty: the dated price of the "
           "data. Moves: the month."),
    Number("years", "Years", "", 1, 30, True,
           "until the hardware is written off; empty: as the data says. Moves: depreciation."),
    Number("utilisation", "Hours at load", "%", 1, 100, True,
           "share of the hours at full load; the fixed cost is spread over the tokens of those. Moves: per million "
           "tokens."),
    Number("purchase", "One accelerator", "", 1, 1_000_000, True,
           "your own price of one card; empty: the dated price of the data. Moves: purchase, depreciation, interest."),
)  # fmt: skip
"""Fields of the planner's ``Assumptions``, as whole numbers that people type."""
PARTS = {"kwh": 100, "utilisation": 100}
"""What is typed per one of the planner's unit: cents, percent."""


class CostScreen(AsideScreen):
    """Assumptions above, the account below."""

    TITLE: ClassVar[str] = "Cost"
    HELP_TEXT: ClassVar[str] = (
        "What the plan looked at costs: owned with everything in, rented by the hour, and what APIs ask for the same\n"
        "tokens. Change an assumption, and the account follows; ? on a row shows date and source of its prices.\n\n"
        "← →  move a slider · digits type · Tab to the account · Escape  back"
    )
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, session: Session, library: Callable[[], Library], desk: Desk) -> None:
        super().__init__(session)
        self._library, self._desk = library, desk
        self._document: CostDocument | None = None

    def body(self) -> Iterator[Widget]:
        yield Words(id="cost-plan")
        yield from map(number_field, NUMBERS)
        yield Words("working it out …", id="cost-said")
        yield Listing("account", COLUMNS, id="cost-account")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(Listing).explainer = self._explained
        plan = self.session.best
        if plan is not None:
            words = f"{text.model_of(plan)} {text.weights_of(plan)} · {text.layout_of(plan)} · {text.where_of(plan)}"
            self.query_one("#cost-plan", Words).say(words)
        for number in self.query(NumberField):
            name = name_of(number)
            said = getattr(self.session.assumed, name, None)
            number.value = None if said is None else round(said * PARTS.get(name, 1))
        self.query_one(Listing).focus()
        self._work_out()

    def on_number_field_changed(self, event: NumberField.Changed) -> None:
        event.stop()
        name = name_of(event.field)
        value = None if event.value is None else event.value / PARTS.get(name, 1)
        self.session.assumed = replace(self._assumed(), **{name: value})  # type: ignore[arg-type]
        self._work_out()

    def _assumed(self) -> Assumptions:
        from planner.account.request import Assumptions

        return self.session.assumed or Assumptions()

    @work(exclusive=True, group="cost", exit_on_error=False)
    async def _work_out(self) -> None:
        from planner.errors import PlannerError
        from tui.desk.tasks import CostOf

        plan, assumed = self.session.best, self._assumed()
        if plan is None:
            return
        try:
            document = await in_thread(lambda: self._desk.do(CostOf(dict(plan.deployment), assumed)), "cost")
        except PlannerError as error:
            self.query_one("#cost-said", Words).say(f"✗ {error}")
            return
        self._draw(document)

    def _draw(self, document: CostDocument) -> None:
        self._document = document
        rows = list(cost_rows(document))
        self.query_one("#cost-said", Words).say("" if rows else "Nothing is known about the cost of this plan.")
        self.query_one(Listing).fill(rows)
        defaults = self._defaults(document)
        for number in self.query(NumberField):
            name = name_of(number)
            value = defaults.get(name)
            number.default = "" if value is None else f"{value * PARTS.get(name, 1):.0f}"

    def _defaults(self, document: CostDocument) -> dict[str, float]:
        """What the empty fields stand for."""
        from planner.account.assumed import defaults

        accelerator = document.fleet.accelerator if document.fleet else None
        return {row.name: row.value.value for row in defaults(self._library(), accelerator)}

    def _explained(self, row: str, column: str) -> Explanation | None:
        if self._document is None:
            return None
        return sources(self._document, row, self.query_one(Listing).listed.get(row))
