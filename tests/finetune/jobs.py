"""Training jobs of every kind that trainer files are made for: by the tests, and by the trainers' own parsers."""

from __future__ import annotations

from functools import cache
from typing import Any

from planner.export.registry import render
from planner.export.target import Context, Options
from planner.predict import predict
from planner.resolve import resolve
from tests.finetune.build import QWEN_MOE, V3, document, library

JOBS: dict[str, dict[str, Any]] = {
    "lora": {"method": "lora", "packing": True, "fused_cross_entropy": True, "fused_kernels": True, "tokens": 1e7,
             "micro_batch": 2, "grad_accum": 4},
    "qlora-fsdp": {"method": "qlora", "gpus": 2, "sharding": "fsdp", "micro_batch": 2, "lora_targets": ["q", "v"],
                   "offload": "optimizer+params"},
    "full-zero3": {"method": "full", "gpus": 8, "sharding": "zero3", "offload": "optimizer+params",
                   "precision": "bf16-mixed"},
    "full-zero2": {"method": "full", "gpus": 8, "sharding": "zero2", "offload": "optimizer", "precision": "bf16-mixed"},
    "dora": {"method": "dora", "gradient_checkpointing": False, "lora_targets": "all-linear+head"},
    "dpo-nodes": {"method": "lora", "objective": "dpo", "gpus": 8, "nodes": 2, "sharding": "ddp"},
    "pretrain": {"method": "full", "objective": "pretrain", "gpus": 8, "nodes": 4, "sharding": "fsdp", "packing": True},
    "int8": {"method": "lora", "weights": "bnb-int8"},
    "offloaded": {"method": "lora", "gradient_checkpointing": "offloaded", "optimizer": "paged-adamw-8bit"},
    "grpo": {"method": "lora", "objective": "grpo", "gpus": 8, "sharding": "zero2", "grad_accum": 8},
    "experts": {"model": QWEN_MOE, "method": "lora", "lora_targets": ["q", "v", "gate", "up", "down"], "gpus": 8,
                "sharding": "fsdp", "hardware": "h100-sxm-80gb"},
    "latent-attention": {"model": V3, "method": "lora", "gpus": 8, "nodes": 4, "sharding": "zero3",
                         "hardware": "h200-sxm-141gb", "lora_targets": ["q", "k", "v", "o"]},
    "long": {"method": "full", "gpus": 8, "sharding": "fsdp", "seq_len": 131072, "parallel": {"cp": 8},
             "hardware": "h100-sxm-80gb", "optimizer": "adamw-8bit"},
    "paged-fsdp": {"method": "qlora", "gpus": 4, "sharding": "fsdp", "optimizer": "paged-adamw-8bit"},
    "zero1": {"method": "full", "gpus": 4, "sharding": "zero1", "precision": "bf16-mixed", "optimizer": "adamw"},
    "compiled-fp8": {"method": "full", "gpus": 8, "sharding": "fsdp", "precision": "fp8-mixed", "compile": True,
                     "hardware": "h100-sxm-80gb"},
    "adafactor": {"method": "full", "optimizer": "adafactor", "hardware": "h200-sxm-141gb", "epochs": 3},
    "muon": {"method": "full", "optimizer": "muon", "hardware": "h200-sxm-141gb"},
    "sgd": {"method": "full", "optimizer": "sgd"},
    "old-card": {"method": "qlora", "hardware": "t4-16gb", "precision": "fp16-mixed", "seq_len": 1024},
    "hybrid": {"model": V3, "method": "lora", "trainer": "ktransformers", "hardware": "rtx-4090", "gpus": 2,
               "seq_len": 2048},
    "full-dpo": {"method": "full", "objective": "dpo", "gpus": 8, "sharding": "zero3", "precision": "bf16-mixed"},
    "megatron": {"method": "full", "trainer": "megatron", "gpus": 8, "hardware": "h100-sxm-80gb", "packing": True,
                 "precision": "fp8-mixed", "gradient_checkpointing": "selective", "parallel": {"tp": 2, "cp": 2}},
    "megatron-experts": {"model": V3, "method": "full", "trainer": "megatron", "objective": "pretrain", "gpus": 8,
                         "nodes": 128, "hardware": "h100-sxm-80gb", "precision": "fp8-mixed", "sharding": "zero1",
                         "gradient_checkpointing": "selective", "parallel": {"tp": 2, "pp": 8, "ep": 64, "vp": 4},
                         "tokens": 1e9, "global_batch": 8192},
    "megatron-lora": {"model": QWEN_MOE, "method": "lora", "trainer": "megatron", "gpus": 8,
                      "hardware": "h200-sxm-141gb", "sharding": "zero1", "parallel": {"ep": 8}},
    "megatron-nvfp4": {"method": "dora", "trainer": "megatron", "gpus": 8, "hardware": "b200-sxm",
                       "precision": "nvfp4-mixed"},
    "gemma": {"model": "google/gemma-2-9b-it", "method": "qlora", "seq_len": 2048},
    "gpt-oss": {"model": "openai/gpt-oss-20b", "method": "lora", "hardware": "h200-sxm-141gb"},
}  # fmt: skip
"""Changes to ``tests.finetune.build.document`` by name; no trainer is named unless only one can do it."""


def context(options: Options | None = None, **table: Any) -> Context:
    """What exporters get for a job."""
    deployment = document(**{"trainer": None, **table})
    return Context(deployment, resolve(deployment, library()), predict(deployment, library()), options or Options())


def files(name: str, **table: Any) -> dict[str, str]:
    """A target's files for a job."""
    return render(name, context(**table))


@cache
def files_of(name: str, job: str) -> dict[str, str]:
    """A target's files for one of ``JOBS``; treat as read-only."""
    return files(name, **JOBS[job])
