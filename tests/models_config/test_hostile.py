"""Configs from outside: whatever they hold, the answer is an architecture or a typed problem that names the key."""

from __future__ import annotations

import contextlib
import random
import time

import pytest

from planner.errors import BadInput, PlannerError, UnknownArchitecture
from planner.models.hf_config import architecture_from_config
from planner.models.parameters import count_parameters
from tests.models_config.common import config, raw_configs

BASE = config("Qwen--Qwen3-8B")
ABSURD = [
    0, -1, 10**12, 10**30, 10**400, 1e30, float("nan"), float("inf"), "4096", True, None, 1.5, [], [1], [[[]]], {},
    {"a": {"b": 1}}, "x" * 100_000, [-1] * 100, ["?"] * 100, [10**30] * 64, [0] * 8000,
]  # fmt: skip


@pytest.mark.parametrize("value", ABSURD, ids=lambda v: repr(v)[:20])
@pytest.mark.parametrize("name", ["Qwen--Qwen3-8B", "deepseek-ai--DeepSeek-V3.2", "Qwen--Qwen3.5-27B"])
def test_any_value_under_any_key(name, value):
    whole = config(name)
    for key in whole:
        attempt({**whole, key: value})
    for key in whole.get("text_config", {}):
        attempt({**whole, "text_config": {**whole["text_config"], key: value}})


def attempt(table):
    with contextlib.suppress(PlannerError):
        architecture_from_config(table)


def test_random_damage_to_every_published_config():
    """Three random keys of each config replaced by absurd values, from a fixed seed."""
    random.seed(7)
    for name in raw_configs():
        whole = config(name)
        for _ in range(3):
            target = whole.get("text_config", whole) if random.random() < 0.6 else whole
            damaged = {**target, random.choice(sorted(target)): random.choice(ABSURD)}
            attempt({**whole, "text_config": damaged} if target is not whole else damaged)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("num_hidden_layers", 10**12),
        ("num_hidden_layers", 0),
        ("num_hidden_layers", -3),
        ("hidden_size", 10**30),
        ("hidden_size", "4096"),
        ("vocab_size", float("nan")),
        ("num_attention_heads", True),
        ("intermediate_size", 10**400),
    ],
)
def test_the_key_is_named(key, value):
    with pytest.raises(BadInput) as caught:
        architecture_from_config({**BASE, key: value})
    assert key in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "table",
    [
        {},
        [],
        None,
        "config",
        {"tokenizer_class": "LlamaTokenizer", "model_max_length": 1000},
        {"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.30"},
        {"peft_type": "LORA", "r": 16},
        {"weight_map": {}, "metadata": {}},
    ],
    ids=["empty", "list", "none", "text", "tokenizer", "diffusion", "adapter", "index"],
)
def test_files_of_another_kind_are_refused(table):
    with pytest.raises(BadInput):
        architecture_from_config(table)


def test_an_unknown_architecture_is_named_with_what_is_known():
    with pytest.raises(UnknownArchitecture) as caught:
        architecture_from_config({**BASE, "model_type": "resonant_field", "architectures": ["ResonantFieldModel"]})
    assert "resonant_field" in str(caught.value)
    assert caught.value.known["hidden_size"] == "4096"


def test_an_unknown_kind_of_layer_is_not_guessed():
    with pytest.raises(UnknownArchitecture):
        architecture_from_config({**BASE, "layer_types": ["holographic"] * 36, "sliding_window": 128})


def test_a_plain_config_without_a_name_is_read_by_its_keys_with_a_doubt():
    plain = {k: v for k, v in BASE.items() if k not in ("model_type", "architectures")}
    model = architecture_from_config(plain)
    assert model.doubts
    assert count_parameters(model).total == pytest.approx(8_190_735_360, rel=1e-4)
    with pytest.raises(UnknownArchitecture):
        architecture_from_config({**plain, "wavelet_ranks": [4, 4]})


def test_nests_of_tables_end():
    deep: dict = {}
    for _ in range(3000):
        deep = {"text_config": deep, "thinker_config": deep}
    with pytest.raises(PlannerError):
        architecture_from_config(deep)


def test_lists_of_the_wrong_length_are_problems():
    for key, value in (
        ("layer_types", ["full_attention"] * 5),
        ("hybrid_override_pattern", "M*"),
        ("moe_layer_freq", [0, 1]),
        ("block_configs", [{}]),
    ):
        table = {**BASE, key: value, "num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 64}
        with pytest.raises(BadInput) as caught:
            architecture_from_config(table)
        assert key in str(caught.value)


def test_expressions_of_ignore_lists_cannot_run_away():
    evil = ["re:(a+)+$", "re:" + ".*" * 50 + "x", "re:(x+x+)+y", "re:[", "re:" + "a" * 5000, "*" * 200]
    group = {"targets": ["Linear"], "weights": {"num_bits": 8, "type": "float", "strategy": "channel"}}
    table = {"quant_method": "compressed-tensors", "ignore": evil, "config_groups": {"group_0": group}}
    start = time.perf_counter()
    architecture_from_config({**BASE, "quantization_config": table})
    assert time.perf_counter() - start < 5


def test_long_lists_do_not_multiply():
    """4096 layers against lists of thousands of entries stay linear."""
    start = time.perf_counter()
    attempt({**BASE, "num_hidden_layers": 4096, "num_experts": 8, "num_experts_per_tok": 1,
             "moe_intermediate_size": 8, "mlp_only_layers": list(range(8000))})  # fmt: skip
    assert time.perf_counter() - start < 5
