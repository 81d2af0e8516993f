"""Fleets to buy as rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from planner.units import human_count, human_whole
from tui import text
from tui.figures import FIGURES
from tui.rows import Column, Row

if TYPE_CHECKING:
    from planner.buy_document import Offer
    from planner.documents.result import PlannedDeployment
    from tui.session import Session

STACKED = (
    Column("mark", "  #", 4),
    Column("plan", "Fleet", 22, elastic=True),
    Column("purchase", "Buy", 9, right=True),
    Column("tpot_s", "Token", 6, right=True),
    Column("users", "Users", 5, right=True),
    Column("power_w", "Power", 7, right=True),
    Column("idle", "Idle", 4, right=True),
)
WIDE = (
    Column("mark", "  #", 6),
    Column("fleet", "Fleet", 24, elastic=True),
    Column("weights", "Weights", 10, need=3),
    Column("layout", "Layout", 12, need=4),
    Column("purchase", "Buy", 11, right=True),
    Column("owned_month", "A month", 9, right=True),
    Column("ttft_s", "First", 7, need=2, right=True),
    Column("tpot_s", "Token", 7, right=True),
    Column("users", "Users", 6, right=True),
    Column("power_w", "Power", 7, right=True),
    Column("rack", "RU", 3, need=5, right=True),
    Column("idle", "Idle", 4, right=True),
    Column("down", "One device down", 15, need=1),
)


def ranking_rows(session: Session) -> Iterator[Row]:
    """The fleets, best first."""
    if session.plan is None or session.fleets is None:
        return
    for index, (plan, offer) in enumerate(zip(session.plan.candidates, session.fleets.offers, strict=True)):
        yield _row(index, plan, offer, session)


def _row(index: int, plan: PlannedDeployment, offer: Offer, session: Session) -> Row:
    cells = {
        "mark": f"{plan.rank}{'x' if index in session.marked else ''}",
        "plan": f"{offer.title}\n{text.weights_of(plan)} {text.layout_of(plan)}",
        "fleet": offer.title,
        "weights": text.weights_of(plan),
        "layout": text.layout_of(plan),
        "users": human_whole(offer.users),
        "rack": str(offer.rack_units),
        "idle": str(offer.idle_devices),
        "down": _down(offer),
    }
    for key in ("purchase", "owned_month", "ttft_s", "tpot_s", "power_w"):
        figure = FIGURES[key]
        cells[key] = _amount(figure.of(plan), figure.unit_of(plan))
    return Row(str(index), cells, f"{plan.rank}. {offer.title}: {'; '.join(plan.reasons[:2])}")


def _amount(estimate: object, unit: str) -> str:
    """Money without its currency: the explanation names it."""
    from planner.estimate import Estimate

    if not isinstance(estimate, Estimate):
        return text.UNKNOWN
    return human_count(round(estimate.value)) if len(unit) == 3 and unit.isupper() else text.shown(estimate.value, unit)


def _down(offer: Offer) -> str:
    """What is left with one device missing."""
    if not offer.outages or offer.outages[0].copies <= 0:
        return "nothing runs"
    one = offer.outages[0]
    return "all holds" if one.holds else f"{human_whole(one.users)} users"


def folded_fleet(offer: Offer, plan: PlannedDeployment) -> tuple[str, str]:
    """The fleet looked at in one line of words and one of figures, for 80 columns."""
    words = f"{offer.title} · {text.model_of(plan)} {text.weights_of(plan)} · {text.layout_of(plan)}"
    money = (
        f"{text.figure(figure.of(plan), figure.unit_of(plan))} {what}"
        for figure, what in ((FIGURES["purchase"], "to buy"), (FIGURES["owned_month"], "a month"))
    )
    token = FIGURES["tpot_s"]
    return words, " · ".join((*money, text.figure(token.of(plan), token.unit), f"{human_whole(offer.users)} users"))
