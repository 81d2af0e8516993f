"""The configurations that the search tries, from ``training/search.toml``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from planner.data import read_toml
from planner.documents.deployment import ParallelTable
from planner.memory.finetune_state import ON_DEVICE_ONLY
from planner.models.architecture import Architecture
from planner.search.groups import Group

_FILE = "training/search.toml"


@dataclass(frozen=True, slots=True)
class Grid:
    """What is tried with one trainer."""

    trainer: str
    objectives: tuple[str, ...]
    shardings: tuple[str, ...]
    checkpointing: tuple[bool | str, ...]
    offloads: tuple[str, ...]
    full_precisions: tuple[str, ...]
    full_optimizers: tuple[str, ...]
    adapter_optimizers: tuple[str, ...]
    tp: tuple[int, ...] = (1,)
    pp: tuple[int, ...] = (1,)
    ep: tuple[int, ...] = (1,)
    when: Mapping[str, Any] = field(default_factory=dict)

    def applies(self, group: Group, vendor: str, architecture: Architecture, named: str | None) -> bool:
        """Whether this trainer is worth a try on these devices; naming it is enough but for what it cannot do."""
        if self.when.get("moe") and not architecture.has_experts:
            return False
        if named is not None:
            return named == self.trainer
        if self.when.get("named") or vendor not in self.when.get("vendors", (vendor,)):
            return False
        return group.num_devices >= int(self.when.get("least_gpus", 1))

    def takes(self, gpus: int, named: str | None) -> bool:
        """Whether it runs on this many devices."""
        return gpus <= int(self.when.get("most_gpus", gpus)) and (
            named is not None or gpus >= int(self.when.get("least_gpus", 1))
        )


@cache
def grids() -> tuple[Grid, ...]:
    """All of them, in the order of the file."""
    rows = {row["name"]: row for row in read_toml(_FILE)["trainer"]}
    return tuple(_grid({**rows.get(row.get("like", ""), {}), **row}) for row in rows.values())


def _grid(row: Mapping[str, Any]) -> Grid:
    lists = {key: tuple(value) for key, value in row.items() if isinstance(value, list)}
    return Grid(trainer=row["name"], when=row.get("when", {}), **lists)


@cache
def methods() -> tuple[str, ...]:
    """Methods that are tried, the usual ones first."""
    return tuple(read_toml(_FILE)["methods"])


def usual() -> Mapping[str, Any]:
    """Fields of ``[finetune]`` that every candidate gets."""
    found: Mapping[str, Any] = read_toml(_FILE)["usual"]
    return found


def per_method() -> int:
    """Proposals of one method at most."""
    return int(read_toml(_FILE)["per_method"])


def instead() -> tuple[str, ...]:
    """Cards that are proposed where nothing fits on those at hand."""
    return tuple(read_toml(_FILE)["instead"])


@dataclass(frozen=True, slots=True)
class Choice:
    """One configuration; the micro-batch follows from the memory."""

    grid: Grid
    method: str
    gpus: int
    sharding: str
    checkpointing: bool | str
    offload: str
    precision: str
    optimizer: str
    parallel: tuple[int, int, int] = (1, 1, 1)
    """tp, pp, ep."""

    def table(self) -> dict[str, Any]:
        """Its fields of ``[finetune]``."""
        tp, pp, ep = self.parallel
        layout = {"parallel": ParallelTable(tp=tp, pp=pp, ep=ep)} if max(self.parallel) > 1 else {}
        return {
            "method": self.method,
            "trainer": self.grid.trainer,
            "sharding": self.sharding,
            "gradient_checkpointing": self.checkpointing,
            "offload": self.offload,
            "precision": self.precision,
            "optimizer": self.optimizer,
            **layout,
        }


def choices(grid: Grid, method: str, gpus: int, architecture: Architecture) -> Iterator[tuple[Choice, ...]]:
    """Configurations of a method on this many devices; each tuple differs in the offload alone."""
    full = method == "full"
    for sharding in _shardings(grid, gpus, full):
        for mode in grid.checkpointing:
            for precision in _precisions(grid, sharding) if full else ("bf16",):
                for optimizer in grid.full_optimizers if full else grid.adapter_optimizers:
                    for layout in _layouts(grid, gpus, architecture):
                        yield tuple(
                            Choice(grid, method, gpus, sharding, mode, offload, precision, optimizer, layout)
                            for offload in _offloads(grid, sharding, full, gpus)
                            if offload == "none" or optimizer not in ON_DEVICE_ONLY
                        )


def _shardings(grid: Grid, gpus: int, full: bool) -> Iterator[str]:
    """On several devices something is sharded; on one only to stream a whole model from host memory."""
    for sharding in grid.shardings:
        alone = sharding == "none" or (full and sharding == "fsdp")
        if (alone if gpus == 1 else sharding != "none") or grid.shardings == (sharding,):
            yield sharding


def _precisions(grid: Grid, sharding: str) -> tuple[str, ...]:
    """DeepSpeed keeps an fp32 master in any case: pure bf16 would be the same job once more."""
    mixed = tuple(p for p in grid.full_precisions if p.endswith("-mixed"))
    return mixed if sharding.startswith("zero") and mixed else grid.full_precisions


def _offloads(grid: Grid, sharding: str, full: bool, gpus: int) -> tuple[str, ...]:
    """States of adapters are too small to move; only sharding engines stream parameters."""
    streams = sharding in ("zero3", "fsdp")
    if streams and gpus == 1:
        return tuple(o for o in grid.offloads if o == "optimizer+params")
    useful = {"none"} | ({"optimizer"} if full else set()) | ({"optimizer+params"} if streams else set())
    return tuple(o for o in grid.offloads if o in useful)


def _layouts(grid: Grid, gpus: int, architecture: Architecture) -> Iterator[tuple[int, int, int]]:
    experts = architecture.has_experts
    for tp in grid.tp:
        for pp in grid.pp:
            for ep in grid.ep if experts else (1,):
                if gpus % (tp * pp) == 0 and ep <= gpus // pp:
                    yield tp, pp, ep
