"""Which models a plan looks at: those that were named, or the most prominent of the catalogue that could fit."""

from __future__ import annotations

import math
from collections.abc import Iterator

from planner.documents.result import Finding
from planner.errors import UnknownArchitecture
from planner.library import Library
from planner.models.catalogue_row import CatalogueModel
from planner.models.intake import open_model
from planner.models.prominence import capacity
from planner.models.quality import level_of
from planner.models.source import ModelSource
from planner.plan_question import Question
from planner.search.groups import Group
from planner.search.ledger import Ledger
from planner.units import human_bytes

TUNED = frozenset({"chat", "reasoning", "code"})
SPECIAL = frozenset({"embedding", "reranker", "base", "guard", "ocr", "translation"})
_USUAL_HOST_BYTES_S = 4e10
"""Two channels of DDR4: only orders models where no bandwidth is reported."""


def opened(name: str, library: Library, ledger: Ledger) -> ModelSource | None:
    """A model by name or path; one whose config is not understood is a rejection.

    Raises BadInput for a name or path that leads nowhere.
    """
    try:
        return open_model(name, library)
    except UnknownArchitecture as error:
        ledger.consider()
        ledger.reject(Finding("unknown-architecture", str(error), "give a config.json whose keys are known"), name)
        return None


def catalogue_models(question: Question, groups: tuple[Group, ...], library: Library, ledger: Ledger) -> Iterator[str]:
    """Ids of chat models whose smallest allowed format could fit, the most promising first."""
    room = [(group, *room_of(group, library)) for group in groups]
    promising: list[tuple[float, CatalogueModel]] = []
    for row in library.catalogue.models():
        if not TUNED & set(row.uses) or SPECIAL & set(row.uses):
            continue
        need = _least_bytes(row, question)
        fits = [(bandwidth, memory) for _, memory, bandwidth in room if need <= memory]
        if not fits:
            ledger.consider()
            ledger.reject(_too_large(row, need, max((m for _, m, _ in room), default=0.0)), row.id)
            continue
        promising.append((_promise(row, need, max(b for b, _ in fits), question), row))
    for _, row in sorted(promising, key=lambda pair: (-pair[0], pair[1].id)):
        yield row.id


def room_of(group: Group, library: Library) -> tuple[float, float]:
    """Memory that a plan may use and bandwidth, of all devices together."""
    if group.is_cpu:
        bandwidth = group.host.memory_bandwidth_bytes_s or _USUAL_HOST_BYTES_S
        return group.free_bytes or 0.0, bandwidth
    row = library.database.accelerator(group.accelerator)
    each = group.free_bytes or row.memory_bytes or group.host.ram_bytes or 0.0
    bandwidth = row.bandwidth_bytes_s or _USUAL_HOST_BYTES_S
    return each * group.num_devices * 0.97, bandwidth * group.num_devices


def _least_bytes(row: CatalogueModel, question: Question) -> float:
    """Bytes of the smallest format at or above the floor; the own format of a checkpoint is always allowed."""
    policy, floor = question.task.policy, question.task.quality_floor
    if row.parameters_total is None:
        return math.inf
    known = [c.bytes for c in row.checkpoints if c.bytes]
    levels = [level_of(floor) or "bf16"] if row.gguf_repos else []
    levels += [level for c in row.checkpoints if (level := level_of(c.weights))]
    allowed = max(policy.bytes_per_parameter(level_of(floor) or "bf16"), 0.0)
    sizes = [max(policy.bytes_per_parameter(level), allowed) * row.parameters_total for level in levels]
    return float(min([*sizes, *known], default=2.0 * row.parameters_total)) * 0.97


def _promise(row: CatalogueModel, need: float, bandwidth: float, question: Question) -> float:
    """An upper bound of a model's worth: its prominence, less what the time to read its active weights costs."""
    total = row.parameters_total or 1
    tpot_s = need * (row.parameters_active or total) / total / bandwidth
    level = question.task.workload.service_level
    limit = (level.tpot_s if level else None) or question.task.policy.slowest_tpot_s
    slow = max(math.log2(tpot_s / limit), 0.0) if tpot_s > 0 else 0.0
    return question.task.policy.scale.model * worth(row, question) - question.task.policy.scale.slow * slow


def worth(row: CatalogueModel, question: Question) -> float:
    """What people think of a model and what its size adds, in points."""
    size = max(capacity(row.parameters_total, row.parameters_active), 1e-3)
    return row.prominence + question.task.policy.scale.capacity * math.log2(size)


def _too_large(row: CatalogueModel, need: float, room: float) -> Finding:
    if not math.isfinite(need):
        return Finding("model-size-unknown", "nobody published how large it is", "name it to plan it all the same")
    message = f"its smallest allowed format, {human_bytes(need)}, exceeds all memory together, {human_bytes(room)}"
    return Finding("model-too-large", message, "a lower quality floor, a smaller model or more devices")
