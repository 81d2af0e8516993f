"""The base's format and the precision, against method and chip."""

from __future__ import annotations

from collections.abc import Iterator

from planner.documents.result import Finding
from planner.memory.finetune_job import Job
from planner.resolved import Resolved

BITSANDBYTES_VENDORS = ("nvidia", "amd", "intel", "cpu", "unknown")
"""Chips with kernels for NF4 and int8 bases."""
OLDEST_BF16 = (8, 0)
OLDEST_BITSANDBYTES = (6, 0)


def base_rules(job: Job, resolved: Resolved) -> Iterator[Finding]:
    """Methods against the base's format, formats against the chip."""
    stored = resolved.quantization
    if job.table.method == "full" and stored.bits < 16:
        message = f"full fine-tuning has no use for {stored.scheme} weights: gradients need 16-bit ones"
        change = {"model.weights": "bf16"}
        yield Finding("full-needs-16-bit", message, "train a bf16 copy, or use method = qlora", change=change)
    if stored.scheme.startswith("gguf:"):
        message = "GGUF files cannot be trained"
        yield Finding("base-format", message, "use the safetensors checkpoint", change={"model.weights": "bf16"})
    if job.table.method == "qlora" and stored.bits >= 16:
        message = "QLoRA loads 16-bit weights as NF4"
        yield Finding("qlora-base", message, 'say model.weights = "bnb-nf4"', "warning", {"model.weights": "bnb-nf4"})
    yield from _chip_rules(job)


def _chip_rules(job: Job) -> Iterator[Finding]:
    row = job.cluster.device.accelerator
    if row is None or row.id == "unnamed":
        return
    precision, peaks = job.table.precision, row.peak_flop_s
    for word, units in (("fp8", ("fp8",)), ("nvfp4", ("fp4", "nvfp4"))):
        if word in precision and peaks and not any(unit in peaks for unit in units):
            message = f"{row.id} has no {word.upper()} units: {precision} would only cast up"
            yield Finding("precision-on-chip", message, "use bf16", change={"finetune.precision": "bf16"})
    capability = row.compute_capability
    if precision.startswith("bf16") and capability and capability < OLDEST_BF16:
        message = f"{row.id} (compute capability {capability[0]}.{capability[1]}) has no bf16 units"
        yield Finding("precision-on-chip", message, "use fp16-mixed", change={"finetune.precision": "fp16-mixed"})
    low = job.adapters and job.quantization.scheme.startswith("bnb-")
    if low and row.vendor not in BITSANDBYTES_VENDORS:
        message = f"bitsandbytes has no kernels for {row.vendor} chips"
        yield Finding("quantized-base-on-chip", message, "use method = lora", change={"finetune.method": "lora"})
