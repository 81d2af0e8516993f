"""Whether a training step fits."""

from __future__ import annotations

import math

from planner.documents.result import Finding, FinetuneResult, Verdict
from planner.resolved import Resolved
from planner.units import GIB, human_bytes

CONTEXT_BYTES = 0.8 * GIB
TIGHT_SHARE = 0.03


def training_verdict(resolved: Resolved, result: FinetuneResult) -> tuple[Verdict, tuple[Finding, ...]]:
    """Need is allocated memory plus the context: allocators give their reserve back before they fail."""
    device = resolved.cluster.device
    capacity = device.memory_bytes - device.used_bytes
    if math.isinf(capacity):
        return "unknown", (Finding("no-accelerator", "the document names no accelerator", "add hardware.accelerator"),)
    need = result.allocated.value + CONTEXT_BYTES
    if need > capacity:
        message = f"a step needs {human_bytes(need)} per GPU, the device has {human_bytes(capacity)}"
        return "does-not-fit", (Finding("does-not-fit", message, _way_out(resolved)),)
    return ("tight" if need > capacity * (1 - TIGHT_SHARE) else "fits"), ()


def _way_out(resolved: Resolved) -> str:
    table = resolved.finetune
    if table is None:
        return ""
    if table.gradient_checkpointing is not True:
        return "set gradient_checkpointing = true"
    if table.micro_batch > 1:
        return "set micro_batch = 1 and raise grad_accum"
    if table.method == "full":
        return "use method = lora"
    return "use method = qlora, a shorter seq_len or more GPUs"
