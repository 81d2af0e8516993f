"""Which input flips the choice: the plan made again with one input changed, nearest change first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from planner.documents.request import PlanRequest
from planner.documents.result import Flip, PlanDocument, PlannedDeployment
from planner.plan import Cancelled, plan

if TYPE_CHECKING:
    from planner.library import Library

_FACTORS = (2.0, 4.0)
"""By which an input is multiplied and divided."""
_HALVINGS = 3
"""Of a factor's logarithm, to find where between two loads the choice flips."""
_INPUTS = ("concurrency", "request_rate", "isl", "osl")


def sensitivity(
    request: PlanRequest, document: PlanDocument, library: Library, *, cancelled: Cancelled | None = None
) -> tuple[Flip, ...]:
    """For each input of the load, up and down: the nearest value at which another proposal comes first."""
    if not document.candidates:
        return ()
    first = document.candidates[0]
    models = request.models or tuple(dict.fromkeys(_model(c) for c in document.candidates if _model(c)))
    question = replace(request, models=models, limit=1)
    load = document.request.get("workload") or {}
    found = []
    for name in _INPUTS:
        value = load.get(name)
        for up in (False, True):
            if value and not (cancelled is not None and cancelled()):
                found.append(_flip(name, float(value), up, _Asking(question, load, first, library)))
    return tuple(found)


class _Asking:
    """The question with one input replaced."""

    def __init__(self, request: PlanRequest, load: dict[str, Any], first: PlannedDeployment, library: Library) -> None:
        known = {name: load[name] for name in (*_INPUTS, "saturated") if load.get(name) is not None}
        self._request = replace(request, workload=replace(request.workload, **known))
        self._first, self._library = identity(first), library

    def other(self, name: str, value: float) -> str | None:
        """What comes first at this value, where it is something else."""
        workload = self._request.workload.model_copy(update={name: value})
        answer = plan(replace(self._request, workload=workload), self._library)
        now = identity(answer.candidates[0]) if answer.candidates else "nothing fits"
        return None if now == self._first else now


def _flip(name: str, value: float, up: bool, asking: _Asking) -> Flip:
    same = 1.0
    for factor in _FACTORS:
        other = asking.other(name, _at(name, value, factor, up))
        if other is None:
            same = factor
            continue
        for middle in _between(same, factor):
            found = asking.other(name, _at(name, value, middle, up))
            if found is not None:
                factor, other = middle, found  # noqa: PLW2901
                break
        return Flip(name, value, _at(name, value, factor, up), other)
    return Flip(name, value, _at(name, value, _FACTORS[-1], up), None)


def _between(low: float, high: float) -> Iterator[float]:
    """Factors in equal ratios, the nearest to the present value first."""
    for step in range(1, _HALVINGS + 1):
        yield low * (high / low) ** (step / (_HALVINGS + 1))


def _at(name: str, value: float, factor: float, up: bool) -> float:
    """Whole requests in flight and tokens, at least one."""
    found = value * factor if up else value / factor
    return found if name == "request_rate" else max(float(round(found)), 1.0)


def _model(proposal: PlannedDeployment) -> str:
    model = proposal.deployment["model"]
    return str(model.get("id") or model.get("path") or "")


def identity(proposal: PlannedDeployment) -> str:
    """What of a proposal makes it another choice: model, weights, engine, layout."""
    engine, serving = proposal.deployment.get("engine", {}), proposal.deployment.get("serving", {})
    layout = " ".join(f"{k}{serving[k]}" for k in ("tp", "attention_dp", "pp", "ep", "dp") if serving.get(k, 1) != 1)
    weights = proposal.deployment["model"].get("weights") or "as stored"
    return f"{_model(proposal)} · {weights} · {engine.get('name', '')} · {layout or 'one device'}"
