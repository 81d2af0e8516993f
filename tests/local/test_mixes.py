from __future__ import annotations

import pytest

from planner.models.gguf_layout import gguf_layout
from planner.models.gguf_mix import gguf_mix, host_only, places, type_bits
from tests.local.build import GEMMA_E2B, GPT_OSS, LLAMA_8B, LLAMA_70B, QWEN_30B, QWEN_235B, R1, architecture

# Bytes of published files: huggingface.co bartowski, unsloth and ggml-org repositories, as listed 2024-2026.
FILES = [
    (LLAMA_8B, "Q2_K", 3_179_136_416),
    (LLAMA_8B, "Q3_K_M", 4_018_922_912),
    (LLAMA_8B, "Q3_K_L", 4_321_961_376),
    (LLAMA_8B, "IQ2_M", 2_948_285_856),
    (LLAMA_8B, "IQ4_XS", 4_447_667_616),
    (LLAMA_8B, "Q4_K_S", 4_692_673_952),
    (LLAMA_8B, "Q4_K_M", 4_920_739_232),
    (LLAMA_8B, "Q5_K_M", 5_732_992_416),
    (LLAMA_8B, "Q6_K", 6_596_011_424),
    (LLAMA_8B, "Q8_0", 8_540_775_840),
    (LLAMA_70B, "Q4_K_M", 42_520_395_584),
    (QWEN_30B, "Q4_K_M", 18_556_686_912),
    (QWEN_235B, "Q6_K", 193_005_092_864),
    (R1, "Q4_K_M", 404_424_858_009),
    (R1, "Q8_0", 713_275_956_264),
    (GPT_OSS, "MXFP4", 12_109_566_560),
]


@pytest.mark.parametrize(("config", "mix", "published"), FILES)
def test_size_is_that_of_the_published_file(config, mix, published):
    """Vocabulary and metadata, up to 8 MB for small models, are not tensors."""
    size = gguf_layout(architecture(config), f"gguf:{mix}").file_bytes
    assert published - 20e6 - 0.001 * published < size < published * 1.001


def test_dynamic_mixes_are_close_and_say_how_close():
    for config, mix, published in [(R1, "UD-Q2_K_XL", 226_591_737_118), (QWEN_30B, "UD-Q4_K_XL", 17_709_223_903)]:
        layout = gguf_layout(architecture(config), f"gguf:{mix}")
        assert abs(layout.file_bytes / published - 1) < layout.spread


def test_more_bits_go_to_the_ends_and_every_third_layer():
    layout = gguf_layout(architecture(LLAMA_8B), "gguf:Q4_K_M")
    rich = [i for i, row in enumerate(layout.order) if dict(layout.rows[row].dense).get("Q6_K")]
    assert rich == [0, 1, 2, 3, 6, 9, 12, 15, 18, 21, 24, 27, 28, 29, 30, 31]


def test_rows_that_are_no_multiple_of_256_take_the_fallback():
    layout = gguf_layout(architecture(GPT_OSS), "gguf:Q4_K_M")
    types = {kind for row in layout.rows for kind, _ in (*row.dense, *row.experts)}
    assert "Q4_K" not in dict(layout.embedding)
    assert "Q5_0" in types
    assert all(dict(row.experts).keys() <= {"MXFP4", "F32"} for row in layout.rows)


def test_a_tied_table_is_stored_once_and_loaded_twice():
    layout = gguf_layout(architecture(GEMMA_E2B), "gguf:Q4_K_M")
    assert layout.tied
    repeating = sum(layout.rows[i].dense_bytes for i in layout.order)
    assert layout.file_bytes == pytest.approx(layout.embedding_bytes + repeating)
    assert layout.head_bytes < layout.embedding_bytes


def test_a_known_file_size_is_met_exactly():
    for config, mix in [(R1, "IQ4_K_R4"), (LLAMA_8B, "Q4_K_M"), (QWEN_235B, "custom")]:
        rules = gguf_layout(architecture(config), f"gguf:{mix}")
        layout = gguf_layout(architecture(config), f"gguf:{mix}", rules.file_bytes * 1.07)
        assert layout.file_bytes == pytest.approx(rules.file_bytes * 1.07)


@pytest.mark.parametrize("size", [1.0, 1e3, 1e18])
def test_impossible_file_sizes_give_finite_parts(size):
    layout = gguf_layout(architecture(LLAMA_8B), "gguf:Q4_K_M", size)
    assert layout.file_bytes == pytest.approx(size)
    assert all(row.dense_bytes >= 0 for row in layout.rows)


@pytest.mark.parametrize(
    "name", ["", "gguf:", "gguf:🦙", "gguf:" + "Q" * 10_000, "gguf:Q9_K", "mix ~3.9bpw", "gguf:../../x"]
)
def test_unknown_mixes_are_guessed_and_say_so(name):
    mix = gguf_mix(name)
    assert not mix.exact
    assert mix.spread >= 0.15
    assert gguf_layout(architecture(LLAMA_8B), name).file_bytes > 1e9


def test_names_are_read_whatever_their_spelling():
    assert gguf_mix("gguf:q4_k_m").name == gguf_mix("gguf:Q4_K").name == "Q4_K_M"
    assert gguf_mix("bf16").name == "BF16"
    assert gguf_mix("gguf:IQ4_K_R4").name == "IQ4_K"
    assert host_only("gguf:Q4_K_R4")
    assert not host_only("gguf:IQ4_K_R4")
    assert not host_only("gguf:Q4_K_M")


def test_block_sizes_give_the_published_bits():
    bits = type_bits()
    assert bits["Q8_0"] == 34 * 8 / 32
    assert bits["Q4_K"] == 144 * 8 / 256
    assert bits["Q6_K"] == 210 * 8 / 256
    assert bits["MXFP4"] == 17 * 8 / 32


def test_query_heads_per_kv_head_are_seen():
    assert all("gqa4" in place.holds for place in places(architecture(LLAMA_8B)))
    assert all("moe" in place.holds and "moe8" not in place.holds for place in places(architecture(QWEN_30B)))
