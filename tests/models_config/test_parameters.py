"""Parameter counts against exact ones: of published models, and of the reference implementation's classes."""

from __future__ import annotations

import pytest

from planner.errors import BadInput, UnknownArchitecture
from planner.models.hf_config import architecture_from_config
from planner.models.parameters import count_parameters
from tests.models_config.common import architecture, config, rows

WITHOUT_TOWER = "RedHatAI--Llama-4-Scout-17B-16E-Instruct-FP8-dynamic.json"
"""The truth counts this one without the vision tower that its config describes; the published checkpoint has it."""

PUBLISHED = {
    "deepseek-ai--DeepSeek-V2-Lite": 15_706_484_224,
    "google--gemma-2-27b": 27_227_128_320,
    "ibm-granite--granite-4.0-h-small": 32_207_337_984,
    "inclusionAI--Ling-3.0-tiny": 7_893_392_800,
    "meta-llama--Llama-2-7b-hf": 6_738_417_664,
    "meta-llama--Llama-3.1-405B": 405_853_388_800,
    "microsoft--Phi-4-mini-instruct": 3_836_021_760,
    "MiniMaxAI--MiniMax-M1-80k": 456_089_655_296,
    "mistralai--Mistral-Medium-3.5-128B": 127_704_210_176,
    "moonshotai--Kimi-K3": 2_779_931_837_184,
    "nvidia--Llama-3_3-Nemotron-Super-49B-v1": 49_867_145_216,
}
"""Counts of published safetensors files (metadata), for models that the reference implementation does not build.
They may hold buffers besides (rotary frequencies, router corrections)."""

WITH_PREDICTION = {
    "Qwen--Qwen3.5-27B": 27_781_427_952,
    "Qwen--Qwen3.5-122B-A10B": 125_086_497_008,
    "Qwen--Qwen3.8-2.4T-A95B": 2_446_182_725_504,
    "XiaomiMiMo--MiMo-7B-Base": 7_833_409_536,
    "nvidia--NVIDIA-Nemotron-3-Ultra-550B-A55B-BF16": 560_524_578_816,
    "zai-org--GLM-4.6": 356_785_898_816,
    "zai-org--GLM-5.3": 753_329_940_480,
}
"""Counts of published files that hold the multi-token-prediction layers as well."""

REFERENCE_DIFFERS = {
    "mistralai--Mistral-Medium-3.5-128B.json": "the reference ties what the published checkpoint does not",
    "inclusionAI--Ling-3.0-tiny.json": "the reference ignores q_lora_rank, the published checkpoint does not",
    "ibm-granite--granite-4.0-h-small.json": "the config counts layers by kind and does not list them",
    "stepfun-ai--Step-3.7-Flash.json": "the reference ignores the vocabulary of the flat config",
    "stepfun-ai--Step-3.7-Flash-FP8.json": "the reference ignores the vocabulary of the flat config",
    "meta-llama--Llama-4-Maverick-17B-128E-Instruct.json": "no vision_config: the reference adds a default tower",
    "meta-llama--Llama-4-Scout-17B-16E-Instruct.json": "no vision_config: the reference adds a default tower",
    "Qwen--Qwen3.5-4B.json": "no vision_config: the reference adds a default tower",
    "Qwen--Qwen3.8-Flash-Next.json": "no vision_config; n-gram tables have primes as sizes",
    "BAAI--bge-m3.json": "an encoder, which the reference builds with a language head",
    "BAAI--bge-reranker-v2-m3.json": "an encoder, which the reference builds with a language head",
    "Snowflake--snowflake-arctic-embed-m.json": "an encoder, which the reference builds with a language head",
    "bert": "an encoder, which the reference builds with a language head",
    "roberta": "an encoder, which the reference builds with a language head",
    "xlm-roberta": "an encoder, which the reference builds with a language head",
    "camembert": "an encoder, which the reference builds with a language head",
    "longcat_flash": "the reference gives identity experts a weight that published files do not have",
    "deepseek_v2": "the class default has experts and no number of them per token",
    "mimo_v2_flash": "the class default has no keys for windowed heads",
    "lfm3_vl": "the class default has no downsampling factor",
    "llava_onevision": "the reference's default image size does not divide by its patches",
    "fuyu": "images enter through a linear layer, which is not counted (0.1 %)",
    "moss_transcribe_diarize": "a speech encoder under a name of its own is not counted",
    "video_llava": "a second tower for video is not counted",
}


@pytest.mark.parametrize("case", rows("parameters.jsonl"), ids=lambda c: c["config"][:-5])
def test_exact_counts_of_published_models(case):
    counted = count_parameters(architecture(case["config"]))
    total = case["total"] + (counted.vision if case["config"] == WITHOUT_TOWER else 0)
    assert counted.total == pytest.approx(total, rel=1e-5)
    assert counted.embedding == pytest.approx(case.get("embedding", counted.embedding), rel=1e-3)
    assert counted.routed_experts == case["routed_experts"]


@pytest.mark.parametrize(("name", "total"), PUBLISHED.items())
def test_counts_of_published_files(name, total):
    assert count_parameters(architecture(name)).total == pytest.approx(total, rel=2e-5)


@pytest.mark.parametrize(("name", "total"), WITH_PREDICTION.items())
def test_prediction_layers_are_apart_from_the_total(name, total):
    model = architecture(name)
    predicting = sum(tensor.numel for layer in model.mtp for tensor in layer.tensors)
    assert predicting > 0
    assert count_parameters(model).total + predicting == pytest.approx(total, rel=1e-6)


def test_every_model_of_the_reference_implementation():
    """Some 300 classes and configs, built by the reference without weights, have the same number of weights here.

    Models of an unknown kind say so; those with an unknown vision tower carry a doubt.
    """
    wrong, equal, unknown = {}, 0, 0
    for row in rows("reference_parameters.jsonl"):
        name = row.get("config") or row["model_type"]
        try:
            model = architecture_from_config(row.get("keys") or config(row["config"]))
        except UnknownArchitecture:
            unknown += 1
            continue
        except BadInput:
            assert name in REFERENCE_DIFFERS
            continue
        counted = count_parameters(model).total
        equal += counted == row["total"]
        doubtful = any("vision tower" in doubt for doubt in model.doubts)
        if counted != row["total"] and not doubtful and name not in REFERENCE_DIFFERS:
            wrong[name] = counted - row["total"]
    assert wrong == {}
    assert equal >= 305
    assert unknown <= 76


def test_active_parameters():
    """What one token multiplies with, as the publishers state it."""
    stated = {"deepseek-ai--DeepSeek-R1": 37e9, "Qwen--Qwen3-235B-A22B": 22e9, "openai--gpt-oss-120b": 5.1e9}
    for name, active in stated.items():
        assert count_parameters(architecture(name)).active == pytest.approx(active, rel=0.05)
    dense = count_parameters(architecture("Qwen--Qwen3-8B"))
    assert dense.active == dense.total - dense.embedding
    tied = count_parameters(architecture("Qwen--Qwen3-0.6B"))
    assert tied.active == tied.total
