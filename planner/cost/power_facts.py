"""How much devices and what stands around them draw, from ``power.toml``: shares of board power by phase and load."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from planner.estimate import Estimate


@dataclass(frozen=True, slots=True)
class DecodeCurve:
    """Share of board power in decode over the requests of a step, straight between points in log2 of the batch."""

    points: tuple[tuple[float, Estimate], ...]
    """Batch, ascending, and share."""
    source: str

    def at(self, batch: float | None) -> Estimate:
        """The share at a batch; where none is known, from the least to the most of all points."""
        if batch is None:
            shares = [share for _, share in self.points]
            middle = shares[len(shares) // 2]
            return Estimate(min(s.low for s in shares), middle.value, max(s.high for s in shares), middle.origin)
        right = bisect_right(self.points, batch, key=itemgetter(0))
        if right in (0, len(self.points)):
            return self.points[max(right - 1, 0)][1]
        (x0, first), (x1, second) = self.points[right - 1], self.points[right]
        part = math.log2(batch / x0) / math.log2(x1 / x0)
        return Estimate(
            first.low * (1 - part) + second.low * part,
            first.value * (1 - part) + second.value * part,
            first.high * (1 - part) + second.high * part,
            first.origin,
        )


@dataclass(frozen=True, slots=True, eq=False)
class PowerFacts:
    """Shares of board power by phase, the host around it, the building around that."""

    idle: Estimate
    """As shares of board power."""
    prefill: Estimate
    host_base_w: float
    host_per_device_w: float
    integrated_host_w: float
    """Beside a device that is the whole computer: disk, ports, regulators."""
    pue: Estimate
    ownership_months: float
    decode: Mapping[str, DecodeCurve]
    """Memory type → share of board power in decode; "" for a type that nobody wrote down."""
    fans_share: float = 0.0
    """Of what devices and host draw."""
    network_per_device_w: float = 0.0
    """Ports, optics and switches; only where several nodes work together."""
    supply_efficiency: float = 1.0
    """Of the servers' power supplies."""
    sources: Mapping[str, str] = field(default_factory=dict)

    def decode_share(self, memory_type: str | None, batch: float | None) -> Estimate:
        """Share of board power in decode."""
        return self.decode.get(memory_type or "", self.decode[""]).at(batch)


def load_power(table: Mapping[str, Any]) -> PowerFacts:
    """From the parsed ``power.toml``."""
    device, host, facility, network = table["device"], table["host"], table["facility"], table["network"]
    curves = {kind: _curve(row) for row in table["decode"] for kind in row["memory"]}
    return PowerFacts(
        idle=Estimate(device["idle_share"] * 0.6, device["idle_share"], device["idle_share"] * 1.5, "assumed"),
        prefill=Estimate(device["prefill_share"] * 0.85, device["prefill_share"], 1.0, "assumed"),
        host_base_w=host["base_w"],
        host_per_device_w=host["per_device_w"],
        integrated_host_w=host["integrated_w"],
        pue=Estimate(facility["pue_low"], facility["pue"], facility["pue_high"], "assumed"),
        ownership_months=table["ownership"]["months"],
        decode=curves,
        fans_share=host["fans_share"],
        network_per_device_w=network["per_device_w"],
        supply_efficiency=table["supply"]["efficiency"],
        sources={
            "idle": device["idle_source"],
            "prefill": device["prefill_source"],
            "host": host["source"],
            "network": network["source"],
            "supply": table["supply"]["source"],
            "facility": facility["source"],
        }
        | {f"decode {kind}": curve.source for kind, curve in curves.items()},
    )


def _curve(row: Mapping[str, Any]) -> DecodeCurve:
    points = tuple((float(p["batch"]), Estimate(p["low"], p["value"], p["high"], row["origin"])) for p in row["points"])
    return DecodeCurve(points, row["source"])
