"""Collective operations by message size, group and link.

Inside a node from measured curves; a link without its own curve takes the nearest one's with the message scaled by
the ratio of the links (latencies stay), and is never slower than a slower link that takes another curve. Across nodes
the inter-node share runs over the fabric.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise

from planner.performance.curves import CollectiveCurve, Curves
from planner.resolved import Cluster

FABRIC_SHARE = 0.8
"""Share of a fabric's rate that messages reach (48.7 of 50 GB/s on NDR with NCCL at large sizes, less below)."""
_DEFAULT_LINK_BYTES_S = 3.15e10
"""PCIe 4.0 x16, one direction: what a card without a known link is taken to have."""


Timer = Callable[[float], float]
"""Bytes of a message → seconds."""


class Network:
    """Times of collectives on one cluster."""

    def __init__(self, cluster: Cluster, curves: Curves) -> None:
        self._curves = curves
        self._cluster = cluster
        link = cluster.link
        device = cluster.device.accelerator
        self._link_bytes_s = link.bytes_s if link else _DEFAULT_LINK_BYTES_S
        self._switched = bool(link and (link.switched or not link.id.startswith("pcie")))
        self._accelerator = device.id if device else ""
        self.known = link is not None or cluster.per_node == 1

    def seconds(self, operation: str, size_bytes: float, devices: int) -> float:
        """Seconds of ``all_reduce``, ``all_gather``, ``reduce_scatter`` or ``all_to_all`` of a whole tensor."""
        return self.timer(operation, devices)(size_bytes) if devices > 1 else 0.0

    def timer(self, operation: str, devices: int, times: float = 1.0) -> Timer:
        """The same as a function of a size, whose tensor is ``times`` as large; devices fill node after node."""
        per_node = min(devices, self._cluster.per_node)
        nodes = math.ceil(devices / per_node)
        latency, byte_s = self._across(operation, per_node, nodes)
        if per_node <= 1:
            return lambda size: latency + byte_s * times * size if size > 0 else 0.0
        curves = _nearest(self._curves, operation, per_node, self._link_bytes_s, self._switched, self._accelerator)
        ring = times * _ring_factor(operation, per_node)
        scaled = [(ring / _ring_factor(operation, c.group) * c.link_bytes_s / at, c.seconds) for c, at in curves]
        knots = self._curves.knots_bytes
        scale, seconds = scaled[0]
        if len(scaled) == 1:
            return lambda size: (
                _interpolate(knots, seconds, scale * size) + latency + byte_s * times * size if size > 0 else 0.0
            )
        return lambda size: (
            min(_interpolate(knots, seconds, scale * size) for scale, seconds in scaled)
            + latency
            + byte_s * times * size
            if size > 0
            else 0.0
        )

    def pipeline(self, stages: int, ranks: int) -> Timer:
        """Sends between the stages of a pipeline; a stage that fills a node hands over through the fabric."""
        fabric = self._cluster.fabric
        per_node = max(self._cluster.per_node // max(ranks, 1), 1)
        crossing = min(math.ceil(stages / per_node) - 1, stages - 1)
        latency, byte_s = 1e-5 * (stages - 1), (stages - 1 - crossing) / (self._link_bytes_s * FABRIC_SHARE)
        if crossing:
            rate, hop = (fabric.bytes_s, fabric.latency_s) if fabric else (_DEFAULT_LINK_BYTES_S / 2, 2e-5)
            latency, byte_s = latency + crossing * hop, byte_s + crossing / (rate * FABRIC_SHARE)
        return lambda size: latency + byte_s * size

    def _across(self, operation: str, per_node: int, nodes: int) -> tuple[float, float]:
        """(latency, seconds per byte) of the share that crosses nodes."""
        if nodes <= 1:
            return 0.0, 0.0
        fabric = self._cluster.fabric
        rate = fabric.bytes_s if fabric else _DEFAULT_LINK_BYTES_S / 2
        latency = fabric.latency_s if fabric else 2e-5
        return 2 * (nodes - 1) * latency, _ring_factor(operation, nodes) / (per_node * rate * FABRIC_SHARE)


def _ring_factor(operation: str, devices: int) -> float:
    """How often the tensor crosses a device's link in a ring."""
    once = (devices - 1) / devices
    return 2 * once if operation == "all_reduce" else once


@lru_cache(maxsize=1024)
def _nearest(
    curves: Curves, operation: str, devices: int, link_bytes_s: float, switched: bool, accelerator: str
) -> tuple[tuple[CollectiveCurve, float], ...]:
    """The curve of the chip or of the nearest link, and those of slower links at the fastest that still takes them."""

    def distance(row: tuple[str, bool, CollectiveCurve]) -> tuple[bool, float]:
        return row[1] != switched, abs(math.log2(row[2].group / devices))

    known = curves.collectives[operation]
    least = min(map(distance, known))
    found = sorted((row for row in known if distance(row) == least), key=lambda row: (row[2].link_bytes_s, row[0]))
    if own := [curve for name, _, curve in found if name == accelerator]:
        return ((own[0], link_bytes_s),)
    steps = list({curve.link_bytes_s: curve for _, _, curve in reversed(found)}.values())[::-1]
    ends = [math.sqrt(slow.link_bytes_s * fast.link_bytes_s) for slow, fast in pairwise(steps)]
    here = bisect_left(ends, link_bytes_s)
    return ((steps[here], link_bytes_s), *zip(steps[:here], ends[:here], strict=True))


def _interpolate(knots: tuple[float, ...], seconds: tuple[float, ...], size: float) -> float:
    """Log-log between knots; constant below the first, proportional above the last."""
    if size <= knots[0]:
        return seconds[0]
    if size >= knots[-1]:
        return seconds[-1] * size / knots[-1]
    i = min(int(math.log(size / knots[0]) / _STEP), len(knots) - 2)
    part = math.log(size / knots[i]) / _STEP
    return float(seconds[i] * (seconds[i + 1] / seconds[i]) ** part)


_STEP = math.log(4)
"""Knots are powers of four apart."""
