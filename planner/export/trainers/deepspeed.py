"""DeepSpeed's JSON for ZeRO stages and offload; "auto" where the trainer fills in what it knows itself."""

from __future__ import annotations

import json
from typing import Any

from planner.export.target import Context, Target
from planner.export.trainers.common import DEEPSPEED_FILE, ON_TRANSFORMERS, TrainingFileFacts, facts_of

TARGET = Target(
    name="deepspeed",
    about="DeepSpeed's JSON: ZeRO stage, offload, precision",
    checked_by="deepspeed.runtime.config.DeepSpeedConfig (0.19.8, on demand)",
    job="finetune",
    trainers=ON_TRANSFORMERS,
    main=DEEPSPEED_FILE,
)
BUCKET_ELEMENTS = 500_000_000


def render(context: Context) -> dict[str, str]:
    """``deepspeed.json``, with numbers instead of "auto"."""
    facts = facts_of(context)
    return {DEEPSPEED_FILE: json.dumps(config(facts, auto=False), indent=2) + "\n"}


def config(facts: TrainingFileFacts, *, auto: bool = True) -> dict[str, Any]:
    """The configuration; ``auto`` leaves to the trainer what it passes on from its own settings."""
    table = facts.table
    batch: dict[str, Any] = {
        "train_micro_batch_size_per_gpu": "auto" if auto else table.micro_batch,
        "gradient_accumulation_steps": "auto" if auto else facts.job.accumulates,
        "train_batch_size": "auto" if auto else table.micro_batch * facts.job.accumulates * facts.job.data,
        "gradient_clipping": "auto" if auto else 1.0,
    }
    precision = {
        "bf16": {"enabled": facts.precision == "bf16"},
        "fp16": {"enabled": facts.precision == "fp16"},
    }
    return {**batch, **precision, "zero_optimization": zero(facts, auto=auto)}


def zero(facts: TrainingFileFacts, *, auto: bool = True) -> dict[str, Any]:
    """The ``zero_optimization`` section; stage 0 where nothing is sharded."""
    sharding = facts.job.sharding
    stage = {"zero1": 1, "zero2": 2, "zero3": 3, "fsdp": 3}.get(sharding, 0)
    section: dict[str, Any] = {"stage": stage, "overlap_comm": True, "contiguous_gradients": True}
    if stage in (1, 2):
        section["reduce_bucket_size"] = BUCKET_ELEMENTS
        section["allgather_bucket_size"] = BUCKET_ELEMENTS
    if stage == 3:
        section.update(_stage3(facts, auto=auto))
    offload = facts.table.offload
    if offload != "none":
        section["offload_optimizer"] = {"device": "cpu", "pin_memory": True}
    if offload == "optimizer+params" and stage == 3:
        section["offload_param"] = {"device": "cpu", "pin_memory": True}
    return section


def _stage3(facts: TrainingFileFacts, *, auto: bool) -> dict[str, Any]:
    """Buckets follow the hidden size, as transformers fills in "auto"."""
    hidden = facts.job.architecture.hidden_size
    return {
        "reduce_bucket_size": "auto" if auto else hidden * hidden,
        "stage3_prefetch_bucket_size": "auto" if auto else int(0.9 * hidden * hidden),
        "stage3_param_persistence_threshold": "auto" if auto else 10 * hidden,
        "stage3_gather_16bit_weights_on_model_save": True,
    }
