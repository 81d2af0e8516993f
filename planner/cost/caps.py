"""What a power cap does: decode hardly slows down, prefill does. Curves are data with their measurement."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from planner.cost.energy import Draw, at_plugs, draw, mixed, per_mtok, shares
from planner.cost.fleet import Duty, Fleet
from planner.cost.power_facts import PowerFacts
from planner.estimate import Estimate, Origin

STEPS = (0.85, 0.71, 0.57, 0.43)
"""Shares of board power that a what-if looks at, the mildest first."""
Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class CapCurve:
    """Share of board power → share of speed, by phase."""

    prefill: Points
    decode: Points
    spread: float
    origin: Origin
    date: str
    source: str

    @property
    def lowest(self) -> float:
        """The lowest share that somebody measured."""
        return max(self.prefill[0][0], self.decode[0][0])


@dataclass(frozen=True, slots=True)
class CapStep:
    """A fleet under one cap."""

    cap_w: float
    """Per device."""
    share: float
    prefill_speed: Estimate
    """Share of the speed without a cap."""
    decode_speed: Estimate
    output_tok_s: Estimate | None
    power: Draw
    wh_per_mtok: Estimate | None
    as_of: str


def load_cap_curves(table: Mapping[str, Any]) -> Mapping[str, CapCurve]:
    """Memory type → curve, from the parsed ``power_caps.toml``."""
    return {memory: _curve(row) for row in table["curves"] for memory in row["memory"]}


def _curve(row: Mapping[str, Any]) -> CapCurve:
    return CapCurve(
        _points(row["prefill"]), _points(row["decode"]), row["spread"], row["origin"], row["date"], row["source"]
    )


def _points(rows: Sequence[Sequence[float]]) -> Points:
    return tuple((float(share), float(speed)) for share, speed in rows)


def speed_at(points: Points, share: float) -> float | None:
    """Straight lines between the points; None below the lowest, where nobody measured."""
    if share < points[0][0]:
        return None
    if share >= points[-1][0]:
        return points[-1][1]
    right = bisect_right([x for x, _ in points], share)
    (x0, y0), (x1, y1) = points[right - 1], points[right]
    return y0 + (y1 - y0) * (share - x0) / (x1 - x0)


def capped(
    fleet: Fleet,
    shares_of_power: Sequence[float],
    *,
    duty: Duty,
    output_tok_s: Estimate | None,
    curves: Mapping[str, CapCurve],
    facts: PowerFacts,
) -> Iterator[CapStep]:
    """The fleet under caps, given as shares of board power; those below every measurement are left out."""
    curve = curves.get(fleet.memory_type or "")
    if curve is None or not fleet.tdp_w:
        return
    for share in shares_of_power:
        prefill, decode = speed_at(curve.prefill, share), speed_at(curve.decode, share)
        if prefill is not None and decode is not None and prefill > 0 and decode > 0:
            yield _step(fleet, share, (prefill, decode), duty, output_tok_s, curve, facts)


def _step(
    fleet: Fleet,
    share: float,
    speeds: tuple[float, float],
    duty: Duty,
    output_tok_s: Estimate | None,
    curve: CapCurve,
    facts: PowerFacts,
) -> CapStep:
    slower_prompt, slower_token = duty.prompt_time / speeds[0], (1 - duty.prompt_time) / speeds[1]
    whole = slower_prompt + slower_token
    _, prefill, decode = shares(fleet, duty.batch, facts)
    level = mixed(_limited(prefill, share), _limited(decode, share), slower_prompt / whole)
    power = draw(fleet, level, facts)
    rate = _ranged(output_tok_s, 1 / whole, curve.spread) if output_tok_s else None
    return CapStep(
        cap_w=share * (fleet.tdp_w or 0.0),
        share=share,
        prefill_speed=_around(speeds[0], curve),
        decode_speed=_around(speeds[1], curve),
        output_tok_s=rate,
        power=power,
        wh_per_mtok=per_mtok(power.total, rate),
        as_of=f"{curve.date}: {curve.source}",
    )


def plug_under(fleet: Fleet, share: float, facts: PowerFacts) -> Estimate:
    """Watts at the plugs in prefill with every device capped to a share of its board power."""
    _, prefill, _ = shares(fleet, None, facts)
    return at_plugs(draw(fleet, _limited(prefill, share), facts))


def _around(speed: float, curve: CapCurve) -> Estimate:
    width = 0.0 if speed >= 1 else curve.spread
    return Estimate(max(speed - width, 0.0), speed, min(speed + width, 1.0), curve.origin)


def _limited(share: Estimate, cap: float) -> Estimate:
    return Estimate(min(share.low, cap), min(share.value, cap), min(share.high, cap), share.origin)


def _ranged(rate: Estimate, factor: float, spread: float) -> Estimate:
    width = 0.0 if factor >= 1 else spread
    return Estimate(
        rate.low * factor * (1 - width), rate.value * factor, rate.high * min(factor + width, 1.0), rate.origin
    )
