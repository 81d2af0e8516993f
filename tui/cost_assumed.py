"""What a person says of prices, and the question to the planner that it makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planner.cost.prices_loader import Price
    from planner.cost_report import CostRequest
    from planner.library import Library

GIVEN = "said by you on this screen"
PERCENT = 100
CENTS = 100


@dataclass(frozen=True, slots=True)
class Assumed:
    """What a person said of money; None: the default of the data."""

    kwh_cents: int | None = None
    """Price of a kWh, in hundredths of the currency of the electricity price."""
    years: int | None = None
    utilisation: int | None = None
    """Percent of the hours at full load."""
    device: int | None = None
    """Price of one accelerator, in the currency of its known price."""

    def request(self, library: Library, accelerator: str) -> CostRequest:
        """The question to the planner."""
        from planner.cost_report import CostRequest

        prices = library.prices
        known = prices.purchase.get(accelerator)
        terms: dict[str, Any] = {}
        if self.years is not None:
            terms["years"] = float(self.years)
        if self.utilisation is not None:
            terms["utilisation"] = self.utilisation / PERCENT
        return CostRequest(
            terms=terms,
            kwh=_price(self.kwh_cents / CENTS, prices.electricity.currency) if self.kwh_cents is not None else None,
            purchase=_price(float(self.device), known.currency if known else "USD") if self.device else None,
        )


def _price(amount: float, currency: str) -> Price:
    from planner.cost.prices_loader import Price
    from planner.estimate import exact

    return Price(exact(amount, "published"), currency, "given", GIVEN)
