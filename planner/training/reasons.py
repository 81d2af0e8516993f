"""Why a training job stands where it stands, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from planner.documents.result import (
    EstimateDocument,
    FinetuneResult,
)
from planner.training.candidate import TrainingCandidate
from planner.units import human_bytes, human_hours


def reasons_of(
    candidate: TrainingCandidate, estimate: EstimateDocument, rank: int, first: EstimateDocument
) -> Iterator[str]:
    """The most important first; ``first`` is the estimate of the job ranked first."""
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
        yield f"{human_hours(result.hours.value)} for the dataset, limited by {result.bound}"
    if rank > 1 and first and first.tok_s and result.tok_s:
        factor = first.tok_s.value / result.tok_s.value
        yield f"{factor:.1f} times the time of the first" if factor >= 1 else f"{1 / factor:.1f} times its speed"


def _learns(candidate: TrainingCandidate, result: FinetuneResult) -> str:
    words = {
        "full": "every weight learns; checkpoints are whole models",
        "lora": "adapters learn over 16-bit weights",
        "dora": "adapters and magnitudes learn over 16-bit weights, slower than LoRA",
        "qlora": "adapters learn over a 4-bit base",
    }
    size = f" ({human_bytes(result.files.checkpoint)} per checkpoint)" if result.files else ""
    return words.get(candidate.choice.method, candidate.choice.method) + size
