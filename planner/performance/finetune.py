"""Speed of training: FLOPs per token by method, executed share of the peak, hours."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from planner.documents.deployment import FinetuneTable
from planner.documents.result import FinetuneResult
from planner.errors import UnknownFact
from planner.estimate import Estimate, spread
from planner.models.architecture import Architecture, Attention, LatentAttention, MoE
from planner.models.parameters import count_parameters
from planner.performance.training_curves import TrainingCurves
from planner.resolved import Resolved
from planner.units import SECONDS_PER_HOUR

FORWARD, INPUT_GRADIENT, WEIGHT_GRADIENT = 2.0, 2.0, 2.0
"""FLOPs per weight and token of each pass."""


def training_performance(resolved: Resolved, memory: FinetuneResult, curves: TrainingCurves) -> FinetuneResult:
    """``memory`` with tokens/s, step seconds, MFU and hours filled in.

    Raises UnknownFact without a ``[finetune]``, an accelerator, or its peak for the format.
    """
    table, row = resolved.finetune, resolved.cluster.device.accelerator
    if table is None or row is None or row.id == "unnamed":
        raise UnknownFact("training speed needs an accelerator")
    precision = "fp8" if "fp8" in table.precision else "bf16"
    peak = row.peak_flop_s.get(precision) or row.peak_flop_s.get("bf16") or row.peak_flop_s.get("fp16")
    if not peak:
        raise UnknownFact(f"the dense {precision} peak of {row.id} is not known")
    rate, own = curves.rate(precision, row.architecture)
    moe = any(isinstance(layer.feed_forward, MoE) for layer in resolved.architecture.layer_kinds)
    share = (rate.moe if moe else rate.dense) * _factors(resolved, table, curves)
    model_flop, executed_flop = flop_per_token(resolved.architecture, table)
    known = own and row.id is not None
    width = curves.factors["spread"] * (1.0 if known else 1.5)
    tok_s_per_gpu = spread(peak * share / executed_flop, width, width * 1.3, "published" if known else "assumed")
    return _filled(resolved, table, memory, tok_s_per_gpu, model_flop / peak)


def _filled(
    resolved: Resolved, table: FinetuneTable, memory: FinetuneResult, tok_s_per_gpu: Estimate, seconds_per_token: float
) -> FinetuneResult:
    gpus = resolved.cluster.num_devices
    tok_s = tok_s_per_gpu.scaled(gpus)
    per_step = table.seq_len * (
        table.global_batch or table.micro_batch * table.grad_accum * _data_parallel(table, gpus)
    )
    tokens = table.tokens * table.epochs if table.tokens else None
    return replace(
        memory,
        tok_s=tok_s,
        tok_s_per_gpu=tok_s_per_gpu,
        step_s=tok_s.inverse(per_step),
        mfu=tok_s_per_gpu.scaled(seconds_per_token),
        hours=tok_s.inverse(tokens / SECONDS_PER_HOUR) if tokens else None,
    )


def _data_parallel(table: FinetuneTable, gpus: int) -> float:
    parallel = table.parallel
    return gpus / (parallel.tp * parallel.pp * parallel.cp) if parallel else gpus


def _factors(resolved: Resolved, table: FinetuneTable, curves: TrainingCurves) -> float:
    factors = curves.factors
    tokens = table.seq_len * table.micro_batch
    product = tokens / (tokens + factors["half_rate_tokens"])
    if table.method == "qlora":
        product *= factors["qlora"]
    if table.sharding in ("fsdp", "fsdp2", "zero3") and resolved.cluster.num_devices > 1:
        product *= factors["fsdp"]
    if not (table.compile or table.fused_kernels or table.trainer == "megatron"):
        product *= factors["eager"]
    return float(product)


@lru_cache(maxsize=512)
def attention_flop_per_token(architecture: Architecture, seq_len: int) -> float:
    """Forward FLOPs of causal attention per token: 2 · 2 · (s/2) · heads · dim, windows shorten s."""
    total = 0.0
    for layer in architecture.layers:
        for mixer in layer.mixers:
            if isinstance(mixer, Attention):
                span = min(seq_len / 2, mixer.window or seq_len)
                total += 2 * span * mixer.num_q_heads * (mixer.head_dim + mixer.v_head_dim)
            elif isinstance(mixer, LatentAttention):
                head = mixer.qk_nope_head_dim + mixer.qk_rope_head_dim + mixer.v_head_dim
                total += 2 * min(seq_len / 2, mixer.top_k or seq_len) * mixer.num_q_heads * head
    return total


def flop_per_token(architecture: Architecture, table: FinetuneTable) -> tuple[float, float]:
    """(model FLOPs, executed FLOPs) per token; a frozen base has no weight gradients, checkpointing repeats forward."""
    active = count_parameters(architecture).active
    attention = attention_flop_per_token(architecture, table.seq_len)
    frozen = table.method in ("lora", "qlora", "dora")
    weights = FORWARD + INPUT_GRADIENT + (0.0 if frozen else WEIGHT_GRADIENT)
    model = active * weights + 3 * attention
    again = active * FORWARD + attention if table.gradient_checkpointing is True else 0.0
    return model, model + again
