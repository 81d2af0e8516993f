"""Collective operations by message size, group and link.

Inside a node from measured curves; a link without its own curve takes the nearest one's with the message scaled by
the ratio of the links (latencies stay). Across nodes the inter-node share runs over the fabric.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from planner.performance.curves import CollectiveCurve, Curves
from planner.resolved import Cluster

FABRIC_SHARE = 0.8
"""Share of a fabric's rate that messages reach (48.7 of 50 GB/s on NDR with NCCL at large sizes, less below)."""
_DEFAULT_LINK_BYTES_S = 3.15e10
"""PCIe 4.0 x16, one direction: what a card without a known link is taken to have."""


@dataclass(frozen=True, slots=True)
class Group:
    """Devices that exchange: ``size`` of them, ``per_node`` in each node."""

    size: int
    per_node: int
    nodes: int


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

    def group(self, size: int) -> Group:
        """A group laid out densely: nodes are filled before the next one is used."""
        per_node = min(size, self._cluster.per_node)
        return Group(size, per_node, math.ceil(size / per_node))

    def seconds(self, operation: str, size_bytes: float, devices: int) -> float:
        """Seconds of ``all_reduce``, ``all_gather``, ``reduce_scatter`` or ``all_to_all`` of a whole tensor."""
        if devices <= 1 or size_bytes <= 0:
            return 0.0
        group = self.group(devices)
        inside = self._inside(operation, size_bytes, group.per_node) if group.per_node > 1 else 0.0
        return inside + self._across(operation, size_bytes, group)

    def send(self, size_bytes: float, *, across: bool = False) -> float:
        """Point to point, as pipeline stages do."""
        fabric = self._cluster.fabric
        if across and fabric is not None:
            return fabric.latency_s + size_bytes / (fabric.bytes_s * FABRIC_SHARE)
        return 1e-5 + size_bytes / (self._link_bytes_s * FABRIC_SHARE)

    def _inside(self, operation: str, size_bytes: float, devices: int) -> float:
        curve = _nearest(self._curves, operation, devices, self._link_bytes_s, self._switched, self._accelerator)
        scaled = size_bytes * curve.link_bytes_s / self._link_bytes_s
        rate = _ring_factor(operation, devices) / _ring_factor(operation, curve.group)
        return _interpolate(self._curves.knots_bytes, curve.seconds, scaled * rate)

    def _across(self, operation: str, size_bytes: float, group: Group) -> float:
        if group.nodes <= 1:
            return 0.0
        fabric = self._cluster.fabric
        rate = fabric.bytes_s if fabric else _DEFAULT_LINK_BYTES_S / 2
        latency = fabric.latency_s if fabric else 2e-5
        share = size_bytes / group.per_node * _ring_factor(operation, group.nodes)
        return 2 * (group.nodes - 1) * latency + share / (rate * FABRIC_SHARE)


def _ring_factor(operation: str, devices: int) -> float:
    """How often the tensor crosses a device's link in a ring."""
    once = (devices - 1) / devices
    return 2 * once if operation == "all_reduce" else once


@lru_cache(maxsize=1024)
def _nearest(
    curves: Curves, operation: str, devices: int, link_bytes_s: float, switched: bool, accelerator: str
) -> CollectiveCurve:
    def distance(row: tuple[str, bool, CollectiveCurve]) -> tuple[float, float, float, str]:
        name, direct, curve = row
        return (
            float(direct != switched),
            abs(math.log2(curve.group / devices)),
            0.0 if name == accelerator else 1.0 + abs(math.log(curve.link_bytes_s / link_bytes_s)),
            name,
        )

    return min(curves.collectives[operation], key=distance)[2]


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
