"""Prices by the hour of the day: what share of a load falls into the dear hours, and what a million costs then.

price = off-peak · (1 − share) + peak · share; the share is Σ load(h) · peak(h) / Σ load(h) over the hours of a UTC day.
Where the load's hours are not known, the share of the hours themselves; then anything from none to all may be true.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from planner.cost.api import ApiPrice, normal
from planner.estimate import Estimate
from planner.units import HOURS_PER_DAY

_WINDOW = re.compile(r"\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*")
_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Tariff:
    """Two prices of one model, and how a load is spread over them."""

    off_peak: ApiPrice
    peak: ApiPrice
    hours_utc: tuple[str, ...]
    """When the peak price holds."""
    peak_share: Estimate
    """Of the load's tokens."""

    def at(self, share: float) -> ApiPrice:
        """The price of a load of which ``share`` falls into the dear hours."""
        return replace(
            self.off_peak,
            input=_mixed(self.off_peak.input, self.peak.input, share),
            output=_mixed(self.off_peak.output, self.peak.output, share),
            cached=_cached(self.off_peak, self.peak, share),
        )


def _mixed(cheap: float, dear: float, share: float) -> float:
    return cheap * (1 - share) + dear * share


def _cached(cheap: ApiPrice, dear: ApiPrice, share: float) -> float | None:
    if cheap.cached is None or dear.cached is None:
        return None
    return _mixed(cheap.cached, dear.cached, share)


def tariff_of(
    api: ApiPrice, rows: Sequence[ApiPrice], profile: Sequence[float] = (), utc_offset: float = 0.0
) -> Tariff | None:
    """The tariff that a listed price belongs to; None where it holds all day, or the rows are of another time."""
    mine = [r for r in rows if r.provider == api.provider and normal(r.model) == normal(api.model) and not r.free]
    dear = [r for r in mine if r.hours_utc and windows_of(r.hours_utc)]
    always = [r for r in mine if not r.hours_utc]
    if not dear or not always:
        return None
    base = max(always, key=lambda r: r.since)
    peak = next((r for r in dear if _same(r, dear[0]) and (_same(r, api) or _same(base, api))), None)
    if peak is None:
        return None
    hours = tuple(r.hours_utc for r in dear if _same(r, peak))
    cheap, costly = (base, peak) if base.output <= peak.output else (peak, base)
    return Tariff(cheap, costly, hours, _share(hours, profile, utc_offset))


def _same(one: ApiPrice, other: ApiPrice) -> bool:
    return (one.input, one.output, one.currency) == (other.input, other.output, other.currency)


def windows_of(text: str) -> tuple[float, float] | None:
    """ "01:00-04:00" as minutes of the day; None for what is no window."""
    found = _WINDOW.fullmatch(text)
    if found is None:
        return None
    first, second = (int(found[i]) * _MINUTES + int(found[i + 1]) for i in (1, 3))
    return (first, second) if max(first, second) <= HOURS_PER_DAY * _MINUTES else None


def hours_in(windows: Sequence[str]) -> tuple[float, ...]:
    """Share of each UTC hour that lies in any window; those over midnight wrap."""
    minutes = [False] * (HOURS_PER_DAY * _MINUTES)
    for text in windows:
        span = windows_of(text)
        if span is None:
            continue
        start, end = (int(minute) for minute in span)
        length = (end - start) % len(minutes) or len(minutes)
        for step in range(length):
            minutes[(start + step) % len(minutes)] = True
    return tuple(sum(minutes[h * _MINUTES : (h + 1) * _MINUTES]) / _MINUTES for h in range(HOURS_PER_DAY))


def _share(windows: Sequence[str], profile: Sequence[float], utc_offset: float) -> Estimate:
    """Of the load that falls into the windows. ``profile`` counts local hours, ``utc_offset`` is local less UTC."""
    inside = hours_in(windows)
    if not any(profile):
        mean = sum(inside) / HOURS_PER_DAY
        return Estimate(0.0, mean, 1.0, "assumed")
    load = list(profile)
    part = sum(share * inside[round(hour - utc_offset) % HOURS_PER_DAY] for hour, share in enumerate(load)) / sum(load)
    return Estimate(part, part, part, "formula")
