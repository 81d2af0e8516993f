"""Words and numbers as drivers and their tools print them; what they withhold is None, never 0."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from planner.units import GIB, KIB, MIB, TIB

MAX_TEXT = 200
GENERATIONS = {2.5: 1, 5.0: 2, 8.0: 3, 16.0: 4, 32.0: 5, 64.0: 6}
"""GT/s per lane → PCIe generation."""
MAX_BYTES = 1 << 50
"""No device of any kind holds a pebibyte; a larger figure is noise."""
WITHHELD = frozenset(
    (
        *("", "n/a", "na", "none", "null", "unknown", "unknown error", "not supported", "err!", "-", "undefined"),
        *("insufficient permissions", "requested functionality has been deprecated", "function not found"),
        *("not available", "no data", "not found", "gpu is lost", "gpu requires reset", "gpu requires restart"),
    )
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")
_COLOUR = re.compile(r"\x1b\[[0-9;]{0,20}[A-Za-z]")
_NUMBER = re.compile(r"\(?\s*([0-9]{1,18}(?:\.[0-9]{1,12})?)\s*([A-Za-z/%°]*)")
_SCALES = {"B": 1, "KIB": KIB, "KB": KIB, "K": KIB, "MIB": MIB, "MB": MIB, "M": MIB, "GIB": GIB, "GB": GIB, "TIB": TIB}


def clean(text: object, limit: int = MAX_TEXT) -> str:
    """One line without control characters, so that a name cannot steer a terminal."""
    return " ".join(_CONTROL.sub(" ", str(text)[: 4 * limit]).split())[:limit]


def plain(text: str) -> str:
    """A tool's output without the colours that it prints for a terminal."""
    return _COLOUR.sub("", text)


def decimal(text: str) -> int | None:
    """A whole number in decimal digits, of at most 18 of them."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None


def said(text: object) -> str | None:
    """What was said, or None for the many ways of saying nothing."""
    if text is None:
        return None
    word = clean(text)
    return None if word.strip("[]").lower() in WITHHELD else word


def number(text: object) -> float | None:
    """The leading non-negative number of ``67.03 W`` or ``16x``; None when there is none or it is absurdly long."""
    if isinstance(text, bool):
        return None
    if isinstance(text, int | float):
        return float(text) if math.isfinite(text) and text >= 0 else None
    match = _NUMBER.match(clean(text)) if isinstance(text, str) else None
    return float(match[1]) if match else None


def whole(text: object) -> int | None:
    """As ``number``, for counts."""
    value = number(text)
    return int(value) if value is not None and value < 1 << 62 else None


def size(text: object, unit: str = "B") -> int | None:
    """Bytes of ``81920 MiB``, or of a bare number in ``unit``. Tools that print MB mean MiB."""
    value = number(text)
    if value is None:
        return None
    match = _NUMBER.match(clean(text)) if isinstance(text, str) else None
    scale = _SCALES.get((match[2] if match and match[2] else unit).upper())
    if scale is None or value * scale > MAX_BYTES:
        return None
    return int(value * scale)


def positive(value: int | None) -> int | None:
    """A total of 0 is a driver's way of not telling."""
    return value if value else None


def pcie_generation(text: object) -> int | None:
    """``16.0 GT/s PCIe`` → 4."""
    rate = number(text)
    return GENERATIONS.get(rate) if rate is not None else None


def hex_id(text: object) -> str | None:
    """The last four hex digits of a PCI device id: ``0x738c`` → ``738c``."""
    digits = (said(text) or "").lower().removeprefix("0x")
    return digits[-4:].rjust(4, "0") if re.fullmatch(r"[0-9a-f]{1,8}", digits) else None


def first(table: Mapping[str, object], *keys: str) -> object | None:
    """The first of several spellings that is present."""
    return next((table[key] for key in keys if key in table), None)


def dig(value: object, *path: str | int) -> object | None:
    """A value deep in parsed JSON; None where any step is missing or of another kind."""
    for step in path:
        if isinstance(step, str) and isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, Sequence) and not isinstance(value, str):
            value = value[step] if -len(value) <= step < len(value) else None
        else:
            return None
    return value


def runs(indices: Sequence[int]) -> str:
    """``0-3,6`` of sorted indices."""
    found: list[list[int]] = []
    for index in indices:
        if found and index == found[-1][-1] + 1:
            found[-1].append(index)
        else:
            found.append([index])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in found)
