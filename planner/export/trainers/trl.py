"""TRL: its config file for ``trl sft|dpo|grpo``, accelerate's YAML, DeepSpeed JSON, scripts."""

from __future__ import annotations

import json
from typing import Any

from planner.errors import BadInput
from planner.export.emit.words import Ref, Word
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
from planner.export.trainers.launch import PORT, with_launch
from planner.memory.finetune_objective import rollout_ranks, rollout_share

TARGET = Target(
    name="trl",
    about="TRL config with accelerate YAML (FSDP2 or DeepSpeed) and scripts",
    checked_by="TRL's own SFTConfig, DPOConfig, GRPOConfig (1.16), accelerate's ClusterConfig (1.15), on demand",
    job="finetune",
    trainers=ON_TRANSFORMERS,
    main="trl.yaml",
)
FILE, ACCELERATE = "trl.yaml", "accelerate.yaml"
COMMANDS = {"sft": "sft", "pretrain": "sft", "dpo": "dpo", "grpo": "grpo"}


def render(context: Context) -> dict[str, str]:
    """``trl.yaml``, ``accelerate.yaml``, ``deepspeed.json`` for ZeRO, scripts."""
    facts = facts_of(context)
    refuse_layouts(facts, "TRL", ("tp", "cp") if facts.is_fsdp else ())
    files = {
        FILE: yaml_text(values(facts), comment=facts.comment(f"TRL: trl {_command(facts)} --config trl.yaml")),
        ACCELERATE: yaml_text(accelerate(facts), comment="accelerate launch --config_file accelerate.yaml"),
    }
    if facts.is_deepspeed:
        files[DEEPSPEED_FILE] = json.dumps(deepspeed_config(facts), indent=2) + "\n"
    return with_launch(facts, files, _launch(facts))


def _command(facts: TrainingFileFacts) -> str:
    command = COMMANDS.get(facts.table.objective)
    if command is None:
        raise BadInput("finetune.objective", f"TRL has no command for {facts.table.objective[:60]!r}")
    return command


def values(facts: TrainingFileFacts) -> dict[str, Any]:
    """Arguments of the script, by their names in SFTConfig, DPOConfig or GRPOConfig and ModelConfig."""
    table, job = facts.table, facts.job
    mode = job.checkpointing
    return without(
        {
            "model_name_or_path": facts.model,
            "dtype": "float32" if facts.precision == "fp32" or not (facts.pure or job.adapters) else "bfloat16",
            "attn_implementation": ATTENTION[facts.attention],
            **_adapter(facts),
            "dataset_name": facts.data_path.rsplit("/", 1)[0],
            **_lengths(facts),
            "per_device_train_batch_size": table.micro_batch,
            "gradient_accumulation_steps": job.accumulates,
            "num_train_epochs": table.epochs,
            "learning_rate": facts.learning_rate,
            "lr_scheduler_type": "cosine",
            "warmup_steps": facts.warmup_steps,
            "optim": _optimizer(facts),
            "bf16": facts.precision == "bf16",
            "fp16": True if facts.precision == "fp16" else None,
            "gradient_checkpointing": mode != "none",
            "activation_offloading": True if mode == "offloaded" and _command(facts) == "sft" else None,
            "use_liger_kernel": True if table.fused_cross_entropy or table.fused_kernels else None,
            "torch_compile": True if table.compile else None,
            "logging_steps": 1,
            "save_strategy": "epoch",
            "output_dir": OUTPUT,
        }
    )


def _optimizer(facts: TrainingFileFacts) -> str:
    if facts.job.optimizer == "muon":
        raise BadInput("finetune.optimizer", "transformers has no name for Muon", "use adamw-fused, or Axolotl")
    return facts.optimizer(fsdp=facts.is_fsdp)


def _adapter(facts: TrainingFileFacts) -> dict[str, Any]:
    job, scheme = facts.job, facts.job.quantization.scheme
    if not job.adapters:
        return {}
    return without(
        {
            "use_peft": True,
            "lora_r": job.lora_rank,
            "lora_alpha": facts.alpha,
            "lora_dropout": 0.0,
            "lora_target_modules": ["all-linear"] if facts.all_linear else facts.modules,
            "lora_modules_to_save": ["lm_head"] if facts.head_too else None,
            "use_dora": True if facts.table.method == "dora" else None,
            "load_in_4bit": True if scheme == "bnb-nf4" else None,
            "load_in_8bit": True if scheme == "bnb-int8" else None,
            "use_bnb_nested_quant": True if scheme == "bnb-nf4" else None,
        }
    )


def _lengths(facts: TrainingFileFacts) -> dict[str, Any]:
    table, command = facts.table, _command(facts)
    if command == "grpo":
        return {
            "max_completion_length": table.seq_len // 2,
            "use_vllm": True,
            "vllm_mode": "colocate",
            "vllm_gpu_memory_utilization": rollout_share(facts.job),
            "vllm_tensor_parallel_size": rollout_ranks(facts.job),
        }
    return without({"max_length": table.seq_len, "packing": True if table.packing and command == "sft" else None})


def accelerate(facts: TrainingFileFacts) -> dict[str, Any]:
    """The launcher's configuration."""
    cluster = facts.job.cluster
    shared = {
        "compute_environment": "LOCAL_MACHINE",
        "distributed_type": _kind(facts),
        "mixed_precision": "no" if facts.pure or facts.precision == "fp32" else facts.precision,
        "num_machines": cluster.nodes,
        "num_processes": facts.gpus,
        "machine_rank": 0,
        "main_training_function": "main",
        "rdzv_backend": "static" if cluster.nodes == 1 else "c10d",
        "same_network": True,
        "use_cpu": False,
    }
    if facts.is_deepspeed:
        return {**shared, "deepspeed_config": _deepspeed(facts)}
    return {**shared, **({"fsdp_config": _fsdp(facts), **_parallel(facts)} if facts.is_fsdp else {})}


def _parallel(facts: TrainingFileFacts) -> dict[str, Any]:
    """accelerate's mesh: what is not tensor or context parallel shards the weights."""
    parallel = facts.job.parallel
    if max(parallel.tp, parallel.cp) == 1:
        return {}
    mesh = {"dp_replicate_size": 1, "dp_shard_size": facts.job.data, "tp_size": parallel.tp, "cp_size": parallel.cp}
    return {"parallelism_config": {f"parallelism_config_{name}": ways for name, ways in mesh.items()}}


def _kind(facts: TrainingFileFacts) -> str:
    if facts.is_deepspeed:
        return "DEEPSPEED"
    if facts.is_fsdp:
        return "FSDP"
    return "MULTI_GPU" if facts.gpus > 1 else "NO"


def _deepspeed(facts: TrainingFileFacts) -> dict[str, Any]:
    several = {"deepspeed_multinode_launcher": "standard"} if facts.job.cluster.nodes > 1 else {}
    return {"deepspeed_config_file": DEEPSPEED_FILE, "zero3_init_flag": facts.job.sharding == "zero3", **several}


def _fsdp(facts: TrainingFileFacts) -> dict[str, Any]:
    return {
        "fsdp_version": 2,
        "fsdp_auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
        "fsdp_reshard_after_forward": True,
        "fsdp_state_dict_type": "SHARDED_STATE_DICT",
        "fsdp_cpu_ram_efficient_loading": True,
        "fsdp_offload_params": facts.table.offload != "none",
        "fsdp_activation_checkpointing": False,
    }


def _launch(facts: TrainingFileFacts) -> list[Word]:
    command: list[Word] = ["accelerate", "launch", "--config_file", ACCELERATE]
    if facts.job.cluster.nodes > 1:
        command += ["--machine_rank", Ref("NODE_RANK"), "--main_process_ip", Ref("HEAD"), "--main_process_port", PORT]
    return [*command, "-m", f"trl.scripts.{_command(facts)}", "--config", FILE]
