"""Megatron-Bridge: the overrides of a recipe (``section.key=value``) and the script that passes them on."""

from __future__ import annotations

from typing import Any

from planner.errors import BadInput
from planner.export.emit.words import Word
from planner.export.emit.yaml import scalar, yaml_text
from planner.export.target import Context, Target
from planner.export.trainers.common import OUTPUT, TrainingFileFacts, facts_of, without
from planner.export.trainers.launch import torchrun, with_launch

TARGET = Target(
    name="megatron",
    about="Megatron-Bridge overrides (YAML) with torchrun and Slurm scripts",
    checked_by="Megatron-Core's own TransformerConfig field names (by hand, 0.15); bash -n",
    job="finetune",
    trainers=("megatron",),
    main="megatron.yaml",
)
FILE = "megatron.yaml"
PRECISIONS = {
    "bf16": "bf16_mixed",
    "bf16-mixed": "bf16_mixed",
    "fp16-mixed": "fp16_mixed",
    "fp8-mixed": "bf16_with_fp8_current_scaling_mixed",
    "mxfp8-mixed": "bf16_with_mxfp8_mixed",
    "nvfp4-mixed": "bf16_with_nvfp4_mixed",
}


def render(context: Context) -> dict[str, str]:
    """``megatron.yaml``, ``train.sh`` and ``train.sbatch``."""
    facts = facts_of(context)
    files = {FILE: yaml_text(values(facts), comment=facts.comment("Megatron-Bridge: overrides of a recipe"))}
    script = (
        "scripts/training/finetune_decoder.py" if facts.table.objective == "sft" else "scripts/training/pretrain.py"
    )
    return with_launch(facts, files, [*torchrun(facts, script, "--config-file", FILE), *_overrides(facts)])


def values(facts: TrainingFileFacts) -> dict[str, Any]:
    """The document in Megatron-Bridge's sections. Raises BadInput for a precision that it does not have."""
    table, job, parallel = facts.table, facts.job, facts.job.parallel
    precision = PRECISIONS.get(table.precision)
    if precision is None:
        raise BadInput("finetune.precision", f"Megatron-Bridge has no recipe for {table.precision[:60]!r}", "use bf16")
    batch = table.global_batch or table.micro_batch * job.accumulates * job.data
    found: dict[str, Any] = {
        "model": without(
            {
                "tensor_model_parallel_size": parallel.tp,
                "pipeline_model_parallel_size": parallel.pp,
                "virtual_pipeline_model_parallel_size": parallel.vp if parallel.vp > 1 else None,
                "context_parallel_size": parallel.cp,
                "expert_model_parallel_size": parallel.ep,
                "sequence_parallel": parallel.tp > 1,
                "seq_length": table.seq_len,
                **_recompute(facts),
            }
        ),
        "train": {"micro_batch_size": table.micro_batch, "global_batch_size": batch, **_iterations(facts, batch)},
        "optimizer": without(
            {
                "optimizer": {"adamw": "adam", "adamw-fused": "adam"}.get(job.optimizer, job.optimizer),
                "lr": facts.learning_rate,
                "use_distributed_optimizer": job.sharding in ("zero1", "zero2", "zero3"),
                "optimizer_cpu_offload": True if table.offload != "none" else None,
            }
        ),
        "mixed_precision": precision,
        "checkpoint": {"save": OUTPUT, "pretrained_checkpoint": facts.model},
    }
    if job.adapters:
        found["peft"] = {
            "peft_scheme": "dora" if table.method == "dora" else "lora",
            "dim": job.lora_rank,
            "alpha": facts.alpha,
        }
    return found


def _recompute(facts: TrainingFileFacts) -> dict[str, Any]:
    mode = facts.job.checkpointing
    if mode in ("full", "offloaded"):
        return {"recompute_granularity": "full", "recompute_method": "uniform", "recompute_num_layers": 1}
    if mode == "selective":
        latent = any("kv_b_proj" in t.module for layer in facts.job.architecture.layer_kinds for t in layer.tensors)
        modules = ["layernorm", "mla_up_proj"] if latent else ["layernorm"]
        return {"recompute_granularity": "selective", "recompute_modules": [*modules, "mlp"][: len(modules) + 1]}
    return {}


def _iterations(facts: TrainingFileFacts, batch: int) -> dict[str, Any]:
    """Optimizer steps for the dataset, where its length is known."""
    tokens = facts.table.tokens
    if not tokens:
        return {}
    return {"train_iters": max(1, round(tokens * facts.table.epochs / (batch * facts.table.seq_len)))}


def _overrides(facts: TrainingFileFacts) -> list[Word]:
    """The batch once more on the command line, where a person looks for it."""
    train = values(facts)["train"]
    return [f"train.{key}={scalar(value)}" for key, value in train.items()]
