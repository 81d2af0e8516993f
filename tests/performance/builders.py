"""Deployments for these tests, resolved against the real database and profiles."""

from __future__ import annotations

from functools import cache
from typing import Any

from planner.documents.files import parse_deployment
from planner.documents.result import Performance
from planner.library import Library
from planner.memory.serving import serving_memory
from planner.performance.serving import serving_performance
from planner.resolve import resolve
from planner.resolved import Resolved

LLAMA_8B: dict[str, Any] = {
    "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 4096, "intermediate_size": 14336,
    "num_attention_heads": 32, "num_key_value_heads": 8, "num_hidden_layers": 32, "vocab_size": 128256,
    "max_position_embeddings": 131072, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
}  # fmt: skip
LLAMA_70B = LLAMA_8B | {
    "hidden_size": 8192, "intermediate_size": 28672, "num_attention_heads": 64, "num_hidden_layers": 80,
}  # fmt: skip
QWEN3_30B: dict[str, Any] = {
    "model_type": "qwen3_moe", "architectures": ["Qwen3MoeForCausalLM"], "hidden_size": 2048, "head_dim": 128,
    "intermediate_size": 6144, "moe_intermediate_size": 768, "num_attention_heads": 32, "num_key_value_heads": 4,
    "num_hidden_layers": 48, "num_experts": 128, "num_experts_per_tok": 8, "decoder_sparse_step": 1,
    "mlp_only_layers": [], "norm_topk_prob": True, "vocab_size": 151936, "max_position_embeddings": 40960,
    "tie_word_embeddings": False, "torch_dtype": "bfloat16",
}  # fmt: skip


@cache
def library() -> Library:
    return Library()


def deployment(config: dict[str, Any], weights: str = "bf16", **tables: dict[str, Any]) -> Resolved:
    """A resolved deployment; ``tables`` are hardware, engine, serving and workload."""
    tables.setdefault("hardware", {"accelerator": "h100-sxm-80gb"})
    tables.setdefault("engine", {"name": "vllm", "version": "0.19.0"})
    document = {"schema": "deploy-planner/deployment/1", "model": {"config": config, "weights": weights}, **tables}
    return resolve(parse_deployment(document, "test"), library())


def speed(resolved: Resolved) -> Performance:
    return serving_performance(resolved, serving_memory(resolved), library().curves)
