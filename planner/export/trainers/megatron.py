"""Megatron-Bridge: the overrides of a recipe, to read (YAML) and as the script passes them on (``section.key=value``).

``scripts/training/run_recipe.py`` of its repository starts the run, from a recipe by name (``facts.toml``); the base is
a Megatron checkpoint that its ``examples/conversion`` made.
"""

from __future__ import annotations

from typing import Any

from planner.errors import BadInput
from planner.export.emit.words import Ref, Word, env_value
from planner.export.emit.yaml import scalar, yaml_text
from planner.export.target import Context, Target
from planner.export.trainers.common import OUTPUT, TrainingFileFacts, facts_of, without
from planner.export.trainers.launch import torchrun, with_launch

TARGET = Target(
    name="megatron",
    about="Megatron-Bridge overrides (YAML) with torchrun and Slurm scripts",
    checked_by="fields, precisions and recipes of Megatron-Bridge 0.3.1, Megatron-Core 0.16.1 (on demand); bash -n",
    job="finetune",
    trainers=("megatron",),
    main="megatron.yaml",
)
FILE = "megatron.yaml"
SCRIPT = "scripts/training/run_recipe.py"
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
    head = facts.comment(f"Megatron-Bridge: overrides of the recipe {recipe(facts) or 'that RECIPE names'}")
    files = {FILE: yaml_text(values(facts), comment=head)}
    needs = {} if recipe(facts) else {"RECIPE": "name of a recipe in megatron.bridge.recipes, of a model like this one"}
    return with_launch(facts, files, [*torchrun(facts, SCRIPT, *_arguments(facts)), *_overrides(facts)], needs=needs)


def recipe(facts: TrainingFileFacts) -> str | None:
    """The recipe's name, where the model has one for this stage."""
    return facts.recipe("pretrain" if _pretrains(facts) else "peft" if facts.job.adapters else "sft")


def _pretrains(facts: TrainingFileFacts) -> bool:
    return facts.table.objective == "pretrain"


def _arguments(facts: TrainingFileFacts) -> list[Word]:
    """Of run_recipe.py: recipe, kind of data, adapters, length."""
    words: list[Word] = ["--recipe", recipe(facts) or Ref("RECIPE")]
    words += ["--dataset", "llm-pretrain" if _pretrains(facts) else "llm-finetune-preloaded"]
    if facts.job.adapters:
        words += ["--peft_scheme", "dora" if facts.table.method == "dora" else "lora"]
    if facts.table.packing and not _pretrains(facts):
        words.append("--packed_sequence")
    return [*words, "--seq_length", str(facts.table.seq_len)]


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
        "checkpoint": {"save": OUTPUT, "pretrained_checkpoint": env_value(facts.model, "model.path")},
    }
    if job.adapters:
        found["peft"] = {"dim": job.lora_rank, "alpha": facts.alpha}
    folder = facts.data_path.rsplit("/", 1)[0]
    found["dataset"] = (
        {"blend": [[f"{folder}/train_text_document"], None]} if _pretrains(facts) else {"dataset_root": folder}
    )
    return found


def _recompute(facts: TrainingFileFacts) -> dict[str, Any]:
    mode = facts.job.checkpointing
    if mode in ("full", "offloaded"):
        return {"recompute_granularity": "full", "recompute_method": "uniform", "recompute_num_layers": 1}
    if mode == "selective":
        latent = any("kv_b_proj" in t.module for layer in facts.job.architecture.layer_kinds for t in layer.tensors)
        modules = ["layernorm", "mla_up_proj"] if latent else ["layernorm"]
        experts = any(t.part == "experts" for layer in facts.job.architecture.layer_kinds for t in layer.tensors)
        return {"recompute_granularity": "selective", "recompute_modules": [*modules, "moe_act" if experts else "mlp"]}
    return {}


def _iterations(facts: TrainingFileFacts, batch: int) -> dict[str, Any]:
    """Optimizer steps for the dataset, where its length is known."""
    tokens = facts.table.tokens
    if not tokens:
        return {}
    return {"train_iters": max(1, round(tokens * facts.table.epochs / (batch * facts.table.seq_len)))}


def _overrides(facts: TrainingFileFacts) -> list[Word]:
    """Everything of the file, as run_recipe.py takes it."""
    words: list[Word] = []
    for section, found in values(facts).items():
        inside = found.items() if isinstance(found, dict) else [(None, found)]
        words += [f"{section}{f'.{key}' if key else ''}={_value(value)}" for key, value in inside]
    return words


def _value(value: Any) -> str:
    """In the words of OmegaConf: lists in brackets."""
    if isinstance(value, list):
        return f"[{','.join(_value(item) for item in value)}]"
    return "null" if value is None else scalar(value)
