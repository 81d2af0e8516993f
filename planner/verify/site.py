"""What a log says of the overheads of this machine, as a row of its calibration."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from planner.engines.profile import EngineProfile
from planner.resolved import Resolved, SiteRow
from planner.units import MIB
from planner.verify.result import Part

_LEAST, _MOST = 0.2, 5.0
"""A measured part further from the profile than this is another cause than overhead, and is not kept."""
_MOST_BYTES = 64 * 1024 * MIB


def measured(resolved: Resolved, parts: tuple[Part, ...], source: str, now: datetime | None = None) -> SiteRow | None:
    """What a log says of the overheads against the built-in profile; None when it says nothing usable."""
    figures = {part.name: part for part in parts if part.device is None}
    activations = _ratio(figures.get("activations"))
    graphs = _ratio(figures.get("cuda_graphs"))
    beside = _difference(figures.get("non_torch"))
    if activations is None and beside is None:
        beside = _unsplit(figures)
    if activations is None and graphs is None and beside is None:
        return None
    row = resolved.cluster.device.accelerator
    return SiteRow(
        engine=resolved.engine.name,
        release=release_of(resolved.engine),
        accelerator=row.id if row else "cpu",
        ranks=ranks_of(resolved),
        date=(now or datetime.now(UTC)).date().isoformat(),
        source=source[:400],
        activations_ratio=activations or 1.0,
        graphs_ratio=graphs or 1.0,
        non_torch_bytes=beside or 0.0,
    )


def release_of(engine: EngineProfile) -> tuple[int, ...]:
    """The release that overheads belong to: major and minor."""
    return (engine.release or ())[:2]


def ranks_of(resolved: Resolved) -> int:
    """Ranks of one replica."""
    return resolved.serving.tp * resolved.serving.pp * resolved.serving.attention_dp


def _ratio(part: Part | None) -> float | None:
    if part is None or part.actual is None or part.planned is None or part.planned.value <= 0:
        return None
    ratio = part.actual / part.planned.value
    return ratio if _LEAST <= ratio <= _MOST else None


def _difference(part: Part | None) -> float | None:
    if part is None or part.actual is None or part.planned is None:
        return None
    return part.actual - part.planned.value


def _unsplit(figures: Mapping[str, Part]) -> float | None:
    """Where a version prints only weights and pool: what the pool misses beyond what the weights explain."""
    pool, weights = _difference(figures.get("kv_cache")), _difference(figures.get("weights"))
    if pool is None:
        return None
    beside = -pool - (weights or 0.0)
    return beside if abs(beside) <= _MOST_BYTES else None
