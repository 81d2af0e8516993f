"""Cost: what the plan looked at draws and costs, owned, rented and against APIs, with the assumptions to change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import work
from textual.binding import BindingType
from textual.widget import Widget

from tui import text
from tui.cost_rows import COLUMNS, cost_rows, sources
from tui.explain import Explanation
from tui.modals.aside import AsideScreen
from tui.threads import in_thread
from tui.widgets.listing import Listing
from tui.widgets.number import NumberField, Scale
from tui.widgets.words import Words

if TYPE_CHECKING:
    from planner.account.request import Assumptions
    from planner.cost.document import CostDocument
    from planner.library import Library
    from tui.services import Services
    from tui.session import Session


class Setting(NamedTuple):
    """An assumption as a whole number that people type."""

    name: str
    """Field of the planner's ``Assumptions``."""
    label: str
    unit: str
    scale: Scale
    about: str
    parts: int = 1
    """What is typed per one of the planner's unit: 100 for cents and percent."""


SETTINGS = (
    Setting("kwh", "A kWh, in cents", "", Scale(1, 300, optional=True),
            "price of electricity, hundredths of the currency of the devices' price; empty: the dated price of the "
            "data. Moves: the month.", 100),
    Setting("years", "Years", "", Scale(1, 30, optional=True),
            "until the hardware is written off; empty: as the data says. Moves: depreciation."),
    Setting("utilisation", "Hours at load", "%", Scale(1, 100, optional=True),
            "share of the hours at full load; the fixed cost is spread over the tokens of those. Moves: per million "
            "tokens.", 100),
    Setting("purchase", "One accelerator", "", Scale(1, 1_000_000, optional=True),
            "your own price of one card; empty: the dated price of the data. Moves: purchase, depreciation, interest."),
)  # fmt: skip
BY_ID = {f"number-{setting.name}": setting for setting in SETTINGS}


class CostScreen(AsideScreen):
    """Assumptions above, the account below."""

    TITLE: ClassVar[str] = "Cost"
    HELP_TEXT: ClassVar[str] = (
        "What the plan looked at costs: owned with everything in, rented by the hour, and what APIs ask for the same\n"
        "tokens. Change an assumption, and the account follows; ? on a row shows date and source of its prices.\n\n"
        "← →  move a slider · digits type · Tab to the account · Escape  back"
    )
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, session: Session, library: Callable[[], Library], services: Services) -> None:
        super().__init__(session)
        self._library, self._services = library, services
        self._document: CostDocument | None = None

    def body(self) -> Iterator[Widget]:
        yield Words(id="cost-plan")
        for id_, setting in BY_ID.items():
            yield NumberField(setting.label, setting.unit, setting.scale, setting.about, id=id_)
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
            setting = BY_ID[number.id or ""]
            said = getattr(self.session.assumed, setting.name, None)
            number.value = None if said is None else round(said * setting.parts)
        self.query_one(Listing).focus()
        self._work_out()

    def on_number_field_changed(self, event: NumberField.Changed) -> None:
        event.stop()
        setting = BY_ID[event.field.id or ""]
        value = None if event.value is None else event.value / setting.parts
        self.session.assumed = replace(self._assumed(), **{setting.name: value})  # type: ignore[arg-type]
        self._work_out()

    def _assumed(self) -> Assumptions:
        from planner.account.request import Assumptions

        return self.session.assumed or Assumptions()

    @work(exclusive=True, group="cost", exit_on_error=False)
    async def _work_out(self) -> None:
        from planner.errors import PlannerError

        plan, assumed = self.session.best, self._assumed()
        if plan is None:
            return
        deployment = dict(plan.deployment)

        def ask() -> CostDocument:
            from planner.documents.files import parse_deployment

            library = self._library()
            known = library.prices.purchase.get(str(deployment.get("hardware", {}).get("accelerator", "")))
            here = replace(assumed, currency=known.currency) if known else assumed
            return self._services.cost(parse_deployment(deployment, "plan"), library, here)

        try:
            document = await in_thread(ask, "cost")
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
            setting = BY_ID[number.id or ""]
            value = defaults.get(setting.name)
            number.default = "" if value is None else f"{value * setting.parts:.0f}"

    def _defaults(self, document: CostDocument) -> dict[str, float]:
        """What the empty fields stand for."""
        from planner.account.assumed import defaults

        accelerator = document.fleet.accelerator if document.fleet else None
        return {row.name: row.value.value for row in defaults(self._library(), accelerator)}

    def _explained(self, row: str, column: str) -> Explanation | None:
        if self._document is None:
            return None
        return sources(self._document, row, self.query_one(Listing).listed.get(row))
