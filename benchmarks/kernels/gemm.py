"""Plain matrix products (m × k)·(k × n)."""

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


def fit_gemm(rows: list[Row], devices: dict[str, Accelerator]) -> list[Curve]:
    """A curve per device and format."""
    times = best_of_frameworks(rows, ("accelerator", "gemm_dtype", "m", "n", "k"))
    groups: dict[tuple[str, str], list[tuple[float, float, float]]] = defaultdict(list)
    for (name, dtype, *shape), seconds in times.items():
        device = devices[name]
        form, peak_form, weight, activation = FORMATS[dtype]
        m, n, k = map(int, shape)
        moved = n * k * weight + m * k * activation + 2.0 * m * n
        ideal = moved / (device.bandwidth_bytes_s or 1), 2.0 * m * n * k / peak(device, peak_form)
        if seconds > max(ideal):
            groups[name, form].append((*ideal, seconds))
    start = (math.log(5e-6), 1.5, 1.0)
    return [
        fitted(devices[name], points, _seconds, start, lambda x, form=form: _named(form, x))
        for (name, form), points in sorted(groups.items())
    ]


def _seconds(x: Numbers) -> Callable[[float, float], float]:
    wait, memory, compute = math.exp(x[0]), share(x[1]), share(x[2])
    return lambda moved, flop: law(wait, moved / memory, flop / compute)


def _named(form: str, x: Numbers) -> Curve:
    return {
        "format": form,
        "latency_s": latency(x[0]),
        "memory": round(share(x[1]), 3),
        "compute": round(share(x[2]), 3),
    }
