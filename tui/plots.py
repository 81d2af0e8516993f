"""What the plots show, as plain numbers: the curve over load with the promises, and each proposal as a point."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.units import MILLI
from tui import text
from tui.figures import FIGURES

if TYPE_CHECKING:
    from tui.session import Session


@dataclass(frozen=True, slots=True)
class Curve:
    """Per token and tokens per second over requests in flight."""

    users: tuple[float, ...]
    token_ms: tuple[float, ...]
    rate: tuple[float, ...]
    promised_ms: float | None
    """Per token; None without a promise."""
    holds_to: int | None
    """The most users at which every promise is kept; None without promises, 0 where none keeps them."""


@dataclass(frozen=True, slots=True)
class Spot:
    """One proposal."""

    label: str
    """Its rank, ``*`` behind it where no other beats it in every respect."""
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Field:
    """Proposals over two figures."""

    spots: tuple[Spot, ...]
    x_label: str
    y_label: str


AXES = {"serve": ("output_tok_s", "tpot_s"), "tune": ("hours", "driver"), "buy": ("purchase", "tpot_s")}
"""Figures over which proposals are drawn, by what the walk is for."""


def curve_of(session: Session) -> Curve | None:
    """The curve of the plan looked at; None while it is not known."""
    points = [p for p in session.load_curve or () if p.speed and p.speed.tpot_s and p.speed.output_tok_s]
    if len(points) < 2:
        return None
    return Curve(
        users=tuple(float(p.users) for p in points),
        token_ms=tuple(p.speed.tpot_s.value / MILLI for p in points),  # type: ignore[union-attr]
        rate=tuple(p.speed.output_tok_s.value for p in points),  # type: ignore[union-attr]
        promised_ms=float(session.draft.tpot_ms) if session.draft.tpot_ms else None,
        holds_to=_holds_to(session),
    )


def _holds_to(session: Session) -> int | None:
    from tui.load_rows import keeps

    held = [(point.users, keeps(session, point.speed)) for point in session.load_curve or ()]
    if not any(mark for _, mark in held):
        return None
    return max((users for users, mark in held if mark == "✓"), default=0)


def field_of(session: Session) -> Field | None:
    """The proposals that have both figures; None where fewer than two have."""
    across, up = (FIGURES[key] for key in AXES[session.draft.purpose])
    spots = []
    for plan in session.plan.candidates if session.plan else ():
        x, y = across.of(plan), up.of(plan)
        if x is not None and y is not None:
            spots.append(
                Spot(
                    f"{plan.rank}{'*' if plan.pareto else ''}", _scaled(x.value, across.unit), _scaled(y.value, up.unit)
                )
            )
    if len(spots) < 2:
        return None
    return Field(tuple(spots), _label(across.label, across.unit), _label(up.label, up.unit))


SCALES = {"s": (1 / MILLI, "ms"), "B": (2.0**-30, "GiB"), "h": (1.0, "h"), "money": (1.0, ""), "tok/s": (1.0, "tok/s")}
"""Unit → what it is multiplied with for an axis, and how that is called."""


def _scaled(value: float, unit: str) -> float:
    return value * SCALES[unit][0]


def _label(label: str, unit: str) -> str:
    return f"{label} {SCALES[unit][1]}".strip()


def round_ticks(low: float, high: float, most: int) -> tuple[float, ...]:
    """Round numbers from low to high, evenly apart by 1, 2, 2.5 or 5 times a power of ten; ``most`` of them."""
    span = high - low
    if span <= 0 or most < 1:
        return ()
    power = 10.0 ** math.floor(math.log10(span / most))
    step = next((power * times for times in (1, 2, 2.5, 5) if span / (power * times) <= most), 10 * power)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return tuple(round(step * number, 10) for number in range(first, last + 1))


def holds_words(curve: Curve) -> str:
    """What the curve comes to, in words."""
    if curve.holds_to is None:
        return "No promise is set: step 3 has them."
    if curve.holds_to == 0:
        return "✗ The promises are broken even with one request in flight."
    most = round(curve.users[-1])
    if curve.holds_to >= most:
        return f"✓ The promises hold up to {most:,} in flight, the most that is drawn."
    return (
        f"✓ The promises hold up to {curve.holds_to:,} in flight, at {text.shown(_rate_at(curve), 'tok/s')} in total."
    )


def _rate_at(curve: Curve) -> float:
    return dict(zip(curve.users, curve.rate, strict=True)).get(float(curve.holds_to or 0), 0.0)
