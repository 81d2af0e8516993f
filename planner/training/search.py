"""From hardware, a model and a dataset to ranked training jobs, and everything that was ruled out with its reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from planner.documents.deployment import FinetuneTable
from planner.documents.result import Finding, FinetuneResult, PlanDocument
from planner.engines.trainer import trainer_profile
from planner.errors import BadInput, UnknownFact
from planner.legality.training import check_training
from planner.legality.training_base import OLDEST_BF16
from planner.library import Library
from planner.memory.finetune import training_memory
from planner.memory.finetune_verdict import training_verdict
from planner.performance.finetune import training_performance
from planner.resolved import Resolved
from planner.search.groups import Group, groups_of
from planner.training.batch import small_batch, with_batch
from planner.training.candidate import Search, TrainingCandidate, base_of, title_of
from planner.training.document import document_of
from planner.training.grid import Choice, Grid, choices, grids, methods, usual
from planner.training.request import FinetuneRequest, TrainingPreset, training_preset

Progress = Callable[[int, int, str], None]
Cancelled = Callable[[], bool]
MAX_GROUPS = 4


def plan_finetune(
    request: FinetuneRequest,
    library: Library,
    *,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> PlanDocument:
    """Ranked training jobs. A cancelled search returns what it has so far.

    Raises BadInput for a model, method, trainer or preset that does not exist; everything else is a result.
    """
    _refuse_unknown(request)
    groups, set_apart = groups_of(request.inventory)
    search = Search(request, library, *_completed(request))
    for finding in set_apart:
        search.ledger.reject(finding, request.inventory.origin)
    usable = [group for group in groups if not group.is_cpu][:MAX_GROUPS]
    if not usable:
        message = "no accelerator: training on processors alone is not planned"
        search.ledger.consider()
        search.ledger.reject(Finding("no-accelerator", message, "name --hardware"), request.inventory.origin)
    for done, group in enumerate(usable):
        if progress is not None:
            progress(done, len(usable), group.title)
        if cancelled is not None and cancelled():
            break
        _search_group(search, group)
    return document_of(search, usable)


def _refuse_unknown(request: FinetuneRequest) -> None:
    for method in request.methods:
        if method not in methods():
            raise BadInput("method", f"unknown method {method[:60]!r}", f"one of {', '.join(methods())}")
    if request.trainer is not None and not any(grid.trainer == request.trainer for grid in grids()):
        known = ", ".join(grid.trainer for grid in grids())
        raise BadInput("trainer", f"the search knows no trainer {request.trainer[:60]!r}", f"one of {known}")


def _completed(request: FinetuneRequest) -> tuple[TrainingPreset, dict[str, Any]]:
    """The preset under what the request says, and what was taken from it."""
    preset, assumed, said = training_preset(request.preset), {}, {}
    for key in ("objective", "seq_len", "tokens", "epochs", "global_batch"):
        value = getattr(request, key)
        if value is None:
            assumed[f"finetune.{key}"] = getattr(preset, key)
        else:
            said[key] = value
    return replace(preset, **said), assumed


def _search_group(search: Search, group: Group) -> None:
    for gpus in device_counts(group):
        base = base_of(search, group, gpus)
        if base is None:
            return
        for grid in grids():
            if grid.applies(group, base.cluster.device.vendor, base.architecture, search.request.trainer):
                _search_grid(search, group, base, grid)


def device_counts(group: Group) -> list[int]:
    """All devices, and powers of two below, in whole nodes above one node; most first."""
    inside = {group.per_node} | {2**n for n in range(11) if 2**n <= group.per_node}
    nodes = {group.nodes} | {2**n for n in range(1, 14) if 2**n <= group.nodes}
    return sorted(inside | {n * group.per_node for n in nodes}, reverse=True)


def _search_grid(search: Search, group: Group, base: Resolved, grid: Grid) -> None:
    gpus = base.cluster.num_devices
    wanted = search.request.methods or methods()
    if not grid.takes(gpus, search.request.trainer):
        return
    if search.job.objective not in grid.objectives:
        message = f"{grid.trainer} does not train for {search.job.objective}"
        search.ledger.consider()
        search.ledger.reject(Finding("trainer-lacks-objective", message, "name another trainer"), grid.trainer)
        return
    for method in wanted:
        able = trainer_profile(grid.trainer).facts["methods"]
        if method not in able:
            _lacks_method(search, grid, method, able)
            continue
        for alternatives in choices(grid, method, gpus, base.architecture):
            _first_that_fits(search, group, base, alternatives)


def _lacks_method(search: Search, grid: Grid, method: str, able: Sequence[str]) -> None:
    """Said once for a trainer or method that was asked for; else other trainers do it."""
    if search.request.trainer is None and not search.request.methods:
        return
    message = f"{grid.trainer} has no method {method!r}; it has {', '.join(able)}"
    near = next((m for m in NEAREST[method] if m in able), able[0])
    fix = f"use --method {near}, or another --trainer"
    search.ledger.consider()
    finding = Finding("trainer-lacks-method", message, fix, change={"finetune.method": near})
    search.ledger.reject(finding, f"{method} · {grid.trainer}")


NEAREST = {"qlora": ("lora",), "lora": ("qlora",), "dora": ("lora", "qlora"), "full": ("lora", "qlora")}
"""Methods that come closest to one that is missing."""


def _first_that_fits(search: Search, group: Group, base: Resolved, alternatives: Sequence[Choice]) -> None:
    """Offloads cost time: each is tried only where the one before it does not fit."""
    for index, choice in enumerate(alternatives):
        search.ledger.consider()
        if _tried(search, group, base, choice):
            rest = len(alternatives) - index - 1
            if rest:
                finding = Finding("offload-not-needed", "fits without moving anything to the host", "")
                search.ledger.consider(rest)
                search.ledger.reject(finding, title_of(choice), rest)
            return


def _tried(search: Search, group: Group, base: Resolved, choice: Choice) -> bool:
    """Whether the configuration became a candidate; else it is counted under its reason."""
    resolved = _resolved(search, base, choice)
    broken = [f for f in check_training(resolved) if f.severity == "error"]
    if broken:
        search.ledger.reject(broken[0], title_of(choice))
        return False
    batched = with_batch(search, resolved)
    if batched is None:
        search.ledger.reject(small_batch(search, choice), title_of(choice))
        return False
    memory = training_memory(batched)
    verdict, findings = training_verdict(batched, memory)
    if verdict == "does-not-fit":
        closeness = -memory.allocated.value / max(batched.cluster.device.memory_bytes, 1.0)
        finding = next((f for f in findings if f.severity == "error"), findings[0])
        search.ledger.reject(finding, title_of(choice), closeness=closeness)
        return False
    search.found.append(TrainingCandidate(choice, group, batched, _timed(search, batched, memory), verdict))
    return True


def _timed(search: Search, resolved: Resolved, memory: FinetuneResult) -> FinetuneResult:
    try:
        return training_performance(resolved, memory, search.library.training_curves)
    except UnknownFact:
        return memory


def _resolved(search: Search, base: Resolved, choice: Choice) -> Resolved:
    job, request = search.job, search.request
    adapters = choice.method != "full"
    fields: dict[str, Any] = {**usual(), **choice.table()}
    fields["lora_rank"] = (request.lora_rank or fields["lora_rank"]) if adapters else None
    if adapters and request.lora_targets is not None:
        fields["lora_targets"] = request.lora_targets
    row = base.cluster.device.accelerator
    if row is not None and row.compute_capability and row.compute_capability < OLDEST_BF16:
        fields["precision"] = "fp16-mixed"
    table = FinetuneTable(
        objective=job.objective,
        seq_len=job.seq_len,
        tokens=job.tokens,
        epochs=job.epochs,
        **fields,
    )
    return replace(base, finetune=table, trainer=trainer_profile(choice.grid.trainer))
