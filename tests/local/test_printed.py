"""Buffers that a llama.cpp build of October 2026 printed on a CPU for models with random weights (fp16), in MiB."""

from __future__ import annotations

from typing import Any

import pytest

from planner.documents.files import parse_deployment
from planner.memory.gguf import gguf_memory
from planner.resolve import resolve
from planner.units import MIB
from tests.local.build import library

COMMON = {"hidden_size": 1024, "vocab_size": 32000, "max_position_embeddings": 131072, "tie_word_embeddings": False}
DENSE: dict[str, Any] = {
    **COMMON, "model_type": "llama", "num_hidden_layers": 4, "num_attention_heads": 16, "num_key_value_heads": 4,
    "head_dim": 64, "intermediate_size": 4096,
}  # fmt: skip
MIXTURE = {
    **DENSE, "model_type": "qwen3_moe", "moe_intermediate_size": 384, "num_experts": 64, "num_experts_per_tok": 8,
}  # fmt: skip
LATENT = {
    **COMMON, "model_type": "deepseek_v3", "num_hidden_layers": 3, "num_attention_heads": 32, "num_key_value_heads": 32,
    "q_lora_rank": 384, "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128,
    "intermediate_size": 2048, "moe_intermediate_size": 384, "n_routed_experts": 32, "num_experts_per_tok": 8,
    "n_shared_experts": 1, "first_k_dense_replace": 1, "moe_layer_freq": 1,
}  # fmt: skip
SLIDING = {
    **COMMON, "model_type": "gemma3_text", "num_hidden_layers": 6, "num_attention_heads": 8, "num_key_value_heads": 4,
    "head_dim": 128, "intermediate_size": 4096, "sliding_window": 1024, "sliding_window_pattern": 6,
    "tie_word_embeddings": True,
}  # fmt: skip

PLAIN = {"max_model_len": 8192, "ubatch": 512, "flash_attention": True, "parallel": 1, "kv_cache_dtype": "fp16"}
SETTINGS = {
    "plain": PLAIN,
    "no flash": {**PLAIN, "flash_attention": False},
    "long": {**PLAIN, "max_model_len": 32768},
    "wide": {**PLAIN, "ubatch": 2048},
    "slots": {**PLAIN, "parallel": 4},
    "q8_0": {**PLAIN, "kv_cache_dtype": "q8_0"},
}
PRINTED = [
    (DENSE, 241.04, [32, 32, 128, 32, 32, 17], [42.02, 285.01, 66.02, 168.07, 42.02, 42.05]),
    (MIXTURE, 722.04, [32, 32, 128, 32, 32, 17], [52.02, 285.01, 76.02, 208.07, 52.02, 52.05]),
    (LATENT, 352.91, [27, 27, 108, 27, 27, 14.34], [102.01, 622.01, 126.01, 408.05, 102.01, 102.01]),
    (SLIDING, None, [31, 31, 79, 46, 61, 16.47], [43.53, 161.02, 67.53, 180.11, 46.53, 43.68]),
]
CASES = [
    pytest.param(config, weights, serving, kv[i], compute[i], id=f"{config['model_type']} {name}")
    for config, weights, kv, compute in PRINTED
    for i, (name, serving) in enumerate(SETTINGS.items())
]


@pytest.mark.parametrize(("config", "weights", "serving", "kv", "compute"), CASES)
def test_buffers_are_those_printed(config, weights, serving, kv, compute):
    document = {
        "model": {"id": "some/model", "weights": "gguf:F16", "config": config},
        "hardware": {"accelerator": "cpu"},
        "engine": {"name": "llama.cpp", "version": "b10400"},
        "serving": serving,
    }
    host = gguf_memory(resolve(parse_deployment(document, "test"), library())).devices[-1]
    if weights:
        assert host.weights.value == pytest.approx(weights * MIB, rel=1e-4)
    assert host.kv_cache.value == pytest.approx(kv * MIB, rel=1e-3)
    assert host.compute.value == pytest.approx(compute * MIB, rel=0.06)
    assert host.compute.low <= compute * MIB <= host.compute.high
