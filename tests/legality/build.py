"""Resolved deployments for the tests, from real configs and hand-written clusters."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from hwdb.schema import Accelerator
from planner.data import read_json
from planner.documents.deployment import Deployment, ModelTable
from planner.engines.registry import engine_profile
from planner.legality.support import Support
from planner.legality.support_tables import load_support
from planner.models.architecture import Architecture, Quantization
from planner.models.hf_config import architecture_from_config
from planner.resolved import Cluster, Device, Host, Link, Resolved, Serving, Workload
from planner.units import GIB

LLAMA_8B: dict[str, Any] = {
    "model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32,
    "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 128256, "max_position_embeddings": 131072,
    "torch_dtype": "bfloat16", "tie_word_embeddings": False,
}  # fmt: skip
QWEN3_30B: dict[str, Any] = {
    "model_type": "qwen3_moe", "hidden_size": 2048, "num_hidden_layers": 48, "num_attention_heads": 32,
    "num_key_value_heads": 4, "head_dim": 128, "intermediate_size": 6144, "moe_intermediate_size": 768,
    "num_experts": 128, "num_experts_per_tok": 8, "decoder_sparse_step": 1, "vocab_size": 151936,
    "max_position_embeddings": 40960, "torch_dtype": "bfloat16", "tie_word_embeddings": False,
}  # fmt: skip
QWEN2_72B: dict[str, Any] = {
    "model_type": "qwen2", "hidden_size": 8192, "num_hidden_layers": 80, "num_attention_heads": 64,
    "num_key_value_heads": 8, "intermediate_size": 29568, "vocab_size": 152064, "max_position_embeddings": 32768,
    "torch_dtype": "bfloat16", "tie_word_embeddings": False,
}  # fmt: skip
DEEPSEEK_R1: dict[str, Any] = {
    "model_type": "deepseek_v3", "hidden_size": 7168, "num_hidden_layers": 61, "num_attention_heads": 128,
    "num_key_value_heads": 128, "intermediate_size": 18432, "vocab_size": 129280, "tie_word_embeddings": False,
    "max_position_embeddings": 163840, "n_routed_experts": 256, "num_experts_per_tok": 8,
    "moe_intermediate_size": 2048, "n_shared_experts": 1, "first_k_dense_replace": 3, "moe_layer_freq": 1,
    "q_lora_rank": 1536, "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128,
    "num_nextn_predict_layers": 1, "torch_dtype": "bfloat16",
    "quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128], "fmt": "e4m3"},
}  # fmt: skip

BF16 = Quantization("none")
FP16 = Quantization("none", base_dtype="fp16", compute="fp16")
FP8_BLOCK = Quantization("fp8-block", 8, scale_bits=32, block=(128, 128), compute="fp8")
FP8 = Quantization("fp8-channel", 8, scale_bits=32, compute="fp8")
AWQ = Quantization("awq", 4, group=128, scale_bits=16, zero_bits=4)
NVFP4 = Quantization("nvfp4", 4, group=16, scale_bits=8, compute="fp4")
MXFP4 = Quantization("mxfp4", 4, group=32, scale_bits=8)
INT8 = Quantization("w8a8-int8", 8, scale_bits=32, compute="int8")
GGUF = Quantization("gguf:Q4_K_M", 4.8)

NVLINK = Link("nvlink4", 4.5e11, 2e-6, switched=True)
FABRIC = Link("infiniband-ndr", 5e10, 3e-6)
SLOW = Link("ethernet-10g", 1.25e9, 3e-5)


@cache
def support() -> Support:
    return load_support(read_json)


def nvidia(capability: tuple[int, int], memory_gib: float = 80) -> Accelerator:
    return Accelerator(
        f"card-{capability[0]}{capability[1]}", "nvidia", f"a card of sm{capability[0]}{capability[1]}",
        memory_bytes=int(memory_gib * GIB), compute_capability=capability,
    )  # fmt: skip


def amd(gfx: str) -> Accelerator:
    return Accelerator(f"card-{gfx}", "amd", f"a card of {gfx}", gfx_arch=gfx)


def named(identifier: str, vendor: str) -> Accelerator:
    return Accelerator(identifier, vendor, identifier)


@cache
def _architecture(name: str) -> Architecture:
    return architecture_from_config(globals()[name])


def architecture(name: str) -> Architecture:
    """By the name of a config above."""
    return _architecture(name)


SERVING = Serving(
    tp=1, attention_dp=1, pp=1, dp=1, ep=1, dcp=1, max_model_len=8192, max_num_seqs=256,
    max_num_batched_tokens=8192, gpu_memory_utilization=0.9, kv_cache_dtype="bf16", block_size=16,
)  # fmt: skip


def resolved(
    model: Architecture,
    quantization: Quantization = BF16,
    card: Accelerator | None = None,
    engine: str = "vllm==0.19.0",
    **keys: Any,
) -> Resolved:
    """``keys``: fields of ``Serving``, and per_node, nodes, fabric, used_bytes, slice."""
    name, _, version = engine.partition("==")
    nodes, per_node = keys.pop("nodes", 1), keys.pop("per_node", 8)
    device = Device(
        card, card.memory_bytes or 80 * GIB if card else 64 * GIB,
        used_bytes=keys.pop("used_bytes", 0.0), slice=keys.pop("slice", None),
    )  # fmt: skip
    table = keys.pop("model_table", ModelTable(id="test/model"))
    return Resolved(
        deployment=Deployment(model=table),
        model_id="test/model",
        architecture=model,
        quantization=quantization,
        cluster=Cluster(device, per_node, nodes, NVLINK, keys.pop("fabric", None), Host()),
        engine=engine_profile(name, version or None),
        serving=replace(SERVING, **keys),
        workload=Workload(1024, 512, 16, None, False),
    )
