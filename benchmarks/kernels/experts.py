"""Grouped products of the routed experts, gate and up and down together."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable

from benchmarks.kernels.timings import (
    FORMATS,
    Curve,
    Numbers,
    Row,
    best_of_frameworks,
    fitted,
    latency,
    law,
    peak,
)
from benchmarks.minimise import share
from hwdb.schema import Accelerator

FEWEST = 12
"""Timings that a curve of one engine takes."""
_ROUNDS = 700


def fit_moe(rows: list[Row], devices: dict[str, Accelerator]) -> list[Curve]:
    """``tile``: rows that each touched expert is padded by.

    Experts touched: E·(1 − (1 − k/E)^tokens), spread evenly over the ranks of expert parallelism. Routing is skewed as
    measured models route (a power law). Each engine brings kernels of its own; a curve without an engine is that of
    the fastest at each shape.
    """
    rows = [r for r in rows if r["distribution"] == "power_law_1.01" and r["moe_ep_size"] == "1"]
    own = [row | {"engine": row["framework"].split()[0]} for row in rows]
    groups = _groups([row | {"engine": ""} for row in rows] + own, devices)
    start = (math.log(2e-5), 1.0, 0.0, 3.0)
    curves = [
        fitted(devices[name], points, _seconds, start, lambda x, f=form, e=engine: _named(f, e, x), _ROUNDS)
        for (name, form, engine), points in sorted(groups.items())
        if not engine or len(points) >= FEWEST
    ]
    return [curve for curve in curves if not surpassed(curve, curves)]


def _groups(
    rows: list[Row], devices: dict[str, Accelerator]
) -> dict[tuple[str, str, str], list[tuple[float, float, float, float]]]:
    """(device, format, engine) → seconds to read, to compute rows, to compute one row of each expert; measured."""
    keys = ("hidden_size", "inter_size", "topk", "num_experts", "moe_tp_size", "num_tokens")
    groups: dict[tuple[str, str, str], list[tuple[float, float, float, float]]] = defaultdict(list)
    times = best_of_frameworks(rows, ("accelerator", "moe_dtype", "engine", *keys))
    for (name, dtype, engine, *shape), seconds in times.items():
        form, peak_form, weight, _ = FORMATS[dtype]
        hidden, inter, topk, experts, split, tokens = map(int, shape)
        device = devices[name]
        one = 3.0 * hidden * inter / split
        touched = experts * (1 - (1 - topk / experts) ** tokens)
        memory = touched * one * weight / (device.bandwidth_bytes_s or 1)
        row_s = 2 * one / peak(device, peak_form)
        if seconds > 0.8 * max(memory, row_s * tokens * topk):
            groups[name, form, engine].append((memory, row_s * tokens * topk, row_s * touched, seconds))
    return groups


def _seconds(x: Numbers) -> Callable[[float, float, float], float]:
    wait, memory, compute, tile = math.exp(x[0]), share(x[1]), share(x[2]), math.exp(x[3])
    return lambda read, rows, padded: law(wait, read / memory, (rows + padded * tile) / compute)


def _named(form: str, engine: str, x: Numbers) -> Curve:
    return ({"engine": engine} if engine else {}) | {
        "format": form,
        "latency_s": latency(x[0]),
        "memory": round(share(x[1]), 3),
        "compute": round(share(x[2]), 3),
        "tile_rows": round(math.exp(x[3]), 1),
    }


def surpassed(curve: Curve, curves: list[Curve]) -> bool:
    """Per-tensor FP8 experts that were timed with an untuned kernel: block-scaled ones of the same chip beat them."""
    if curve["format"] != "fp8":
        return False
    same = ("accelerator", "engine")
    rivals = [c for c in curves if c["format"] == "fp8-block" and all(c.get(k) == curve.get(k) for k in same)]
    return any(float(str(c["compute"])) > 1.5 * float(str(curve["compute"])) for c in rivals)
