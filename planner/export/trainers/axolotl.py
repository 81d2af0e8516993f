"""Axolotl: one YAML, a DeepSpeed JSON where ZeRO is used, and the scripts that start it."""

from __future__ import annotations

import json
from typing import Any

from planner.export.emit.yaml import yaml_text
from planner.export.target import Context, Target
from planner.export.trainers.common import (
    ATTENTION,
    DEEPSPEED_FILE,
    ON_TRANSFORMERS,
    OUTPUT,
    TrainingFileFacts,
    facts_of,
    refuse_layouts,
    without,
)
from planner.export.trainers.deepspeed import config as deepspeed_config
from planner.export.trainers.launch import torchrun, with_launch
from planner.memory.finetune_job import PAIRED
from planner.memory.finetune_objective import rollout_ranks, rollout_share

TARGET = Target(
    name="axolotl",
    about="Axolotl YAML with DeepSpeed JSON, torchrun and Slurm scripts",
    checked_by="Axolotl's own AxolotlInputConfig (0.18, on demand); bash -n",
    job="finetune",
    trainers=ON_TRANSFORMERS,
    main="axolotl.yaml",
)
FILE = "axolotl.yaml"
COMPLETIONS = 8
"""Of one prompt under GRPO (trl's num_generations)."""


def render(context: Context) -> dict[str, str]:
    """``axolotl.yaml``, ``deepspeed.json`` for ZeRO, ``train.sh`` and ``train.sbatch``."""
    facts = facts_of(context)
    refuse_layouts(facts, "Axolotl", ("tp", "cp"))
    files = {FILE: yaml_text(values(facts), comment=facts.comment("Axolotl: axolotl train axolotl.yaml"))}
    if facts.is_deepspeed:
        files[DEEPSPEED_FILE] = json.dumps(deepspeed_config(facts), indent=2) + "\n"
    return with_launch(facts, files, torchrun(facts, "-m", "axolotl.cli.train", FILE))


def values(facts: TrainingFileFacts) -> dict[str, Any]:
    """The document in Axolotl's words."""
    table, job = facts.table, facts.job
    return without(
        {
            "base_model": facts.model,
            **_adapter(facts),
            **_data(facts),
            "sequence_len": table.seq_len,
            "sample_packing": table.packing and table.objective in ("sft", "pretrain"),
            "micro_batch_size": table.micro_batch,
            "gradient_accumulation_steps": job.accumulates,
            "num_epochs": table.epochs,
            "optimizer": facts.optimizer(fsdp=facts.is_fsdp),
            "learning_rate": facts.learning_rate,
            "lr_scheduler": "cosine",
            "warmup_steps": facts.warmup_steps,
            **_precision(facts),
            **_memory(facts),
            **_layout(facts),
            **_objective(facts),
            "attn_implementation": ATTENTION[facts.attention],
            "logging_steps": 1,
            "saves_per_epoch": 1,
            "output_dir": OUTPUT,
        }
    )


def _adapter(facts: TrainingFileFacts) -> dict[str, Any]:
    job, quantization = facts.job, facts.job.quantization
    if not job.adapters:
        return {}
    four = quantization.scheme == "bnb-nf4"
    return without(
        {
            "adapter": "qlora" if four else "lora",
            "load_in_4bit": four or None,
            "load_in_8bit": quantization.scheme == "bnb-int8" or None,
            "lora_r": job.lora_rank,
            "lora_alpha": facts.alpha,
            "lora_dropout": 0.0,
            "lora_target_linear": True if facts.all_linear else None,
            "lora_target_modules": None if facts.all_linear else facts.modules,
            "lora_modules_to_save": ["lm_head"] if facts.head_too else None,
            "peft_use_dora": True if facts.table.method == "dora" else None,
        }
    )


def _data(facts: TrainingFileFacts) -> dict[str, Any]:
    objective = facts.table.objective
    if objective == "pretrain":
        kind = "completion"
    elif objective in PAIRED:
        kind = "chat_template.default"
    else:
        kind = "chat_template"
    dataset = {"path": facts.data_path, "ds_type": "json", "type": kind}
    return {"datasets": [dataset], "dataset_prepared_path": "prepared"}


def _precision(facts: TrainingFileFacts) -> dict[str, Any]:
    """``bfloat16`` loads and trains 16-bit weights; ``bf16`` mixes over what is loaded."""
    return without(
        {
            "bf16": facts.precision == "bf16",
            "fp16": True if facts.precision == "fp16" else None,
            "tf32": facts.precision != "fp16",
            "fp8": True if facts.fp8 else None,
        }
    )


def _memory(facts: TrainingFileFacts) -> dict[str, Any]:
    table, mode = facts.table, facts.job.checkpointing
    plugins = []
    if table.fused_cross_entropy or table.fused_kernels:
        plugins.append("axolotl.integrations.liger.LigerPlugin")
    return without(
        {
            "gradient_checkpointing": mode != "none",
            "gradient_checkpointing_kwargs": {"use_reentrant": False} if mode != "none" else None,
            "activation_offloading": True if mode == "offloaded" else None,
            "plugins": plugins or None,
            "liger_fused_linear_cross_entropy": True if table.fused_cross_entropy else None,
            "liger_rms_norm": True if table.fused_kernels else None,
            "liger_rope": True if table.fused_kernels else None,
            "liger_glu_activation": True if table.fused_kernels else None,
            "torch_compile": True if table.compile else None,
        }
    )


def _layout(facts: TrainingFileFacts) -> dict[str, Any]:
    parallel = facts.job.parallel
    found: dict[str, Any] = {
        "tensor_parallel_size": parallel.tp if parallel.tp > 1 else None,
        "context_parallel_size": parallel.cp if parallel.cp > 1 else None,
    }
    if facts.is_deepspeed:
        found["deepspeed"] = DEEPSPEED_FILE
    elif facts.is_fsdp:
        found["fsdp_version"] = 2
        found["fsdp_config"] = {
            "offload_params": facts.table.offload != "none",
            "auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
            "state_dict_type": "SHARDED_STATE_DICT",
            "reshard_after_forward": True,
            # One rank would quantise for all, and the others wait for it forever (Axolotl 0.19 refuses it).
            "cpu_ram_efficient_loading": not facts.job.adapters or facts.job.quantization.bits >= 16,
        }
    return without(found)


def _objective(facts: TrainingFileFacts) -> dict[str, Any]:
    objective = facts.table.objective
    if objective == "dpo":
        return {"rl": "dpo"}
    if objective != "grpo":
        return {}
    engine = {
        "use_vllm": True,
        "vllm_mode": "colocate",
        "num_generations": COMPLETIONS,
        "max_completion_length": facts.table.seq_len // 2,
        "reward_funcs": ["rewards.reward"],
        "reward_weights": [1.0],
    }
    beside = {"gpu_memory_utilization": rollout_share(facts.job), "tensor_parallel_size": rollout_ranks(facts.job)}
    return {"rl": "grpo", "trl": engine, "vllm": beside}
