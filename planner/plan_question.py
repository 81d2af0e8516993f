"""The request made complete: load, context and floor, with every default remembered as assumed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from planner.data import read_toml
from planner.documents.deployment import WorkloadTable
from planner.documents.request import PlanRequest
from planner.models.quantization import known_format
from planner.presets import DEFAULT, preset
from planner.resolve import workload_of
from planner.search.groups import Group
from planner.search.policy import Policy, policy_of
from planner.search.task import Task


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, with nothing left open."""

    request: PlanRequest
    task: Task
    workload: WorkloadTable
    assumed: dict[str, Any] = field(default_factory=dict)


def load_policy() -> Policy:
    """The search's preferences from the package's data."""
    return policy_of(read_toml("search/policy.toml"))


def question_of(request: PlanRequest, groups: tuple[Group, ...], policy: Policy) -> Question:
    """The question for these groups of devices. Raises UnknownName for a format that there is not."""
    for name in request.weights:
        if name.partition(":")[0] != "gguf":
            known_format(name)
    assumed: dict[str, Any] = {}
    table = _workload(request, groups, policy, assumed)
    floor = request.quality_floor or policy.quality_floor
    if request.quality_floor is None:
        assumed["quality_floor"] = floor
    task = Task(workload_of(table), request.goal, policy, request.max_model_len, floor)
    if request.max_model_len is None:
        assumed["max_model_len"] = f"up to {policy.max_model_len}, as far as model and memory allow"
    return Question(request, task, table, assumed)


def _workload(
    request: PlanRequest, groups: tuple[Group, ...], policy: Policy, assumed: dict[str, Any]
) -> WorkloadTable:
    given, usual = request.workload, preset(DEFAULT).workload
    filled: dict[str, Any] = {}
    for key in ("isl", "osl"):
        if getattr(given, key) is None:
            filled[key] = assumed[f"workload.{key}"] = getattr(usual, key)
    if given.concurrency is None and given.request_rate is None and not given.saturated:
        if request.goal == "throughput":
            filled["saturated"] = assumed["workload.saturated"] = True
        else:
            filled["concurrency"] = assumed["workload.concurrency"] = _concurrency(groups, policy)
    return replace(given, **filled)


def _concurrency(groups: tuple[Group, ...], policy: Policy) -> float:
    """A usual load for the kind of machine."""
    table = policy.concurrency
    if not groups or groups[0].is_cpu:
        return float(table["cpu"])
    if groups[0].unified:
        return float(table["unified"] * groups[0].num_devices)
    return float(min(table["per_device"] * groups[0].num_devices, table["most"]))
