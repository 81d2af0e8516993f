"""What a weight format costs in quality: published evaluations, or "unknown"; and the order of precision levels."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from hwdb.schema import Source
from planner.data import read_toml

_DATA = "models/quality.toml"
_GGUF_BITS = re.compile(r"^(?:UD-)?(?:I|T)?Q(\d)", re.IGNORECASE)
_GGUF_FLOAT = {"F32": "bf16", "F16": "bf16", "BF16": "bf16", "MXFP4": "int4", "MXFP4_MOE": "int4", "NVFP4": "int4"}
_BITS_LEVEL = {1: "int2", 2: "int2", 3: "int3", 4: "int4", 5: "int5", 6: "int6", 8: "int8"}


class Evidence(NamedTuple):
    """One published comparison of a format with the unquantised model."""

    format: str
    model: str
    metric: str
    baseline: float | None
    value: float | None
    recovery: float | None
    """Share of the baseline's score that is kept (1 = no loss); None for metrics that are not scores."""
    source: Source


class FormatQuality(NamedTuple):
    """What is known of a format; None is "unknown"."""

    format: str
    level: str | None
    recovery: tuple[float, float] | None
    """Least and greatest share of the baseline's score over the published comparisons."""
    perplexity_ratio: tuple[float, float] | None
    """Least and greatest perplexity as a multiple of the baseline's (1 = no loss)."""
    evidence: tuple[Evidence, ...]


@cache
def levels() -> tuple[str, ...]:
    """Precision levels from the lowest to the highest."""
    return tuple(read_toml(_DATA)["levels"])


@cache
def known_formats() -> tuple[str, ...]:
    """Names of weight formats other than those of GGUF files."""
    return tuple(read_toml(_DATA)["formats"])


@cache
def level_of(weights: str) -> str | None:
    """The precision level of a weight format; None when the format is not known."""
    if weights.startswith("gguf:"):
        return _gguf_level(weights.removeprefix("gguf:"))
    named: dict[str, str] = read_toml(_DATA)["formats"]
    return named.get(weights) or (weights if weights in levels() else None)


def _gguf_level(name: str) -> str | None:
    if name.upper() in _GGUF_FLOAT:
        return _GGUF_FLOAT[name.upper()]
    found = _GGUF_BITS.match(name)
    return _BITS_LEVEL.get(int(found.group(1))) if found else None


def at_least(weights: str, floor: str) -> bool | None:
    """Whether a format (or level) is at or above a floor (format or level); None when either is not known."""
    level, least = level_of(weights), level_of(floor)
    if level is None or least is None:
        return None
    order = levels()
    return order.index(level) >= order.index(least)


@cache
def quality_of(weights: str) -> FormatQuality:
    """Published quality of a format; without evidence its recovery is None ("unknown"), never a guess."""
    evidence = tuple(e for e in _evidence() if e.format == weights)
    shares = [e.recovery for e in evidence if e.recovery is not None]
    ratios = [e.value / e.baseline for e in evidence if e.recovery is None and e.value and e.baseline]
    return FormatQuality(weights, level_of(weights), _range(shares), _range(ratios), evidence)


def _range(values: list[float]) -> tuple[float, float] | None:
    return (min(values), max(values)) if values else None


@cache
def _evidence() -> tuple[Evidence, ...]:
    return tuple(
        Evidence(
            format=row["format"],
            model=row["model"],
            metric=row["metric"],
            baseline=row.get("baseline"),
            value=row.get("value"),
            recovery=row.get("recovery"),
            source=Source(row["source"], row.get("date", "")),
        )
        for row in read_toml(_DATA).get("evidence", ())
    )
