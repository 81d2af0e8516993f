"""A search for training jobs being made: the question made complete, and each job that fits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from planner.documents.deployment import Deployment, FinetuneTable, ModelTable
from planner.documents.result import Finding, FinetuneResult
from planner.errors import UnknownArchitecture
from planner.library import Library
from planner.models.intake import open_model
from planner.resolve import resolve
from planner.resolved import Resolved
from planner.search.groups import Group, hardware_table
from planner.search.ledger import Ledger
from planner.training.grid import Choice
from planner.training.request import FinetuneRequest, TrainingPreset


@dataclass(frozen=True, slots=True)
class TrainingCandidate:
    """A job that fits."""

    choice: Choice
    group: Group
    resolved: Resolved
    result: FinetuneResult
    verdict: str

    @property
    def seconds_per_token(self) -> float:
        """None known: behind everything that is."""
        return 1 / self.result.tok_s.value if self.result.tok_s else 1e9

    @property
    def title(self) -> str:
        return title_of(self.choice)


@dataclass(slots=True)
class Search:
    """One search being made."""

    request: FinetuneRequest
    library: Library
    job: TrainingPreset
    """The request made complete."""
    assumed: dict[str, Any]
    ledger: Ledger = field(default_factory=Ledger)
    found: list[TrainingCandidate] = field(default_factory=list)


def base_of(search: Search, group: Group, gpus: int) -> Resolved | None:
    """The model on part of the group, resolved once for all configurations."""
    try:
        source = open_model(search.request.model, search.library)
    except UnknownArchitecture as error:
        search.ledger.consider()
        finding = Finding("unknown-architecture", str(error), "give a config.json whose keys are known")
        search.ledger.reject(finding, search.request.model)
        return None
    nodes, per_node = max(1, gpus // group.per_node), min(gpus, group.per_node)
    row = search.library.database.accelerator(group.accelerator)
    path = str(source.path) if source.path else None
    table = ModelTable(id=None if path else source.id, path=path, weights="bf16")
    document = Deployment(
        model=table,
        hardware=hardware_table(group, row.memory_bytes, nodes, per_node),
        finetune=FinetuneTable(),
    )
    return resolve(document, search.library, source)


def title_of(choice: Choice) -> str:
    """A configuration in a line."""
    tp, pp, ep = choice.parallel
    layout = "".join(f" {name}{ways}" for name, ways in (("TP", tp), ("PP", pp), ("EP", ep)) if ways > 1)
    offload = "" if choice.offload == "none" else f" offload {choice.offload}"
    mode = f"{choice.checkpointing} checkpoints"
    if isinstance(choice.checkpointing, bool):
        mode = "checkpoints" if choice.checkpointing else "no checkpoints"
    count = "1 GPU" if choice.gpus == 1 else f"{choice.gpus} GPUs {choice.sharding}"
    precision = f" {choice.precision} {choice.optimizer}" if choice.method == "full" else ""
    return f"{choice.method}{precision} · {choice.grid.trainer} · {count}{layout} · {mode}{offload}"
