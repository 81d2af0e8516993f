"""A field of a hardware row in the unit that people read."""

from __future__ import annotations

from typing import Any

from planner.units import GIGA, TERA, human_bytes, human_rate, human_seconds


def shown(name: str, value: Any) -> str:
    """A value in the unit people read, by the unit at the end of its field's name."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        joint = "." if name == "compute_capability" else " – " if name.endswith("_w") else ", "
        return joint.join(shown(name, each) for each in value)
    if isinstance(value, str):
        return value
    for unit, show in _UNITS:
        if name.endswith(unit):
            return show(value)
    return f"{value:,.6g}" if isinstance(value, float) else f"{value:,}"


_UNITS = (
    ("bytes_s", human_rate),
    ("_bytes", lambda value: f"{human_bytes(value)}  ({value:,} B)"),
    ("flop_s", lambda value: f"{value / TERA:,.5g} TFLOP/s"),
    ("_hz", lambda value: f"{value / GIGA:.4g} GHz"),
    ("_mt_s", lambda value: f"{value:,.0f} MT/s"),
    ("_w", lambda value: f"{value:,.5g} W"),
    ("_s", human_seconds),
)
