"""What a candidate is worth: the model first, then its figures by the weights of the goal."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from planner.memo import kept
from planner.models.architecture import Architecture
from planner.models.parameters import count_parameters
from planner.performance.promises import missed
from planner.search.candidate import Candidate
from planner.search.task import Task

_FLOOR = 1e-9
_UNKNOWN_SPEED = -30.0
"""Logarithm for a figure that nobody knows: behind everything that is known."""
_TIGHT_SHARE = 0.03
_TABLE_MARGIN = 0.03
"""Share of all weights beyond the input tables that is not called spilled yet."""


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """A candidate with its worth; ``parts`` sum to ``score``."""

    candidate: Candidate
    score: float
    parts: dict[str, float]


def ranked(candidates: Iterable[Candidate], task: Task) -> list[Scored]:
    """Best first. Same input, same order."""
    scored = [score(judged(candidate, task), task) for candidate in candidates]
    return sorted(scored, key=lambda s: (-round(s.score, 6), s.candidate.key))


def judged(candidate: Candidate, task: Task) -> Candidate:
    """The candidate with the promises that it does not keep, in words."""
    return replace(candidate, misses=tuple(missed(candidate.performance, task.workload.service_level)))


def score(candidate: Candidate, task: Task) -> Scored:
    """The sum of named parts. Logarithms base 2: a part of 1 is a doubling."""
    weights, workload, scale = task.policy.weights(task.goal), task.workload, task.policy.scale
    parts = {
        "model": scale.model * candidate.option.model_value,
        "throughput": weights.throughput * _rate(candidate.output_tok_s),
        "speed": weights.speed * _rate(candidate.tpot_s, inverse=True),
        "start": weights.start * _rate(candidate.ttft_s, inverse=True),
        "context": weights.context * _context(candidate, task),
        "users": weights.users * _log(max(candidate.users, _FLOOR), 1.0),
        "gpus": weights.gpus * _log(max(candidate.gpus, 1), 1.0),
        "queue": -scale.queue * _queue(candidate, workload.concurrency),
        "slow": -scale.slow * _slowness(candidate, task) if workload.service_level is None else 0.0,
        "tight": -scale.tight if _tight(candidate) else 0.0,
        "spill": -scale.spill if spilled(candidate) else 0.0,
        "missed": -(scale.miss + scale.slow * _shortfall(candidate, task)) if candidate.misses else 0.0,
    }
    return Scored(candidate, sum(parts.values()), parts)


def _slowness(candidate: Candidate, task: Task) -> float:
    """By how many doublings it is slower than people bear where nobody promised anything."""
    pairs = ((candidate.tpot_s, task.policy.slowest_tpot_s), (candidate.ttft_s, task.policy.slowest_ttft_s))
    return sum(max(_log(value, limit), 0.0) for value, limit in pairs if value)


def _context(candidate: Candidate, task: Task) -> float:
    """Halvings of the context that was aimed at; those above a comfortable one count a quarter."""
    limit = candidate.resolved.architecture.max_position
    wanted, enough = task.wanted_context(limit), task.enough_context(limit)
    return min(_log(candidate.context, enough), 0.0) + 0.25 * _log(max(min(candidate.context, wanted), enough), wanted)


def _shortfall(candidate: Candidate, task: Task) -> float:
    """By how many doublings the promises, and the rate of requests, are missed."""
    level, performance = task.workload.service_level, candidate.performance
    load = performance.utilisation if performance else None
    beyond = max(_log(load.value, 1.0), 0.0) if load else 0.0
    if level is None:
        return beyond
    pairs = ((candidate.level_ttft_s, level.ttft_s), (candidate.level_tpot_s, level.tpot_s))
    return beyond + sum(max(_log(value or 1e6, limit), 0.0) for value, limit in pairs if limit)


def _queue(candidate: Candidate, concurrency: float | None) -> float:
    """Users that must wait for memory to be freed, in halvings."""
    if not concurrency or candidate.users >= concurrency:
        return 0.0
    return _log(concurrency, max(candidate.users, _FLOOR))


def _tight(candidate: Candidate) -> bool:
    gpu = candidate.memory.per_gpu
    return gpu.capacity.value - gpu.total.value < _TIGHT_SHARE * gpu.capacity.value


def spilled(candidate: Candidate) -> float:
    """Bytes of weights in host memory although there are accelerators; input tables always lie there.

    A layer that is placed there has its cache there; experts alone are told from the tables by their size.
    """
    parts = candidate.memory.devices
    if candidate.option.group.is_cpu or len(parts) < 2:
        return 0.0
    host, whole = parts[-1].weights.value, sum(part.weights.value for part in parts)
    layers = parts[-1].kv_cache.value > 0 or (parts[-1].recurrent is not None and parts[-1].recurrent.value > 0)
    tables = (table_share(candidate.resolved.architecture) + _TABLE_MARGIN) * whole
    return host if layers or host > tables else 0.0


@kept
def table_share(architecture: Architecture) -> float:
    """Input tables as a share of all parameters, stored in up to twice the bits of the rest."""
    tables = sum(tensor.numel for tensor in architecture.embeddings)
    return min(2.0 * tables / max(count_parameters(architecture).total, 1), 1.0)


def _rate(value: float | None, *, inverse: bool = False) -> float:
    if value is None:
        return _UNKNOWN_SPEED
    return math.log2(max(1 / value if inverse else value, _FLOOR))


def _log(value: float, unit: float) -> float:
    return math.log2(max(value, _FLOOR) / max(unit, _FLOOR))
