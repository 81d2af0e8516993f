"""Whether the fitted constants of activation peaks hold for models they were not fitted on.

``python -m benchmarks.held_out_memory``: for every model of the start-up logs the coefficient of the sampler (bytes per
row of logits and vocabulary entry, per era of releases) is fitted on all *other* models; the pool of the left-out
model is then predicted with it. What a log holds beside weights and pool is activations and non-torch:
rest = share · total − weights − pool, all as printed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from benchmarks.truth import Case, cases, deployment
from planner.engines.version import parse_version
from planner.library import Library
from planner.memory.activations import ActivationRules, activation_peak, activation_rules
from planner.memory.budget import capacity_bytes
from planner.memory.layout import layout_of
from planner.memory.overheads import non_torch, overhead_rules
from planner.resolve import resolve
from planner.resolved import Resolved
from planner.units import GIB

_ERA = (0, 17)
"""The release whose sampler no longer sorts whole rows."""
_GRID = [5.0 + 0.1 * i for i in range(500)]


@dataclass(frozen=True)
class Log:
    """One printed start."""

    model: str
    new: bool
    resolved: Resolved
    rest: float
    pool: float

    def predicted(self, sampler: float | None = None) -> float:
        """Activations and non-torch with the profile's coefficient or another."""
        known = self.resolved
        rules: ActivationRules = activation_rules(known.engine, known.architecture, known.quantization)
        if sampler is not None:
            rules = replace(rules, sampler_bytes=sampler)
        layout = layout_of(known.serving, known.architecture.num_layers)
        ranks = layout.tp * layout.pp * layout.attention_dp
        held = non_torch(overhead_rules(known.engine), ranks, known.cluster)
        return sum(activation_peak(known.architecture, known.serving, rules, layout).values()) + held


def logs(library: Library) -> list[Log]:
    """Starts of vLLM releases on CUDA that printed weights and pool and whose graphs lie outside the budget."""
    return [log for case in cases("serving_memory") if (log := _log(case, library)) is not None]


def _log(case: Case, library: Library) -> Log | None:
    printed, engine = case.measured, case.deployment.get("engine") or {}
    release = parse_version(engine.get("version")).release
    wanted = engine.get("name") == "vllm" and release is not None and (0, 8) <= release[:2] < (0, 20)
    if not wanted or not printed.get("weights_gib") or not printed.get("kv_cache_gib"):
        return None
    known = resolve(deployment(case), library)
    if known.engine.backend != "cuda":
        return None
    budget = capacity_bytes(known) * known.serving.gpu_memory_utilization
    pool = printed["kv_cache_gib"] * GIB
    rest = budget - printed["weights_gib"] * GIB - pool
    return Log(case.deployment["model"]["id"], (release or ())[:2] >= _ERA, known, rest, pool)


def fitted(known: Sequence[Log]) -> float:
    """The coefficient with the least median error of the rest."""
    return min(_GRID, key=lambda s: median(abs(log.predicted(s) - log.rest) for log in known))


def held_out(found: Sequence[Log]) -> Iterable[tuple[str, bool, float, float, float]]:
    """(model, newer era, coefficient from the others, pool error with it, pool error of the profile)."""
    for new in (False, True):
        era = [log for log in found if log.new is new]
        for model in sorted({log.model for log in era}):
            own = [log for log in era if log.model == model]
            sampler = fitted([log for log in era if log.model != model])
            yield model, new, sampler, _error(own, sampler), _error(own, None)


def _error(own: Sequence[Log], sampler: float | None) -> float:
    return median(abs(log.predicted(sampler) - log.rest) / log.pool for log in own)


def main() -> None:
    """Prints one line a model and the errors over all."""
    rows = list(held_out(logs(Library())))
    for model, new, sampler, left_out, profile in rows:
        era = ">=0.17" if new else "<0.17"
        print(f"{model:50s} {era:7s} {sampler:5.1f} B  held out {left_out:6.2%}  profile {profile:6.2%}")
    for name, index in (("held out", 3), ("profile", 4)):
        errors = sorted(float(row[index]) for row in rows)
        print(f"pool, {name}: median {median(errors):.2%}, p90 {errors[int(0.9 * len(errors))]:.2%} of {len(rows)}")


if __name__ == "__main__":
    main()
