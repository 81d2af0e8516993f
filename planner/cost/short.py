"""Why a short account has no money in it: typed problems with a next step, shared by serving and training."""

from __future__ import annotations

from planner.cost.prices_loader import Price
from planner.documents.result import Finding


def power_problem(accelerator: str) -> Finding:
    """Nobody wrote down the board power."""
    return Finding(
        "power-unknown",
        f"the board power of {accelerator} is not known",
        "add tdp_w to its row in your own data (--data DIR)",
        "warning",
    )


def price_problem(accelerator: str) -> Finding:
    """Neither a rent nor a purchase price is known."""
    return Finding(
        "price-unknown",
        f"nobody wrote down what one {accelerator} costs",
        "put a [[purchase]] or [[rental]] row into a price file of your own (--data DIR, see docs/cost.md)",
        "warning",
    )


def currency_problem(device: Price, kwh: Price) -> Finding | None:
    """A device and its electricity in different currencies; None where they share one."""
    if device.currency == kwh.currency:
        return None
    return Finding(
        "currency",
        f"a device in {device.currency} and electricity in {kwh.currency} cannot be added up",
        f"put an [[electricity]] row in {device.currency} into a price file of your own, or use cost --exchange",
        "warning",
    )
