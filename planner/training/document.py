"""The search's answer as a plan document: proposals predicted in full, reasons, rejections, ways to full training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from planner.documents.deployment import Deployment
from planner.documents.encode import to_plain
from planner.documents.files import plain_deployment
from planner.documents.result import (
    EstimateDocument,
    Finding,
    FinetuneResult,
    PlanDocument,
    PlannedDeployment,
    Rejection,
    Verdict,
)
from planner.memory.finetune_verdict import HEAVY
from planner.predict import predict
from planner.search.groups import Group
from planner.search.pareto import Point, pareto
from planner.training.grid import methods, per_method
from planner.training.possible import full_fine_tuning
from planner.units import human_bytes, human_count

if TYPE_CHECKING:
    from planner.training.search import Search, TrainingCandidate

STARTS: tuple[Verdict, ...] = ("fits", "tight", "unknown")
QUALITY = {"full": 3.0, "dora": 2.0, "lora": 1.9, "qlora": 1.0}
"""Only orders what is otherwise equal: what a method can learn."""


def document_of(search: Search, groups: Sequence[Group]) -> PlanDocument:
    """Proposals in order, rejections by count."""
    order = sorted(search.found, key=lambda c: _key(c, search.request.goal))
    chosen = selected(order, search.request.limit)
    proposals = _proposals(search, chosen)
    extra = tuple(_impossible(search, groups))
    return PlanDocument(
        verdict=_verdict(proposals, search),
        request=_request(search),
        inventory=to_plain(search.request.inventory),
        candidates=proposals,
        rejected=search.ledger.rejections(extra),
        considered=search.ledger.considered,
        assumed=dict(search.assumed),
    )


def _key(candidate: TrainingCandidate, goal: str) -> tuple[float, ...]:
    """What is ranked by, smallest first."""
    result, choice = candidate.result, candidate.choice
    time, memory, gpus = candidate.seconds_per_token, result.allocated.value, float(choice.gpus)
    quality = -QUALITY.get(choice.method, 0.0)
    unproved = float(_needs_unknown_host(candidate))
    orders = {
        "time": (time, gpus, memory),
        "memory": (memory * gpus, memory, time),
        "fewest-gpus": (gpus, time, memory),
    }
    return (unproved, *orders[goal], quality)


def _needs_unknown_host(candidate: TrainingCandidate) -> bool:
    """It rests on host memory, and nobody said how much there is: behind what surely fits."""
    ram = candidate.result.host_ram
    return candidate.resolved.cluster.host.ram_bytes is None and ram is not None and bool(set(ram.terms) & HEAVY)


def selected(order: Sequence[TrainingCandidate], limit: int) -> list[TrainingCandidate]:
    """The best of each kind: no two that differ in details, not more than a few of one method."""
    kinds: set[tuple[object, ...]] = set()
    counts: dict[str, int] = {}
    kept: list[TrainingCandidate] = []
    for candidate in order:
        choice = candidate.choice
        kind = (choice.method, choice.gpus, choice.precision, choice.offload, choice.grid.trainer)
        if kind in kinds or counts.get(choice.method, 0) >= per_method():
            continue
        kinds.add(kind)
        counts[choice.method] = counts.get(choice.method, 0) + 1
        kept.append(candidate)
    return _cut(kept, limit)


def _cut(kept: list[TrainingCandidate], limit: int) -> list[TrainingCandidate]:
    """The first of each method stay, then as many as there is room for, in their order."""
    firsts = {c.choice.method: i for i, c in reversed(list(enumerate(kept)))}
    wanted = sorted(firsts.values())[:limit]
    rest = [i for i in range(len(kept)) if i not in wanted]
    return [kept[i] for i in sorted([*wanted, *rest[: max(0, limit - len(wanted))]])]


def deployment_of(candidate: TrainingCandidate) -> Deployment:
    """The document of a job; a QLoRA base is named as it is loaded."""
    base = candidate.resolved.deployment
    weights = "bnb-nf4" if candidate.choice.method == "qlora" else base.model.weights
    model = replace(base.model, weights=weights)
    return replace(base, model=model, finetune=candidate.resolved.finetune)


def _proposals(search: Search, chosen: Sequence[TrainingCandidate]) -> tuple[PlannedDeployment, ...]:
    kept: list[tuple[TrainingCandidate, Deployment, EstimateDocument]] = []
    for candidate in chosen:
        deployment = deployment_of(candidate)
        estimate = predict(deployment, search.library)
        if estimate.verdict in STARTS:
            kept.append((candidate, deployment, estimate))
        else:
            problem = next((p for p in estimate.problems if p.severity == "error"), Finding(estimate.verdict, ""))
            search.ledger.reject(problem, candidate.title)
    flags = pareto([_point(candidate, estimate) for candidate, _, estimate in kept])
    return tuple(
        PlannedDeployment(
            rank=rank,
            deployment=plain_deployment(deployment),
            estimate=estimate,
            reasons=tuple(_reasons(candidate, estimate, rank, kept[0][2])),
            pareto=flag,
            gpus_used=candidate.choice.gpus,
        )
        for rank, ((candidate, deployment, estimate), flag) in enumerate(zip(kept, flags, strict=True), 1)
    )


def _point(candidate: TrainingCandidate, estimate: EstimateDocument) -> Point:
    result = estimate.finetune
    speed = result.tok_s.value if result and result.tok_s else None
    peak = result.allocated.value if result else None
    quality = QUALITY.get(candidate.choice.method, 0.0)
    return (speed, -float(candidate.choice.gpus), quality, None if peak is None else -peak)


def _reasons(
    candidate: TrainingCandidate, estimate: EstimateDocument, rank: int, first: EstimateDocument
) -> Iterator[str]:
    result = estimate.finetune
    if result is None:
        return
    yield from _time_reasons(result, rank, first.finetune)
    table = candidate.resolved.finetune
    capacity = candidate.resolved.cluster.device.memory_bytes
    yield f"a step peaks at {human_bytes(result.allocated.value)} of {human_bytes(capacity)} per GPU ({result.moment})"
    if result.max_seq_len:
        yield f"sequences of up to {result.max_seq_len:,} tokens fit at this micro-batch"
    if result.max_micro_batch and table is not None:
        yield f"micro-batches of up to {result.max_micro_batch} fit at {table.seq_len:,} tokens"
    yield _learns(candidate, result)
    if result.host_ram and (candidate.choice.offload != "none" or "experts" in result.host_ram.terms):
        yield f"{human_bytes(result.host_ram.value)} of host memory per node hold what is not on the GPUs"


def _time_reasons(result: FinetuneResult, rank: int, first: FinetuneResult | None) -> Iterator[str]:
    if result.hours is not None:
        yield f"{hours_text(result.hours.value)} for the dataset, limited by {result.bound}"
    if rank > 1 and first and first.tok_s and result.tok_s:
        factor = first.tok_s.value / result.tok_s.value
        yield f"{factor:.1f} times the time of the first" if factor >= 1 else f"{1 / factor:.1f} times its speed"


def hours_text(hours: float) -> str:
    """A length of a run: minutes, hours or days."""
    if hours < 1:
        return f"{hours * 60:.0f} minutes"
    return f"{hours:.1f} h" if hours < HOURS_SHOWN else f"{hours / 24:.1f} days"


HOURS_SHOWN = 72


def _learns(candidate: TrainingCandidate, result: FinetuneResult) -> str:
    words = {
        "full": "every weight learns; checkpoints are whole models",
        "lora": "adapters learn over 16-bit weights",
        "dora": "adapters and magnitudes learn over 16-bit weights, slower than LoRA",
        "qlora": "adapters learn over a 4-bit base",
    }
    size = f" ({human_bytes(result.files.checkpoint)} per checkpoint)" if result.files else ""
    return words.get(candidate.choice.method, candidate.choice.method) + size


def _whole(candidate: TrainingCandidate) -> bool:
    """Full fine-tuning on the devices alone."""
    return candidate.choice.method == "full" and candidate.choice.offload == "none"


def _impossible(search: Search, groups: Sequence[Group]) -> Iterator[Rejection]:
    """Full fine-tuning was asked for (or everything was) and nothing of it fits on the devices alone."""
    from planner.training.search import base_of

    asked = search.request.methods or methods()
    if "full" not in asked or not groups or any(_whole(c) for c in search.found):
        return
    base = base_of(search, groups[0], groups[0].num_devices)
    if base is None or base.finetune is None:
        return
    table = replace(base.finetune, seq_len=search.job.seq_len, objective=search.job.objective)
    yield full_fine_tuning(base, table, search.library, tried=1)


def _verdict(proposals: Sequence[PlannedDeployment], search: Search) -> Verdict:
    for verdict in STARTS:
        if any(proposal.estimate.verdict == verdict for proposal in proposals):
            return verdict
    rules = {rejection.rule for rejection in search.ledger.rejections()}
    if rules & {"does-not-fit", "host-memory", "no-accelerator"}:
        return "does-not-fit"
    return "illegal" if rules else "unknown"


def _request(search: Search) -> dict[str, Any]:
    request, job = search.request, search.job
    return {
        "kind": "finetune",
        "models": [request.model],
        "goal": request.goal,
        "methods": list(request.methods or methods()),
        "trainer": request.trainer,
        "finetune": {
            "objective": job.objective,
            "seq_len": job.seq_len,
            "tokens": job.tokens,
            "epochs": job.epochs,
            "global_batch": job.global_batch,
        },
        "limit": request.limit,
    }


def headline(document: PlanDocument) -> str:
    """The question in a line."""
    job = document.request["finetune"]
    tokens = human_count(job["tokens"])
    return (
        f"{document.request['models'][0]}: {job['objective']} on {tokens} tokens × {job['epochs']:g} epochs, "
        f"{job['seq_len']:,} tokens a sample, {job['global_batch']} samples a step"
    )
