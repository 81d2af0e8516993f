"""Speed of training: FLOPs per token, executed share of the peak, communication, rollouts, hours."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from hwdb.schema import Accelerator
from planner.documents.deployment import FinetuneTable
from planner.documents.result import FinetuneResult
from planner.errors import UnknownFact
from planner.estimate import Estimate, Origin, spread
from planner.memory.finetune_job import Job, job_of
from planner.memory.finetune_objective import ROLLED_OUT
from planner.models.parameters import count_parameters
from planner.performance.finetune_passes import expansion_seconds, launch_seconds
from planner.performance.finetune_traffic import exposed_seconds, rollout_seconds
from planner.performance.finetune_work import (
    FORWARD,
    INPUT_GRADIENT,
    active_expert_params,
    expert_size,
    recurrent_share,
    work_per_token,
)
from planner.performance.training_curves import TrainingCurves
from planner.resolved import Resolved
from planner.units import SECONDS_PER_HOUR


@dataclass(frozen=True, slots=True)
class Step:
    """Seconds of one optimizer step, by cause."""

    tokens: float
    """Of the whole step, all GPUs."""
    compute: float
    """Products with weights."""
    attention: float
    """Products between tokens."""
    communication: float
    """What no computation hides."""
    rollout: float
    processors: float
    """Experts on the host."""
    expansion: float
    """Quantised weights cast up for each pass."""
    launches: float
    """Kernels of experts that run one after the other."""

    @property
    def causes(self) -> dict[str, float]:
        """Seconds by cause, empty ones left out."""
        return {
            name: value for f in fields(self) if (name := f.name) != "tokens" and (value := getattr(self, name)) > 0
        }

    @property
    def seconds(self) -> float:
        return sum(self.causes.values())

    @property
    def bound(self) -> str:
        """The largest cause."""
        causes = self.causes
        return max(causes, key=lambda name: causes[name])


def training_performance(resolved: Resolved, memory: FinetuneResult, curves: TrainingCurves) -> FinetuneResult:
    """``memory`` with tokens/s, step seconds, MFU and hours filled in.

    Raises UnknownFact without a ``[finetune]``, an accelerator, or its peak for the format.
    """
    job = job_of(resolved)
    row = resolved.cluster.device.accelerator
    if row is None or row.id == "unnamed":
        raise UnknownFact("training speed needs an accelerator")
    precision, peak = peak_of(row, job.table.precision)
    share, own = compute_share(job, row, precision, curves)
    step = step_of(job, row, peak * share, attention_flop_s(job, row, curves))
    width = curves.factors["spread"] * (1.0 if own else 1.5)
    origin: Origin = "published" if own and step.bound in ("compute", "attention") else "assumed"
    rate = spread(step.tokens / step.seconds, width, width * 1.3, origin)
    return _filled(job, memory, rate, step, work_per_token(job).model / peak)


def useful_share(table: FinetuneTable) -> float:
    """Of the tokens worked on, that are no padding: unpacked samples are filled up to the longest of a micro-batch.

    Its length is that of the longest of n exponentially distributed ones, mean · (1 + 1/2 + … + 1/n).
    """
    if table.packing or table.sample_tokens is None:
        return 1.0
    longest = table.sample_tokens * sum(1 / n for n in range(1, table.micro_batch + 1))
    return min(1.0, table.sample_tokens / min(longest, table.seq_len))


def peak_of(row: Accelerator, precision: str) -> tuple[str, float]:
    """(format, dense FLOP/s) of the products; chips without the wanted unit compute in 16 bits."""
    wanted = "fp4" if "nvfp4" in precision else "fp8" if "fp8" in precision else "bf16"
    wanted = "fp32" if precision == "fp32" else wanted
    for name in (wanted, "fp8") if wanted == "fp4" else (wanted,):
        if row.peak_flop_s.get(name):
            return name, row.peak_flop_s[name]
    tensor = row.peak_flop_s.get("tf32") if wanted == "fp32" else None
    peak = tensor or row.peak_flop_s.get("bf16") or row.peak_flop_s.get("fp16")
    if not peak:
        raise UnknownFact(f"the dense {wanted} peak of {row.id} is not known")
    return "bf16", peak


def compute_share(job: Job, row: Accelerator, precision: str, curves: TrainingCurves) -> tuple[float, bool]:
    """Share of the peak in executed FLOPs, and whether it was measured on this generation."""
    rate, own = curves.rate(precision, row.architecture)
    size = expert_size(job.architecture)
    half = curves.factors["half_rate_tokens"]
    dense = rate.dense * job.tokens / (job.tokens + half)
    share = dense if size is None else rate.moe_share(size, job.tokens)
    return min(share * share_factors(job, curves, size is not None), MOST_SHARE), own


MOST_SHARE = 0.85
"""No training run reaches more of a dense peak."""


def share_factors(job: Job, curves: TrainingCurves, moe: bool) -> float:
    """What method, sharding and kernels make of a chip's share."""
    factors = curves.factors
    product = 1.0 - factors["recurrent"] * recurrent_share(job.architecture)
    if job.adapters and job.quantization.bits < 16:
        product *= factors["qlora"]
    if job.table.method == "dora":
        product *= factors["dora"]
    if job.shards_weights:
        product *= factors["fsdp"]
    if job.table.offload != "none":
        product *= factors["offload"]
    whole = job.trainer.facts["experts"] == "fused"
    if not whole and any(word in job.table.precision for word in ("fp8", "fp4")):
        product *= factors["layer_wise_fp8"]
    fused = job.table.compile or job.table.fused_kernels or whole
    if not fused:
        product *= factors["eager"] * (factors["eager_experts"] if moe else 1.0)
    if moe and job.parallel.tp > 1:
        product *= factors["moe_tensor_parallel"]
    return float(product * job.trainer.facts["speed"])


def attention_flop_s(job: Job, row: Accelerator, curves: TrainingCurves) -> float:
    """Rate of attention's products, in the 16-bit format whatever the weights' are in."""
    precision = job.table.precision
    _, peak = peak_of(row, precision if precision == "fp32" else "bf16")
    tuned = job.trainer.facts["experts"] == "fused"
    share = curves.attention(row.architecture, tuned)
    if job.table.attention == "eager":
        share *= curves.factors["eager_attention"]
    if job.parallel.cp > 1 and not tuned:
        share *= curves.factors["ring_attention"]
    return peak * share


def step_of(job: Job, row: Accelerator, flop_s: float, attention_s: float) -> Step:
    """Seconds of an optimizer step of the whole job."""
    samples = job.table.global_batch or job.table.micro_batch * job.accumulates * job.data
    tokens = float(job.table.seq_len * samples * job.sequences)
    work = work_per_token(job)
    bubble = _bubble(job)
    away = _processor_share(job)
    working = job.gpus / job.split / (1 + bubble)
    compute = tokens * (work.executed - work.attention) * (1 - away) / (working * flop_s)
    attention = tokens * work.attention / (working * attention_s)
    rollout = rollout_seconds(job, row) if job.table.objective in ROLLED_OUT else 0.0
    return Step(
        tokens=tokens,
        compute=compute,
        attention=attention,
        communication=exposed_seconds(job, compute + attention),
        rollout=rollout,
        processors=_processors(job, tokens),
        expansion=expansion_seconds(job, row),
        launches=launch_seconds(job),
    )


def _bubble(job: Job) -> float:
    """Idle share of a pipeline: (pp - 1) / (micro-batches · vp) (Narayanan et al. 2021)."""
    samples = job.table.micro_batch if job.trainer.facts["splits_micro_batch"] else 1
    return (job.parallel.pp - 1) / (job.accumulates * samples * job.parallel.vp)


def _processor_share(job: Job) -> float:
    """Of the products, that the host computes."""
    if not job.trainer.facts["cpu_flop_s"]:
        return 0.0
    return active_expert_params(job.architecture) / count_parameters(job.architecture).active


def _processors(job: Job, tokens: float) -> float:
    """Experts computed by the host, layer by layer between the GPU's: forward and input gradients."""
    rate = float(job.trainer.facts["cpu_flop_s"])
    if not rate:
        return 0.0
    flop = active_expert_params(job.architecture) * (FORWARD + INPUT_GRADIENT)
    return tokens * flop / (rate * job.cluster.nodes)


def _filled(job: Job, memory: FinetuneResult, tok_s: Estimate, step: Step, seconds_per_token: float) -> FinetuneResult:
    per_gpu = tok_s.scaled(1 / job.gpus)
    tokens = job.table.tokens * job.table.epochs if job.table.tokens else None
    hours = tok_s.inverse(tokens / (SECONDS_PER_HOUR * useful_share(job.table))) if tokens else None
    return replace(
        memory,
        tok_s=tok_s,
        tok_s_per_gpu=per_gpu,
        step_s=tok_s.inverse(step.tokens).with_terms(step.causes),
        mfu=per_gpu.scaled(seconds_per_token),
        hours=hours,
        gpu_hours=hours.scaled(job.gpus) if hours else None,
        bound=step.bound,
    )
