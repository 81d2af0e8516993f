"""Collective operations by message size."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict

from benchmarks.kernels.timings import Curve, Row, identity
from hwdb.schema import Accelerator

CRIPPLED = 0.12
"""Below this share of its link a machine's collectives say more about its topology (no peer-to-peer) than the link."""
KNOTS = tuple(4**i * 1024 for i in range(10))
"""1 KiB … 256 MiB."""


def fit_collectives(rows: list[Row], devices: dict[str, Accelerator]) -> list[Curve]:
    """Seconds by message size (whole tensor), fastest way that a captured graph may take."""
    points: dict[tuple[str, str, int], dict[int, float]] = defaultdict(dict)
    for row in rows:
        if "eager" in row["how"] or row["dtype"] not in ("bfloat16", "half"):
            continue
        table = points[row["accelerator"], row["op_name"].replace("alltoall", "all_to_all"), int(row["num_gpus"])]
        size = int(row["message_bytes"])
        table[size] = min(table.get(size, math.inf), float(row["seconds"]))
    curves: list[Curve] = []
    crippled: set[str] = set()
    for (name, operation, group), table in sorted(points.items()):
        device = devices[name]
        link = device.link_bytes_s or device.pcie_bytes_s or 0.0
        seconds = monotone([interpolate(table, size) for size in KNOTS])
        if operation == "all_reduce" and KNOTS[-1] / seconds[-1] < CRIPPLED * link:
            crippled.add(name)
        curves.append(
            identity(device)
            | {
                "operation": operation,
                "group": group,
                "switched": bool(device.link_bytes_s),
                "link_bytes_s": link,
                "seconds": [float(f"{s:.3g}") for s in seconds],
                "samples": len(table),
            }
        )
    return [curve for curve in curves if curve["accelerator"] not in crippled]


def interpolate(table: dict[int, float], size: int) -> float:
    """Log-log between the two nearest sizes; the ends are held."""
    sizes = sorted(table)
    if size <= sizes[0]:
        return table[sizes[0]]
    for low, high in itertools.pairwise(sizes):
        if size <= high:
            part = math.log(size / low) / math.log(high / low)
            return table[low] * (table[high] / table[low]) ** part
    return table[sizes[-1]] * size / sizes[-1]


def monotone(values: list[float]) -> list[float]:
    """Never falling with the size: each value at most the next."""
    for i in range(len(values) - 2, -1, -1):
        values[i] = min(values[i], values[i + 1])
    return values
