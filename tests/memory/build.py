"""Deployments for the tests: real configs in short form, real profiles, real devices."""

from __future__ import annotations

from typing import Any

from hwdb.schema import Accelerator
from planner.documents.files import parse_deployment
from planner.engines.defaults import Placement, serving_defaults
from planner.engines.registry import engine_profile
from planner.models.architecture import Architecture
from planner.models.formats import weight_scheme
from planner.models.hf_config import architecture_from_config
from planner.resolved import Cluster, Device, Host, Resolved, Serving, Workload
from planner.units import GIB

LLAMA_8B: dict[str, Any] = {
    "model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32,
    "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 128256, "max_position_embeddings": 131072,
    "tie_word_embeddings": False, "torch_dtype": "bfloat16",
}  # fmt: skip
LLAMA_70B: dict[str, Any] = {
    **LLAMA_8B, "hidden_size": 8192, "num_hidden_layers": 80, "num_attention_heads": 64, "intermediate_size": 28672,
}  # fmt: skip
QWEN3_32B: dict[str, Any] = {
    "model_type": "qwen3", "hidden_size": 5120, "num_hidden_layers": 64, "num_attention_heads": 64,
    "num_key_value_heads": 8, "head_dim": 128, "intermediate_size": 25600, "vocab_size": 151936,
    "max_position_embeddings": 40960, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
}  # fmt: skip
QWEN3_235B: dict[str, Any] = {
    "model_type": "qwen3_moe", "hidden_size": 4096, "num_hidden_layers": 94, "num_attention_heads": 64,
    "num_key_value_heads": 4, "head_dim": 128, "intermediate_size": 12288, "moe_intermediate_size": 1536,
    "num_experts": 128, "num_experts_per_tok": 8, "decoder_sparse_step": 1, "mlp_only_layers": [],
    "vocab_size": 151936, "max_position_embeddings": 40960, "tie_word_embeddings": False,
}  # fmt: skip
DEEPSEEK_R1: dict[str, Any] = {
    "model_type": "deepseek_v3", "hidden_size": 7168, "num_hidden_layers": 61, "num_attention_heads": 128,
    "num_key_value_heads": 128, "q_lora_rank": 1536, "kv_lora_rank": 512, "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64, "v_head_dim": 128, "intermediate_size": 18432, "moe_intermediate_size": 2048,
    "n_routed_experts": 256, "num_experts_per_tok": 8, "n_shared_experts": 1, "first_k_dense_replace": 3,
    "moe_layer_freq": 1, "num_nextn_predict_layers": 1, "vocab_size": 129280, "max_position_embeddings": 163840,
    "tie_word_embeddings": False, "torch_dtype": "bfloat16",
}  # fmt: skip
DEEPSEEK_V32: dict[str, Any] = {
    **DEEPSEEK_R1, "model_type": "deepseek_v32", "index_n_heads": 64, "index_head_dim": 128, "index_topk": 2048,
}  # fmt: skip

H100 = 79.19 * GIB
H200 = 139.8 * GIB
MI300X = 191.98 * GIB


def architecture(config: dict[str, Any]) -> Architecture:
    return architecture_from_config(config)


def device(memory: float, vendor: str = "nvidia", **facts: Any) -> Device:
    return Device(Accelerator(id="card", vendor=vendor, name="card", **facts), memory)


def resolved(
    config: dict[str, Any] | Architecture,
    memory: float = H100,
    *,
    weights: str = "bf16",
    engine: str = "vllm",
    version: str | None = "0.19.0",
    backend: str | None = None,
    per_node: int = 8,
    nodes: int = 1,
    used: float = 0.0,
    load: Workload | None = None,
    **serving: Any,
) -> Resolved:
    """A resolved deployment without any file or database."""
    arch = config if isinstance(config, Architecture) else architecture_from_config(config)
    profile = engine_profile(engine, version, backend)
    layout = {"tp": 1, "attention_dp": 1, "pp": 1, "dp": 1, "ep": 1, "dcp": 1, "max_model_len": 8192}
    values = {**layout, **serving}
    placement = Placement(tp=values["tp"], pp=values["pp"], max_model_len=values["max_model_len"])
    values = {**serving_defaults(profile, memory, arch, placement), **values}
    if values["kv_cache_dtype"] == "auto":
        values["kv_cache_dtype"] = "bf16"
    card = Device(device(memory).accelerator, memory, used_bytes=used)
    return Resolved(
        deployment=parse_deployment({"schema": "deploy-planner/deployment/1", "model": {"id": "x"}}, "test"),
        model_id="x",
        architecture=arch,
        quantization=weight_scheme(weights, arch, None),
        cluster=Cluster(card, per_node, nodes, None, None, Host()),
        engine=profile,
        serving=Serving(**values),
        workload=load or Workload(1024, 512, 1.0, None, False),
    )
