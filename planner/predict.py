"""One deployment in, one estimate out: legality, memory, speed, cost, verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from planner.documents.deployment import Deployment
from planner.documents.result import (
    Cost,
    EstimateDocument,
    Finding,
    ModelFacts,
    Performance,
    ServingMemory,
    Verdict,
)
from planner.errors import UnknownArchitecture, UnknownFact
from planner.legality import check
from planner.models.architecture import Architecture, Quantization
from planner.models.formats import model_bytes
from planner.models.intake import open_model
from planner.models.parameters import count_parameters
from planner.models.source import ModelSource
from planner.performance.promises import promise_findings
from planner.resolve import resolve
from planner.resolved import Resolved, prefill_side

if TYPE_CHECKING:
    from planner.library import Library


def predict(deployment: Deployment, library: Library) -> EstimateDocument:
    """The estimate of a deployment.

    "Illegal", "does not fit" and "unknown" are verdicts. Raises BadInput for names that do not exist.
    """
    try:
        source = open_model(deployment.model, library)
    except UnknownArchitecture as error:
        finding = Finding("unknown-architecture", str(error), "give a config.json whose keys are known")
        return EstimateDocument("unknown", id=deployment.id, problems=(finding,))
    resolved = resolve(deployment, library, source)
    facts = model_facts(resolved.architecture, resolved.quantization)
    if deployment.hardware is None:
        finding = Finding("no-hardware", "the document names no hardware", "add [hardware] accelerator, per_node")
        return EstimateDocument("unknown", id=deployment.id, model=facts, problems=(finding,))
    answer = predict_resolved(resolved, library, facts, whole=True)
    return replace(answer, problems=(*answer.problems, *_file_findings(source))) if source.problems else answer


def _file_findings(source: ModelSource) -> tuple[Finding, ...]:
    """What is wrong with the files on disk; it is to be mended before the engine is started."""
    fix = "complete the download before the engine is started"
    return tuple(
        Finding("model-files", problem, fix if source.incomplete else "", "warning") for problem in source.problems
    )


def model_facts(architecture: Architecture, quantization: Quantization) -> ModelFacts:
    """Parameter counts and checkpoint bytes."""
    return ModelFacts(count_parameters(architecture), model_bytes(architecture, quantization))


def predict_resolved(
    resolved: Resolved, library: Library, facts: ModelFacts | None = None, *, whole: bool = False
) -> EstimateDocument:
    """The same for a deployment that is resolved already; a ``whole`` answer also has the host's side of memory, the
    start and the longest context, which a search does without."""
    facts = facts or model_facts(resolved.architecture, resolved.quantization)
    problems = check(resolved, library.support)
    if resolved.finetune is not None:
        return _predict_training(resolved, library, facts, problems)
    return _predict_serving(resolved, library, facts, problems, whole=whole)


def _predict_serving(
    resolved: Resolved, library: Library, facts: ModelFacts, problems: tuple[Finding, ...], *, whole: bool
) -> EstimateDocument:
    memory = memory_of(resolved)
    verdict, findings = verdict_of(resolved, memory)
    side = _prefill_workers(resolved, library)
    if side is not None:
        verdict, findings = worse(verdict, side.verdict), (*findings, *side.findings)
    performance, unknown = performance_of(resolved, memory, library)
    promises = promise_findings(resolved, performance) if performance is not None else ()
    problems = (*problems, *findings, *unknown, *promises)
    return EstimateDocument(
        verdict=overall_verdict(resolved, verdict, problems),
        id=resolved.deployment.id,
        model=facts,
        problems=problems,
        memory=completed_memory(resolved, memory) if whole else memory,
        performance=performance,
        cost=cost_of(resolved, performance, library),
        prefill_memory=side.memory if side else None,
        assumed=assumed_of(resolved),
    )


class _Side(NamedTuple):
    """Prefill workers of a disaggregated deployment: what they hold, and what speaks against them."""

    memory: ServingMemory
    verdict: Verdict
    findings: tuple[Finding, ...]


def _prefill_workers(resolved: Resolved, library: Library) -> _Side | None:
    side = prefill_side(resolved)
    if side is None or resolved.engine.local:
        return None
    memory = memory_of(side)
    verdict, findings = verdict_of(side, memory)
    own = {(f.rule, f.message) for f in check(resolved, library.support)}
    broken = [f for f in check(side, library.support) if (f.rule, f.message) not in own]
    return _Side(memory, verdict, tuple(_of_prefill(f) for f in (*broken, *findings)))


def _of_prefill(finding: Finding) -> Finding:
    """A finding about prefill workers; a change of a key that they do not have is left to the reader."""
    change = {}
    for key, value in finding.change.items():
        table, _, name = key.rpartition(".")
        if table == "serving" and name in PREFILL_KEYS:
            change[f"serving.disaggregation.prefill.{PREFILL_KEYS[name]}"] = value
    return replace(finding, message=f"prefill workers: {finding.message}", change=change)


_SAME = ("tp", "attention_dp", "pp", "ep", "max_num_batched_tokens")
PREFILL_KEYS = {"dp": "replicas"} | {name: name for name in _SAME}
"""Key of ``[serving]`` → that of ``serving.disaggregation.prefill``."""
_ORDER: tuple[Verdict, ...] = ("fits", "tight", "unknown", "does-not-fit", "illegal")


def worse(one: Verdict, other: Verdict) -> Verdict:
    """Of two parts of a deployment, what both together are."""
    return max(one, other, key=_ORDER.index)


def assumed_of(resolved: Resolved) -> dict[str, Any]:
    """The defaults that were taken, and whether overheads were measured on this machine."""
    assumed = dict(resolved.assumed)
    if resolved.engine.local:
        from planner.memory.gguf_buffers import laid

        assumed.update(laid(resolved).resolved.assumed)
    if resolved.site:
        from planner.memory.site import site_row

        if row := site_row(resolved):
            assumed["calibration"] = f"overheads measured here on {row.date} (verify --forget removes them)"
    return assumed


def memory_of(resolved: Resolved) -> ServingMemory:
    """Memory by the engine's own convention."""
    if resolved.engine.local:
        from planner.memory.gguf import gguf_memory

        return gguf_memory(resolved)
    from planner.memory.serving import serving_memory

    return serving_memory(resolved)


def completed_memory(resolved: Resolved, memory: ServingMemory) -> ServingMemory:
    """The same with the host's side, the start and the longest context."""
    from planner.memory.complete import completed

    return completed(resolved, memory)


def verdict_of(resolved: Resolved, memory: ServingMemory) -> tuple[Verdict, tuple[Finding, ...]]:
    """Fits, tight or does not fit, with the computed nearest changes."""
    if resolved.engine.local:
        from planner.memory.gguf_verdict import local_verdict

        return local_verdict(resolved, memory)
    from planner.memory.verdict import serving_verdict

    return serving_verdict(resolved, memory)


def performance_of(
    resolved: Resolved, memory: ServingMemory, library: Library
) -> tuple[Performance | None, tuple[Finding, ...]]:
    """Speed, or the fact that is missing for it as a warning."""
    try:
        if resolved.engine.local:
            from planner.performance.local import local_performance

            return local_performance(resolved, memory, library.local_curves), ()
        from planner.performance.serving import serving_performance

        return serving_performance(resolved, memory, library.curves), ()
    except UnknownFact as missing:
        return None, (Finding("unknown-fact", str(missing), severity="warning"),)


def cost_of(resolved: Resolved, performance: Performance | None, library: Library) -> Cost | None:
    """Power and money, where speed and power are known."""
    if performance is None:
        return None
    from planner.cost.power import power_and_cost

    return power_and_cost(resolved, performance, library.prices)


def overall_verdict(resolved: Resolved, verdict: Verdict, problems: tuple[Finding, ...]) -> Verdict:
    """Illegal beats everything; an unnamed device makes any fit unknown."""
    legality = [p for p in problems if p.severity == "error" and p.rule not in MEMORY_RULES]
    if legality:
        return "illegal"
    return verdict


MEMORY_RULES = frozenset({"does-not-fit", "unknown-fact"})


def _predict_training(
    resolved: Resolved, library: Library, facts: ModelFacts, problems: tuple[Finding, ...]
) -> EstimateDocument:
    from planner.predict_training import training_outcome

    return training_outcome(resolved, library, facts, problems)
