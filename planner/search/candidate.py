"""One configuration of the search: what it is made of, what was predicted for it, what it is worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from planner.documents.result import Finding, Performance, ServingMemory
from planner.legality.shape import ModelShape
from planner.resolved import Resolved
from planner.search.groups import Group
from planner.search.layouts import Layout

Speed = Callable[[Resolved, ServingMemory], Performance | None]


@dataclass(frozen=True, slots=True)
class Tools:
    """The arithmetic, with its tables already at hand."""

    check: Callable[[Resolved], tuple[Finding, ...]]
    memory: Callable[[Resolved], ServingMemory]
    speed: Speed


@dataclass(frozen=True, slots=True, eq=False)
class Option:
    """A model in one weight format on one engine and one group of devices, before any layout."""

    base: Resolved
    shape: ModelShape
    group: Group
    weights: str | None
    """As in ``model.weights``; None: as the files are."""
    checkpoint: str | None
    model_bytes: float
    model_value: float
    """Prominence of the model less what the format costs; comparable between models."""
    level: str | None
    """Precision level of the weights."""
    native: bool
    """The format that the model was published in."""
    made: str = ""
    """How the weights come about where nobody publishes them, in words."""
    local: bool = False
    """An engine of the llama.cpp family, which places layers by itself."""
    rank: int = 0
    """Place of the engine in the policy's order of preference."""

    @property
    def title(self) -> str:
        profile = self.base.engine
        return f"{self.base.model_id} · {self.weights or 'as stored'} · {profile.name} {profile.version}"


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A configuration that fits, with its figures."""

    option: Option
    layout: Layout
    resolved: Resolved
    memory: ServingMemory
    performance: Performance | None
    gpus: int
    users: float
    """Requests of the workload's length that the memory holds at once, all replicas."""
    misses: tuple[str, ...] = ()
    """Promises of the service level, or the wanted context, that it does not keep."""

    @property
    def context(self) -> int:
        return self.resolved.serving.max_model_len

    @property
    def tpot_s(self) -> float | None:
        return self._figure("tpot_s")

    @property
    def ttft_s(self) -> float | None:
        return self._figure("ttft_s")

    @property
    def output_tok_s(self) -> float | None:
        return self._figure("output_tok_s")

    @property
    def level_ttft_s(self) -> float | None:
        """Held against a service level: at its percentile."""
        return self._figure("ttft_level_s") or self.ttft_s

    @property
    def level_tpot_s(self) -> float | None:
        """The same of the time per token."""
        return self._figure("tpot_level_s") or self.tpot_s

    def _figure(self, name: str) -> float | None:
        estimate = getattr(self.performance, name) if self.performance else None
        return estimate.value if estimate is not None and estimate.value > 0 else None

    @property
    def title(self) -> str:
        return f"{self.option.title} · {self.layout}"

    @property
    def key(self) -> tuple[str, int, str]:
        """Orders equals: the usual engine and the simpler layout first."""
        simplicity = f"{self.layout.pp:03}{self.layout.attention_dp:03}{self.layout.dp:04}{self.layout.ep:04}"
        return (self.option.base.model_id, self.option.rank, f"{simplicity} {self.title}")
