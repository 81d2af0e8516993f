"""The only place of unit factors. Inside the planner everything is bytes, seconds and FLOP."""

import math

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30
TIB = 1 << 40
KILO = 1e3
MEGA = 1e6
GIGA = 1e9
TERA = 1e12
MILLI = 1e-3
MICRO = 1e-6
SECONDS_PER_MINUTE = 60
SECONDS_PER_HOUR = 3600
MINUTES_PER_HOUR = 60
HOURS_PER_DAY = 24
HOURS_PER_MONTH = 730.5
"""365.25 days × 24 h / 12."""
_ROUNDING = 1e-9
"""A count that is short of a whole one by no more than floating point errs is a whole one."""


def human_bytes(count: float) -> str:
    """Bytes in binary units as operators read them: ``139.8 GiB``."""
    for factor, unit in ((TIB, "TiB"), (GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if abs(count) >= factor:
            return f"{count / factor:,.1f} {unit}"
    return f"{count:,.0f} B"


def human_rate(bytes_s: float) -> str:
    """A bandwidth in decimal units, as data sheets print it: ``4.8 TB/s``."""
    for factor, unit in ((TERA, "TB/s"), (GIGA, "GB/s"), (MEGA, "MB/s")):
        if abs(bytes_s) >= factor:
            return f"{bytes_s / factor:,.4g} {unit}"
    return f"{bytes_s:,.0f} B/s"


def human_seconds(seconds: float) -> str:
    """A duration with the unit that fits it: ``27 ms``, ``1.4 s``, ``3.2 h``."""
    if seconds >= SECONDS_PER_HOUR:
        return f"{seconds / SECONDS_PER_HOUR:,.1f} h"
    if seconds >= 1:
        return f"{seconds:,.1f} s"
    if seconds >= MILLI:
        return f"{seconds / MILLI:,.0f} ms" if seconds >= 10 * MILLI else f"{seconds / MILLI:,.1f} ms"
    return f"{seconds / MICRO:,.0f} µs"


def human_hours(hours: float) -> str:
    """The length of a run: minutes, hours, or days from the fourth on."""
    if hours < 1:
        return f"{hours * MINUTES_PER_HOUR:.0f} minutes"
    return f"{hours:.1f} h" if hours < 3 * HOURS_PER_DAY else f"{hours / HOURS_PER_DAY:.1f} days"


def whole(number: float) -> int:
    """What there is room for, in whole things: one that fits by half does not fit."""
    return math.floor(number + _ROUNDING)


def human_whole(number: float) -> str:
    """The same in short form: ``11`` for 11.7."""
    return human_count(whole(number))


def human_count(number: float) -> str:
    """A count in short form: ``671B``, ``2,340``."""
    for factor, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if abs(number) >= factor:
            return f"{number / factor:.4g}{unit}"
    return f"{number:,.0f}"
