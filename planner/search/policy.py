"""What the search prefers where nobody asked for something else: data from ``policy.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from planner.documents.request import Goal

UNKNOWN_LEVEL_COST = 24.0
"""Points, for a format whose precision level is not known."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How much a doubling of each figure counts within one model."""

    throughput: float
    speed: float
    start: float
    context: float
    users: float
    gpus: float


@dataclass(frozen=True, slots=True)
class Scale:
    """What models, broken promises and waiting count against a doubling of a figure."""

    model: float
    capacity: float
    slow: float
    miss: float
    queue: float
    tight: float
    spill: float


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """Engines worth proposing on some chip classes, the usual choice first."""

    chips: tuple[str, ...]
    names: tuple[str, ...]
    fallback: tuple[str, ...] = ()
    """Looked at only where none of the others runs the model."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """What an engine's own tool makes of published weights before they are served."""

    tool: str
    weights: tuple[str, ...]
    sources: tuple[str, ...]
    """Formats that it starts from, besides 16 bit."""


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """The choices of the search."""

    quality_floor: str
    max_model_len: int
    comfortable_context: int
    free_margin: float
    highest_utilization: float
    slowest_tpot_s: float
    slowest_ttft_s: float
    host_reserve: float
    catalogue_models: int
    proposals_per_model: int
    ladder_points: float
    concurrency: Mapping[str, int]
    level_cost: Mapping[str, float]
    engines: tuple[EngineChoice, ...]
    on_the_fly: Mapping[str, tuple[str, ...]]
    """Engine → formats that it makes of 16-bit weights while loading."""
    converted: Mapping[str, Conversion]
    level_bytes: Mapping[str, float]
    """Precision level → bytes per parameter of the smallest file."""
    gguf_mixes: tuple[str, ...]
    gguf_ladder: tuple[str, ...]
    """Of the mixes, where many models are compared."""
    gguf_float4: tuple[str, ...]
    goals: Mapping[str, Weights]
    scale: Scale

    def engines_of(self, chip: str) -> EngineChoice:
        """Engines worth proposing on a chip class."""
        match = (row for row in self.engines if any(fnmatchcase(chip, pattern) for pattern in row.chips))
        return next(match, EngineChoice((), ()))

    def bytes_per_parameter(self, level: str) -> float:
        return self.level_bytes.get(level, self.level_bytes["bf16"])

    def weights(self, goal: Goal) -> Weights:
        return self.goals[goal]

    def cost_of(self, level: str | None) -> float:
        """What a precision level costs when models compete, in points."""
        return self.level_cost.get(level, UNKNOWN_LEVEL_COST) if level else UNKNOWN_LEVEL_COST


def policy_of(document: Mapping[str, Any]) -> Policy:
    """The policy from its parsed file."""
    plain = {key: document[key] for key in Policy.__dataclass_fields__ if key in document and key not in _MADE}
    return Policy(
        **plain,
        engines=tuple(
            EngineChoice(tuple(row["chips"]), tuple(row["names"]), tuple(row.get("fallback", ())))
            for row in document["engines"]
        ),
        on_the_fly={name: tuple(formats) for name, formats in document["on_the_fly"].items()},
        converted={
            name: Conversion(row["tool"], tuple(row["weights"]), tuple(row["sources"]))
            for name, row in document["converted"].items()
        },
        gguf_mixes=tuple(document["gguf"]["mixes"]),
        gguf_ladder=tuple(document["gguf"]["ladder"]),
        gguf_float4=tuple(document["gguf"]["float4"]),
        scale=Scale(**document["scale"]),
        goals={name: Weights(**row) for name, row in document["goals"].items()},
    )


_MADE = frozenset({"engines", "goals", "on_the_fly", "converted", "scale"})
