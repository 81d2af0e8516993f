"""Overheads as measured on this machine, in place of the profile's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from planner.estimate import Estimate
from planner.resolved import Resolved, SiteRow
from planner.units import MIB

if TYPE_CHECKING:
    from planner.memory.budget import Parts

_SHARE = 0.05
_LEAST = 64.0 * MIB
"""Two runs of the same engine on the same card differ by less."""


def site_row(resolved: Resolved) -> SiteRow | None:
    """The row of this engine, release, card and number of ranks, if one was measured here."""
    if not resolved.site:
        return None
    serving, card = resolved.serving, resolved.cluster.device.accelerator
    ranks = serving.tp * serving.pp * serving.attention_dp
    wanted = (resolved.engine.name, (resolved.engine.release or ())[:2], card.id if card else "cpu", ranks)
    return next((r for r in resolved.site if (r.engine, r.release, r.accelerator, r.ranks) == wanted), None)


def as_measured(parts: Parts, resolved: Resolved) -> Parts:
    """The parts with what was measured here; unchanged where nothing was."""
    row = site_row(resolved)
    if row is None:
        return parts
    return replace(
        parts,
        activations=_scaled(parts.activations, row.activations_ratio),
        cuda_graphs=_scaled(parts.cuda_graphs, row.graphs_ratio),
        non_torch=_shifted(parts.non_torch, row.non_torch_bytes),
    )


def _scaled(planned: Estimate, ratio: float) -> Estimate:
    return planned if ratio == 1.0 else _around(planned.value * ratio, {**planned.terms, "measured_ratio": ratio})


def _shifted(planned: Estimate, difference: float) -> Estimate:
    if difference == 0.0:
        return planned
    return _around(max(0.0, planned.value + difference), {"profile": planned.value, "measured_here": difference})


def _around(value: float, terms: dict[str, float]) -> Estimate:
    room = _SHARE * value + _LEAST
    return Estimate(max(0.0, value - room), value, value + room, "measured", terms)
