"""Schemes as checkpoints state them, and the bytes they take, against published files and printed logs."""

from __future__ import annotations

import pytest

from planner.errors import BadInput, UnknownName
from planner.models.architecture import Quantization, Tensor
from planner.models.formats import model_bytes, scheme_of, tensor_bytes, weight_scheme
from planner.models.hf_config import architecture_from_config
from planner.models.quantization import quantized, stated_scheme
from planner.models.quantization_config import read_table
from planner.models.quantization_patterns import layer_of, matches
from planner.units import GIB
from tests.models_config.common import architecture, config

PUBLISHED_GIB = {
    "deepseek-ai--DeepSeek-V4-Pro": 805.34,
    "google--gemma-3-27b-it": 51.10,
    "google--gemma-4-26B-A4B-it": 48.07,
    "meta-llama--Llama-3.1-8B-Instruct": 14.96,
    "microsoft--Phi-3.5-mini-instruct": 7.12,
    "mistralai--Mistral-7B-Instruct-v0.3": 13.50,
    "moonshotai--Kimi-K2.5": 554.32,
    "nvidia--NVIDIA-Nemotron-3-Nano-30B-A3B-BF16": 58.82,
    "nvidia--NVIDIA-Nemotron-Nano-9B-v2": 16.56,
    "openai--gpt-oss-120b": 121.54 / 2,
    "openai--gpt-oss-20b": 25.63 / 2,
    "Qwen--Qwen3.5-122B-A10B": 232.99,
    "Qwen--Qwen3.5-27B": 51.75,
    "Qwen--Qwen3.8-2.4T-A95B": 4556.39,
    "zai-org--GLM-5.2-FP8": 703.75,
}
"""Checkpoints as published, prediction layers included (kaito-project/kaito model_catalog.yaml, index total_size).
The gpt-oss repositories hold every weight twice."""


@pytest.mark.parametrize(("name", "gib"), PUBLISHED_GIB.items())
def test_bytes_of_published_checkpoints(name, gib):
    model = architecture(name)
    scheme = model.quantization or weight_scheme("bf16", model)
    predicting = sum(tensor_bytes(tensor, scheme) for layer in model.mtp for tensor in layer.tensors)
    assert (model_bytes(model, scheme) + predicting) / GIB == pytest.approx(gib, rel=2e-3)


def test_minimax_m2_is_published_without_its_prediction_layers():
    model = architecture("MiniMaxAI--MiniMax-M2.7")
    assert model_bytes(model, model.quantization) / GIB == pytest.approx(214.34, rel=2e-3)


MATRIX = Tensor("mlp.up_proj", (1024, 4096), "mlp", "column", quantized=True)
EXPERTS = Tensor("mlp.experts.up_proj", (8, 1024, 4096), "experts", "experts", quantized=True)
COUNT = 1024 * 4096


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("bf16", 2 * COUNT),
        ("fp32", 4 * COUNT),
        ("fp8", COUNT + 1024 * 4),
        ("fp8-block", COUNT + 8 * 32 * 4),
        ("fp8-tensor", COUNT + 4),
        ("nvfp4", COUNT / 2 + COUNT / 16),
        ("mxfp4", COUNT / 2 + COUNT / 32),
        ("awq-int4", COUNT / 2 + COUNT / 128 * 2.5),
        ("w4a16-int4", COUNT / 2 + COUNT / 128 * 2),
        ("w8a8-int8", COUNT + 1024 * 4),
        ("bnb-nf4", COUNT / 2 + COUNT / 64 * (1 + 4 / 256)),
    ],
)
def test_true_bytes_with_scales_and_zero_points(name, size):
    scheme = weight_scheme(name, architecture("Qwen--Qwen3-8B"))
    assert tensor_bytes(MATRIX, scheme) == pytest.approx(size)
    if name not in ("bnb-nf4",):
        assert tensor_bytes(EXPERTS, scheme) == pytest.approx(8 * size)


def test_rows_that_do_not_fill_a_block_take_a_whole_scale():
    scheme = weight_scheme("fp8-block", architecture("Qwen--Qwen3-8B"))
    odd = Tensor("self_attn.kv_a_proj_with_mqa", (576, 7168), "attention", quantized=True)
    assert tensor_bytes(odd, scheme) == 576 * 7168 + 5 * 56 * 4


def test_the_checkpoints_own_scheme_stands_for_its_family():
    model = architecture("deepseek-ai--DeepSeek-R1")
    own = weight_scheme("fp8", model)
    assert own is model.quantization
    assert (own.scheme, own.block) == ("fp8-block", (128, 128))
    assert weight_scheme("auto", model) is own
    assert weight_scheme("bf16", model).scheme == weight_scheme("auto", architecture("Qwen--Qwen3-8B")).scheme == "none"
    assert weight_scheme("nvfp4", model).scheme == "nvfp4"
    assert weight_scheme("gptq-int4", architecture("moonshotai--Kimi-K2.5")).group == 32
    mixed = weight_scheme("mxfp4", architecture("deepseek-ai--DeepSeek-V4-Pro"))
    assert mixed.scheme == "fp8-block"
    assert [part.scheme for _, part in mixed.overrides] == ["mxfp4"]


@pytest.mark.parametrize(
    ("weights", "checkpoint", "scheme", "kv"),
    [
        ("fp8", "RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic", "fp8-channel", None),
        ("fp8", "nvidia/Llama-3.3-70B-Instruct-FP8", "fp8-tensor", "fp8"),
        ("fp8", "amd/Llama-3.1-70B-Instruct-FP8-KV", "fp8-tensor", "fp8"),
        ("fp8", "Qwen/Qwen3-14B-FP8", "fp8-block", None),
        ("fp8", None, "fp8-channel", None),
        ("w8a8-int8", "redhatai/Llama-3.3-70B-Instruct-quantized.w8a8", "w8a8-int8", None),
        ("awq-int4", "hugging-quants/Meta-Llama-3.1-70B-Instruct-AWQ-INT4", "awq", None),
        ("nvfp4", "nvidia/Qwen3-32B-NVFP4", "nvfp4", "fp8"),
    ],
)
def test_names_of_repacks_are_hints(weights, checkpoint, scheme, kv):
    found = weight_scheme(weights, architecture("meta-llama--Llama-3.1-70B-Instruct"), checkpoint)
    assert (found.scheme, found.kv_cache) == (scheme, kv)


def test_an_unknown_format_names_the_nearest():
    with pytest.raises(UnknownName):
        weight_scheme("fp7", architecture("Qwen--Qwen3-8B"))


def test_what_a_person_states_wins():
    base = weight_scheme("w4a16-int4", architecture("Qwen--Qwen3-8B"))
    stated = stated_scheme(base, bits=None, group=32, ignore=("mlp",))
    assert (stated.bits, stated.group) == (4, 32)
    assert scheme_of(MATRIX, stated) is None


def kept(name: str) -> set[str]:
    """Modules of linear weights that stay in 16 bits in every layer."""
    model = architecture(name)
    scheme = model.quantization
    assert scheme is not None
    linear = [t for layer in model.layer_kinds for t in layer.tensors if len(t.shape) > 1 and t.part != "norm"]
    low = {t.module for t in linear if scheme_of(t, scheme) is not None}
    return {t.module for t in linear} - low


def test_ignore_lists_of_published_checkpoints():
    assert "self_attn.kv_b_proj" not in kept("deepseek-ai--DeepSeek-R1")
    assert kept("deepseek-ai--DeepSeek-R1") == {"mlp.gate"}
    assert {"self_attn.q_proj", "mlp.router"} <= kept("openai--gpt-oss-120b")
    assert "mlp.experts.gate_proj" not in kept("openai--gpt-oss-120b")
    assert {"self_attn.q_a_proj", "mlp.shared_experts.up_proj", "mlp.up_proj"} <= kept("moonshotai--Kimi-K2.5")
    assert "mlp.experts.up_proj" not in kept("moonshotai--Kimi-K2.5")


def test_layers_that_a_list_names_are_split_off():
    """GLM-5.2's NVFP4 file keeps its dense layers and the last, and attention everywhere, in 16 bits."""
    model = architecture("nvidia--GLM-5.2-NVFP4")
    scheme = model.quantization
    assert (scheme.scheme, scheme.kv_cache) == ("nvfp4", "fp8")
    first, later = model.layers[0], model.layers[10]
    assert not any(scheme_of(t, scheme) for t in first.tensors)
    assert any(scheme_of(t, scheme) for t in later.tensors if t.part == "experts")
    assert not any(scheme_of(t, scheme) for t in later.tensors if t.part == "attention")


def test_mixed_precision():
    model = architecture("nvidia--Qwen3.6-27B-NVFP4")
    scheme = model.quantization
    tensors = {t.module: t for layer in model.layer_kinds for t in layer.tensors}
    assert scheme_of(tensors["mlp.gate_proj"], scheme).scheme == "nvfp4"
    assert scheme_of(tensors["linear_attn.in_proj_qkv"], scheme).scheme == "fp8-tensor"
    assert scheme_of(tensors["linear_attn.in_proj_b"], scheme) is None


def test_side_file_of_modelopt():
    plain = architecture("nvidia--Qwen3-235B-A22B-NVFP4")
    assert plain.quantization is None
    model = quantized(plain, config("nvidia--Qwen3-235B-A22B-NVFP4.hf_quant.json"))
    assert (model.quantization.scheme, model.quantization.kv_cache) == ("nvfp4", "fp8")
    assert model_bytes(model, model.quantization) / GIB == pytest.approx(124.9, rel=0.01)


@pytest.mark.parametrize(
    ("table", "scheme", "bits", "group"),
    [
        ({"quant_method": "awq", "bits": 4, "group_size": 64, "zero_point": True}, "awq", 4, 64),
        ({"quant_method": "gptq", "bits": 8, "group_size": 128}, "w8a16", 8, 128),
        ({"quant_method": "gptq", "bits": 4, "group_size": -1, "sym": True}, "gptq", 4, None),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_use_double_quant": True}, "bnb-nf4", 4, 64),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, "bnb-int8", 8, None),
        ({"quant_method": "fbgemm_fp8"}, "fp8-channel", 8, None),
        ({"quant_method": "torchao", "quant_type": {"default": {"_type": "Int4WeightOnlyConfig"}}}, "w4a16", 4, 128),
        (
            {"quant_method": "quark", "global_quant_config": {"weight": {"dtype": "fp4", "group_size": 32}}},
            "mxfp4",
            4,
            32,
        ),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {
                    "g": {
                        "targets": ["Linear"],
                        "weights": {"num_bits": 8, "type": "int"},
                        "input_activations": {"b": 8},
                    }
                },
            },
            "w8a8-int8",
            8,
            None,
        ),
        ({"quant_method": "modelopt", "quant_algo": "FP8", "kv_cache_quant_algo": "FP8"}, "fp8-tensor", 8, None),
    ],
)
def test_methods(table, scheme, bits, group):
    reading = read_table({"quantization_config": table})
    assert (reading.main.scheme, reading.main.bits, reading.main.group) == (scheme, bits, group)


@pytest.mark.parametrize(
    "table",
    [
        {"quant_method": "holographic"},
        {"quant_method": "awq", "bits": 77},
        {"quant_method": "gptq", "bits": 4, "group_size": 10**30},
        {"quant_method": "fp8", "weight_block_size": [0, 128]},
        {"quant_method": "fp8", "weight_block_size": [128]},
        {"quant_method": "fp8", "modules_to_not_convert": "lm_head"},
    ],
)
def test_schemes_not_understood_are_problems(table):
    with pytest.raises(BadInput):
        architecture_from_config({**config("Qwen--Qwen3-8B"), "quantization_config": table})


def test_patterns():
    assert layer_of("model.layers.3.mlp.gate", 8) == ("mlp.gate", (3,))
    assert layer_of("model.language_model.layers.0.self_attn*", 8) == ("self_attn*", (0,))
    assert layer_of("model.layers.1*", 12) == ("*", (1, 10, 11))
    assert layer_of("layers.2.ffn.experts.17.w1", 8) == ("ffn.experts.w1", (2,))
    assert layer_of("vision_model.model.layers.0.self_attn.q_proj", 8) == (None, ())
    assert layer_of("re:.*layers.0.*", 8) == (None, ())
    assert matches("mlp.gate", "mlp.gate", "router")
    assert not matches("mlp.gate", "mlp.gate_proj", "mlp")
    assert matches("gate", "block_sparse_moe.gate", "router")
    assert matches("model.layers.*.self_attn", "self_attn.q_proj", "attention") or matches(
        "model.layers.*.self_attn*", "self_attn.q_proj", "attention"
    )
    assert matches("re:.*mlp\\.(gate|up|gate_up|down)_proj.*", "mlp.up_proj", "mlp")
    assert not matches("re:.*mlp\\.(gate|up|gate_up|down)_proj.*", "mlp.experts.up_proj", "experts")
    assert matches("part:vision", "visual.blocks.attn.qkv", "vision")


def test_gguf_names_have_mean_bits():
    scheme = weight_scheme("gguf:Q4_K_M", architecture("Qwen--Qwen3-8B"))
    assert scheme.scheme == "gguf:Q4_K_M"
    assert 4.5 < scheme.bits < 5.3
    assert model_bytes(architecture("Qwen--Qwen3-8B"), scheme) / 1e9 == pytest.approx(5.03, rel=0.02)


def test_schemes_are_small_enough_to_be_keys():
    """Ignore lists of thousands of modules are folded, for schemes are hashed on every call."""
    for name in ("Qwen--Qwen3-235B-A22B-FP8", "zai-org--GLM-5-FP8", "nvidia--GLM-5.3-NVFP4"):
        scheme = architecture(name).quantization
        assert isinstance(scheme, Quantization)
        assert len(scheme.ignore) < 40
