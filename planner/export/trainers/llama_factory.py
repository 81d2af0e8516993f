"""LLaMA-Factory (and KTransformers through it): one YAML, the dataset's entry, DeepSpeed JSON, scripts."""

from __future__ import annotations

import json
from typing import Any

from planner.errors import BadInput
from planner.export.emit.words import Ref, Word
from planner.export.emit.yaml import yaml_text
from planner.export.target import Context, Target
from planner.export.trainers.common import (
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
from planner.memory.finetune_job import PAIRED

TARGET = Target(
    name="llama-factory",
    about="LLaMA-Factory YAML with dataset_info.json, DeepSpeed JSON and scripts; KTransformers through it",
    checked_by="LLaMA-Factory's own argument parser (0.9.5, on demand); bash -n",
    job="finetune",
    trainers=(*ON_TRANSFORMERS, "ktransformers"),
    main="llama-factory.yaml",
)
FILE = "llama-factory.yaml"
STAGES = {"sft": "sft", "pretrain": "pt", "dpo": "dpo", "orpo": "dpo", "kto": "kto", "rm": "rm", "ppo": "ppo"}
METHODS = {"full": "full", "lora": "lora", "qlora": "lora", "dora": "lora"}


def render(context: Context) -> dict[str, str]:
    """``llama-factory.yaml``, ``dataset_info.json``, ``deepspeed.json`` for sharded states, scripts."""
    facts = facts_of(context)
    refuse_layouts(facts, "LLaMA-Factory")
    head = facts.comment("LLaMA-Factory: llamafactory-cli train llama-factory.yaml")
    files = {
        FILE: yaml_text(values(facts), comment=head),
        "dataset_info.json": json.dumps(dataset_info(facts), indent=2) + "\n",
    }
    if _shards(facts):
        files[DEEPSPEED_FILE] = json.dumps(deepspeed_config(facts), indent=2) + "\n"
    return with_launch(facts, files, *_launch(facts))


def values(facts: TrainingFileFacts) -> dict[str, Any]:
    """The document in LLaMA-Factory's words. Raises BadInput for an objective that it has no stage for."""
    table, job = facts.table, facts.job
    stage = STAGES.get(table.objective)
    if stage is None:
        raise BadInput("finetune.objective", f"LLaMA-Factory has no stage for {table.objective[:60]!r}")
    return without(
        {
            "model_name_or_path": facts.model,
            "trust_remote_code": False,
            "stage": stage,
            "do_train": True,
            **_method(facts),
            "template": facts.template,
            "dataset_dir": ".",
            "dataset": facts.data_name,
            "cutoff_len": table.seq_len,
            "packing": True if table.packing and stage in ("sft", "pt") else None,
            "per_device_train_batch_size": table.micro_batch,
            "gradient_accumulation_steps": job.accumulates,
            "num_train_epochs": table.epochs,
            "learning_rate": facts.learning_rate,
            "lr_scheduler_type": "cosine",
            "warmup_steps": facts.warmup_steps,
            **_optimizer(facts),
            "bf16": facts.precision == "bf16",
            "fp16": True if facts.precision == "fp16" else None,
            "fp8": True if facts.fp8 else None,
            "pure_bf16": True if facts.pure and not job.adapters and not facts.is_deepspeed else None,
            **_memory(facts),
            "flash_attn": {"flash": "fa2", "sdpa": "sdpa", "eager": "disabled"}[facts.attention],
            "deepspeed": DEEPSPEED_FILE if _shards(facts) else None,
            "ddp_timeout": 180000000,
            "logging_steps": 1,
            "save_strategy": "epoch",
            "plot_loss": True,
            "output_dir": OUTPUT,
        }
    )


def _method(facts: TrainingFileFacts) -> dict[str, Any]:
    job, table, scheme = facts.job, facts.table, facts.job.quantization.scheme
    found: dict[str, Any] = {"finetuning_type": METHODS.get(table.method, "lora")}
    if table.objective == "dpo":
        found.update({"pref_beta": 0.1, "pref_loss": "sigmoid"})
    if not job.adapters:
        return found
    bits = {"bnb-nf4": 4, "bnb-int8": 8}.get(scheme)
    found.update(
        {
            "lora_rank": job.lora_rank,
            "lora_alpha": facts.alpha,
            "lora_dropout": 0.0,
            "lora_target": "all" if facts.all_linear else ",".join(facts.modules),
            "additional_target": "lm_head" if facts.head_too else None,
            "use_dora": True if table.method == "dora" else None,
            "quantization_bit": bits,
            "quantization_method": "bnb" if bits else None,
        }
    )
    if job.trainer.facts["experts"] == "cpu":
        found["use_kt"] = True
    return found


def _optimizer(facts: TrainingFileFacts) -> dict[str, Any]:
    """Muon is a switch of its own here."""
    return {"use_muon": True} if facts.job.optimizer == "muon" else {"optim": facts.optimizer()}


def _memory(facts: TrainingFileFacts) -> dict[str, Any]:
    mode = facts.job.checkpointing
    return without(
        {
            "disable_gradient_checkpointing": True if mode == "none" else None,
            "use_unsloth_gc": True if mode == "offloaded" else None,
            "enable_liger_kernel": True if facts.table.fused_cross_entropy or facts.table.fused_kernels else None,
            "torch_compile": True if facts.table.compile else None,
        }
    )


def _shards(facts: TrainingFileFacts) -> bool:
    """Whatever is sharded or offloaded goes through DeepSpeed here."""
    return facts.is_deepspeed or facts.is_fsdp or facts.table.offload != "none"


def dataset_info(facts: TrainingFileFacts) -> dict[str, Any]:
    """The dataset's entry: chat samples, preference pairs or plain text."""
    objective = facts.table.objective
    if objective == "pretrain":
        return {facts.data_name: {"file_name": facts.data_path, "columns": {"prompt": "text"}}}
    columns: dict[str, str] = {"messages": "messages"}
    tags = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"}
    entry: dict[str, Any] = {"file_name": facts.data_path, "formatting": "sharegpt", "columns": columns, "tags": tags}
    if objective in PAIRED:
        columns.update({"chosen": "chosen", "rejected": "rejected"})
        entry["ranking"] = True
    return {facts.data_name: entry}


def _launch(facts: TrainingFileFacts) -> tuple[list[Word], dict[str, str]]:
    """The command and its environment: LLaMA-Factory starts torchrun itself."""
    nodes = facts.job.cluster.nodes
    env = {"FORCE_TORCHRUN": "1"} if facts.gpus > 1 else {}
    command: list[Word] = ["llamafactory-cli", "train", FILE]
    if nodes == 1:
        return command, env
    several: list[Word] = [
        f"NNODES={nodes}",
        ("NODE_RANK=", Ref("NODE_RANK")),
        ("MASTER_ADDR=", Ref("HEAD")),
        f"MASTER_PORT={PORT}",
    ]
    return ["env", *several, *command], env
