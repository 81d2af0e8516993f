"""Distillation: a teacher writes the samples (a serving plan), a student learns them (a training plan); one plan.

DeepSeek-R1's distilled models learned 800,000 samples of R1 for two to three epochs (arXiv:2501.12948).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from planner.documents.deployment import WorkloadTable
from planner.documents.request import PlanRequest
from planner.documents.result import PlanDocument, PlannedStage, Verdict
from planner.errors import BadInput
from planner.estimate import Estimate
from planner.training.request import FinetuneRequest
from planner.training.search import plan_finetune
from planner.units import MEGA, SECONDS_PER_HOUR

if TYPE_CHECKING:
    from planner.library import Library

GENERATION, TRAINING = "generation", "training"
STAGES = 2


@dataclass(frozen=True, slots=True)
class Distillation:
    """What the teacher is asked for."""

    teacher: str
    samples: int = 800_000
    """That the student learns from."""
    prompt_tokens: int = 200
    answer_tokens: int = 5000
    keep: float = 1.0
    """Share of the teacher's answers that survive checking."""

    @property
    def tokens(self) -> float:
        """Of one epoch of the student."""
        return float(self.samples * (self.prompt_tokens + self.answer_tokens))


def plan_distillation(asked: Distillation, student: FinetuneRequest, library: Library) -> PlanDocument:
    """The student's plan with both stages, on the same hardware one after the other.

    Raises BadInput for models that do not exist and for numbers that make no dataset.
    """
    if asked.samples < 1 or not 0 < asked.keep <= 1:
        raise BadInput("distillation", "no samples are left to learn from", "give --samples and a --keep above 0")
    teacher = _teacher_plan(asked, student, library)
    learned = plan_finetune(replace(student, tokens=student.tokens or asked.tokens), library)
    stages = [*_generation(asked, teacher), *_training(learned)]
    return replace(
        learned,
        verdict=_both(teacher.verdict, learned.verdict) if stages else learned.verdict,
        request={**learned.request, "kind": "distillation", "teacher": _asked(asked)},
        stages=tuple(stages),
        rejected=(*learned.rejected, *((r for r in teacher.rejected) if not teacher.candidates else ())),
    )


def _teacher_plan(asked: Distillation, student: FinetuneRequest, library: Library) -> PlanDocument:
    """The best offline deployment of the teacher: as many answers at once as fit."""
    from planner.plan import plan

    load = WorkloadTable(isl=float(asked.prompt_tokens), osl=float(asked.answer_tokens), saturated=True)
    request = PlanRequest(student.inventory, (asked.teacher,), load, goal="throughput", limit=1)
    return plan(request, library)


def _generation(asked: Distillation, teacher: PlanDocument) -> list[PlannedStage]:
    if not teacher.candidates:
        return []
    best = teacher.candidates[0]
    speed = best.estimate.performance
    if speed is None or speed.output_tok_s is None or speed.output_tok_s.value <= 0:
        return []
    written = asked.samples / asked.keep * asked.answer_tokens
    hours = speed.output_tok_s.inverse(written / SECONDS_PER_HOUR)
    cost, millions = best.estimate.cost, written / MEGA
    return [
        PlannedStage(
            name=GENERATION,
            about=f"{asked.teacher} writes {asked.samples / asked.keep:,.0f} answers of {asked.answer_tokens:,} tokens",
            deployment=best.deployment,
            hours=hours,
            gpu_hours=hours.scaled(best.gpus_used or 1),
            energy_wh=cost.wh_per_mtok.scaled(millions) if cost and cost.wh_per_mtok else None,
            money=cost.per_mtok.scaled(millions) if cost and cost.per_mtok else None,
            currency=cost.currency if cost else "USD",
        )
    ]


def _training(learned: PlanDocument) -> list[PlannedStage]:
    if not learned.candidates:
        return []
    best = learned.candidates[0]
    result = best.estimate.finetune
    if result is None:
        return []
    job = learned.request["finetune"]
    return [
        PlannedStage(
            name=TRAINING,
            about=f"{learned.request['models'][0]} learns {job['tokens']:,.0f} tokens for {job['epochs']:g} epochs",
            deployment=best.deployment,
            hours=result.hours,
            gpu_hours=result.gpu_hours,
            energy_wh=result.energy_wh,
            money=result.money,
            currency=result.currency,
        )
    ]


def _both(teacher: Verdict, student: Verdict) -> Verdict:
    """The worse of the two."""
    order: tuple[Verdict, ...] = ("fits", "tight", "unknown", "does-not-fit", "illegal")
    return max(teacher, student, key=order.index)


def _asked(asked: Distillation) -> dict[str, Any]:
    return {
        "model": asked.teacher,
        "samples": asked.samples,
        "prompt_tokens": asked.prompt_tokens,
        "answer_tokens": asked.answer_tokens,
        "keep": asked.keep,
    }


def totals(document: PlanDocument) -> dict[str, Estimate]:
    """Hours, GPU hours, energy and money of all stages together, where every stage knows them in one currency."""
    found: dict[str, Estimate] = {}
    if len(document.stages) < STAGES:
        return found
    for name in ("hours", "gpu_hours", "energy_wh", "money"):
        parts = {stage.name: getattr(stage, name) for stage in document.stages}
        if parts and all(part is not None for part in parts.values()):
            found[name] = _sum(parts)
    if len({stage.currency for stage in document.stages}) > 1:
        found.pop("money", None)
    return found


def _sum(parts: Mapping[str, Estimate]) -> Estimate:
    terms = {name: part.value for name, part in parts.items()}
    low, high = sum(p.low for p in parts.values()), sum(p.high for p in parts.values())
    return Estimate(low, sum(terms.values()), high, "assumed", terms)
