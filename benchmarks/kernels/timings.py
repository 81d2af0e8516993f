"""Timings, their ideal times, and the law that all curves are.

seconds = latency + ((bytes / (bandwidth · memory))^p + (flop / (peak · compute))^p)^(1/p)
"""

from __future__ import annotations

import csv
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.minimise import minimise, robust
from hwdb.schema import Accelerator
from planner.performance.curves import family

Row = dict[str, str]
Curve = dict[str, object]
Numbers = Sequence[float]
POWER = 3.0
FORMATS = {
    "bfloat16": ("bf16", "bf16", 2.0, 2.0),
    "fp8": ("fp8", "fp8", 1.0, 1.0),
    "fp8_block": ("fp8-block", "fp8", 1.0, 1.0),
    "nvfp4": ("nvfp4", "fp4", 0.5625, 0.5625),
    "int4_wo": ("int4", "bf16", 0.53, 2.0),
    "w4a16_mxfp4": ("mxfp4", "bf16", 0.53, 2.0),
    "w4a8_mxfp4_mxfp8": ("mxfp4-fp8", "fp8", 0.53, 1.0),
    "int8_wo": ("int8-weight", "bf16", 1.0, 2.0),
    "sq": ("int8", "int8", 1.0, 1.0),
}
"""csv name → (curve name, format of the peak, bytes per weight, bytes per activation)."""


def read(path: Path) -> list[Row]:
    """Rows of one csv file; a row without a time is left out."""
    with path.open(newline="") as file:
        return [row for row in csv.DictReader(file) if float(row["seconds"]) > 0]


def law(latency: float, memory_s: float, compute_s: float) -> float:
    """Seconds of an operation from its latency and its two ideal times over their efficiencies."""
    return latency + (memory_s**POWER + compute_s**POWER) ** (1 / POWER)


def best_of_frameworks(rows: list[Row], keys: Sequence[str]) -> dict[tuple[str, ...], float]:
    """Fastest measured time per shape: floors of eager measurement in one framework do not count."""
    best: dict[tuple[str, ...], float] = {}
    for row in rows:
        key = tuple(row[k] for k in keys)
        best[key] = min(best.get(key, math.inf), float(row["seconds"]))
    return best


def fitted(
    device: Accelerator,
    points: Sequence[Any],
    predict: Callable[[Numbers], Callable[..., float]],
    start: Numbers,
    named: Callable[[Numbers], Mapping[str, object]],
    rounds: int | None = None,
) -> Curve:
    """The curve whose ``predict`` comes nearest to the last number of every point, from the others."""

    def errors(x: Numbers) -> list[float]:
        seconds = predict(x)
        return [math.log(seconds(*ideal) / measured) for *ideal, measured in points]

    more = () if rounds is None else (rounds,)
    x = minimise(lambda x: robust(errors(x)), start, *more)
    return identity(device) | dict(named(x)) | _outcome(errors(x))


def latency(x: float) -> float:
    """As a curve's file has it."""
    return float(f"{math.exp(x):.3g}")


def _outcome(errors: Numbers) -> Curve:
    """How well a fit reproduces its timings."""
    sizes = sorted(map(abs, errors))
    return {
        "error_median": round(statistics.median(sizes), 3),
        "error_p90": round(sizes[int(0.9 * (len(sizes) - 1))], 3),
        "samples": len(sizes),
    }


def peak(device: Accelerator, form: str) -> float:
    """Dense peak of a format, of its nearest stand-in where the database has none."""
    for name in {"fp4": ("fp4", "fp8", "bf16"), "fp8": ("fp8", "bf16"), "int8": ("int8", "fp8", "bf16")}.get(
        form, (form, "fp16")
    ):
        if device.peak_flop_s.get(name):
            return device.peak_flop_s[name] * (2 if (form, name) == ("int8", "bf16") else 1)
    raise SystemExit(f"{device.id}: no peak for {form}")


def identity(device: Accelerator) -> Curve:
    """What a curve is found and carried over by."""
    return {"accelerator": device.id, "family": family(device), "vendor": device.vendor}
