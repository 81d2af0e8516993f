"""The moments of a training step at which memory peaks, each as a sum of named parts.

loss    the forward pass is done: all kept activations and the logits stand
layers  the backward pass begins: kept activations, and the last layer recomputed and worked backwards
end     the backward pass ends: all gradients and the first layer at work
step    the optimizer: gradients and temporaries, no activations

Every part is linear in the tokens of the micro-batch, so the longest sequence that fits is a division.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from planner.memo import IdentityMemo
from planner.memory.finetune_fixed import Fixed, fixed_bytes
from planner.memory.finetune_job import Job
from planner.memory.finetune_tokens import TokenBytes, token_bytes


@dataclass(frozen=True, slots=True)
class Moment:
    """Parts in bytes: fixed ones, and ones per token of the micro-batch."""

    name: str
    fixed: Mapping[str, float]
    per_token: Mapping[str, float]

    @property
    def base(self) -> float:
        return sum(self.fixed.values())

    @property
    def slope(self) -> float:
        return sum(self.per_token.values())

    def total(self, tokens: float) -> float:
        """Bytes at this many tokens."""
        return self.base + tokens * self.slope

    def parts(self, tokens: float) -> dict[str, float]:
        """Named parts at this many tokens, empty ones left out."""
        found = dict(self.fixed)
        for name, each in self.per_token.items():
            found[name] = found.get(name, 0.0) + tokens * each
        return {name: value for name, value in found.items() if value > 0}


@dataclass(frozen=True, slots=True)
class Stage:
    """One rank of the pipeline with its moments."""

    last: bool
    fixed: Fixed
    tokens: TokenBytes
    moments: tuple[Moment, ...]

    def peak(self, tokens: float) -> Moment:
        """The moment that needs most."""
        return max(self.moments, key=lambda moment: moment.total(tokens))


def stages(job: Job) -> tuple[Stage, ...]:
    """The ranks that can be the fullest: the first holds most micro-batches in flight, the last the logits."""
    return _STAGES.get(job, job, None, lambda: _made(job))


_STAGES: IdentityMemo[tuple[Stage, ...]] = IdentityMemo(64)


def _made(job: Job) -> tuple[Stage, ...]:
    ends = (True,) if job.parallel.pp == 1 else (False, True)
    return tuple(_stage(job, last) for last in ends)


def _stage(job: Job, last: bool) -> Stage:
    fixed, tokens = fixed_bytes(job, last), token_bytes(job, last)
    standing = {
        "weights": fixed.weights,
        "adapters": fixed.adapters,
        "optimizer": fixed.optimizer,
        "reference": fixed.reference,
        "rollout": fixed.rollout,
    }
    kept = in_flight(job, last) * tokens.kept
    forward = _forward(job, standing, fixed, tokens, kept)
    return Stage(last, fixed, tokens, (*forward, *_backward(job, standing, fixed, tokens, kept - tokens.kept)))


def _forward(
    job: Job, standing: Mapping[str, float], fixed: Fixed, tokens: TokenBytes, kept: float
) -> tuple[Moment, Moment]:
    """At the loss, and where the backward pass enters the last layer."""
    held = {**standing, "gradients": fixed.held_gradients, "gathered": fixed.gathered, "merged": fixed.merged}
    logits = tokens.logits + tokens.kept_logits
    loss = Moment("loss", {**held, "casts": fixed.casts}, {"activations": kept, "logits": logits})
    casts = 0.0 if job.checkpointing in ("full", "offloaded") else fixed.casts
    working = {**held, "layer_gradients": fixed.layer_gradients, "casts": casts}
    at_work = {"activations": kept, "layer": tokens.layer, "logits": tokens.kept_logits}
    return loss, Moment("layers", working, at_work)


def _backward(
    job: Job, standing: Mapping[str, float], fixed: Fixed, tokens: TokenBytes, others: float
) -> tuple[Moment, Moment]:
    """At the end of the backward pass, and at the optimizer step; ``others``: of other micro-batches in flight."""
    ended = {
        **standing,
        "gradients": fixed.gradients,
        "gathered": fixed.gathered_end,
        "layer_gradients": fixed.layer_gradients,
        "buckets": fixed.buckets,
    }
    stepping = {
        **standing,
        "gradients": fixed.gradients,
        "temporaries": fixed.temporaries,
        "buckets": fixed.buckets if job.sharding == "ddp" else 0.0,
    }
    end = Moment("end", ended, {"activations": others, "layer": tokens.layer})
    return end, Moment("step", stepping, {})


def in_flight(job: Job, last: bool) -> float:
    """Micro-batches whose activations a stage holds, in whole stages (1F1B; interleaved: Narayanan et al. 2021)."""
    pp, vp = job.parallel.pp, job.parallel.vp
    if pp == 1:
        return 1.0
    rank = pp - 1 if last else 0
    count = float(pp - rank) if vp == 1 else ((vp - 1) * pp + 2 * (pp - rank - 1) + 1) / vp
    return max(1.0, min(count, float(job.accumulates)))
