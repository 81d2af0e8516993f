from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.engines.registry import engine_profile
from planner.memory.kv_cache import KvSpec, LayerCache, kv_specs, stored_dtype
from planner.memory.kv_capacity import Demand, capacity, longest_context
from planner.memory.kv_rules import KvRules, kv_rules
from planner.units import GIB
from tests.memory import build

RULES = KvRules()


def token_bytes(config, dtype="bf16", tp=1, pp=1, rules=RULES):
    return max(s.token_bytes for s in kv_specs(build.architecture(config), dtype, tp, pp, rules))


def test_bytes_per_token_as_printed():
    assert token_bytes(build.DEEPSEEK_R1) == 70_272
    assert token_bytes(build.DEEPSEEK_R1, tp=8) == 70_272
    assert token_bytes(build.DEEPSEEK_R1, "fp8", tp=8) == 35_136
    assert token_bytes(build.QWEN3_235B, tp=4) == 48_128
    assert token_bytes(build.QWEN3_235B, tp=8) == 48_128
    assert token_bytes(build.LLAMA_70B, tp=4) == 81_920
    assert token_bytes(build.LLAMA_70B, "fp8", tp=4) == 40_960
    assert token_bytes(build.LLAMA_70B, tp=4, pp=2) == 40_960


def test_releases_without_mla_keep_padded_heads():
    old = KvRules(latent=False, hybrid=False)
    assert token_bytes(build.DEEPSEEK_R1, tp=8, pp=2, rules=old) == 31 * 16 * 256 * 2 * 2
    assert token_bytes(build.DEEPSEEK_R1, tp=8, rules=KvRules(pad_latent=128)) == 61 * 640 * 2


def spec(*caches):
    return KvSpec(tuple(caches))


FULL_27B = LayerCache("full", 2 * 16 * 128 * 2)
SLIDING_27B = LayerCache("sliding", 2 * 16 * 128 * 2, window=4096)


@pytest.mark.parametrize(
    ("caches", "pool", "length", "draft", "blocks", "printed", "concurrency"),
    [
        # Gemma-2-27B, vLLM 0.19, H100: 23 full and 23 sliding layers
        ([(FULL_27B, 23), (SLIDING_27B, 23)], 20.593, 8192, 0, 7335, 58_672, 7.16),
        # Gemma-4-31B, vLLM 0.19.1, H200: 10 full layers of 8 KiB a token, 50 sliding of 16 KiB
        (
            [(LayerCache("full", 8192), 10), (LayerCache("sliding", 16384, window=1024), 50)],
            65.56, 8192, 0, 26853, 71_600, 9.52,
        ),
        # Qwen3-Next-80B, vLLM 0.18, H200: 12 full layers, 36 with a state of 1,097,728 B
        (
            [(LayerCache("full", 2048), 12), (LayerCache("state", 0.0, state_bytes=1_097_728.0), 36)],
            49.29, 8192, 0, 3958, 538_016, 208.32,
        ),
        # Qwen3.5-122B TP2, vLLM 0.18, H200
        (
            [(LayerCache("full", 1024), 12), (LayerCache("state", 0.0, state_bytes=2_134_016.0), 36)],
            62.77, 10_000, 0, 2616, 1_370_784, 327.0,
        ),
        # Qwen3.5-122B with an fp8 cache and one speculated token, Jetson Thor
        (
            [(LayerCache("full", 1024), 12), (LayerCache("state", 0.0, state_bytes=4_268_032.0), 36)],
            21.43, 131_072, 1, 448, 467_712, 11.79,
        ),
    ],
)  # fmt: skip
def test_hybrid_models_as_vllm_prints_them(caches, pool, length, draft, blocks, printed, concurrency):
    found = capacity(spec(*caches), pool * GIB, Demand(length, 16, 8192, draft), RULES)
    assert found.blocks == pytest.approx(blocks, rel=2e-4)
    assert found.printed_tokens == pytest.approx(printed, rel=1e-3)
    assert found.concurrency == pytest.approx(concurrency, rel=1e-3)
    assert found.tokens == pytest.approx(concurrency * length, rel=1e-3)


def test_gemma_3_27b_allocates_70_layers():
    caches = spec((LayerCache("full", 8192), 10), (LayerCache("sliding", 8192, window=1024), 52))
    found = capacity(caches, 40 * GIB, Demand(8192, 16, 8192), RULES)
    blocks_of_request = 6 * 513 + 512
    assert found.request_bytes == blocks_of_request * 16 * 8192 * 10


@given(
    st.floats(0, 1e13),
    st.integers(1, 10**12),
    st.sampled_from([1, 16, 64, 128]),
    st.lists(st.sampled_from([FULL_27B, SLIDING_27B, LayerCache("state", 0.0, None, 1e6)]), max_size=4, unique=True),
)
def test_any_pool_and_length_is_answered(pool, length, block, caches):
    found = capacity(spec(*((c, 8) for c in caches)), pool, Demand(length, block, 8192), RULES)
    assert found.concurrency >= 0
    assert found.concurrency * found.request_bytes <= pool * (1 + 1e-9)


@given(st.floats(1e9, 1e11), st.floats(0.5, 64))
def test_longest_context_is_the_inverse_of_capacity(pool, users):
    caches = spec((FULL_27B, 23), (SLIDING_27B, 23))
    demand = Demand(131_072, 16, 8192)
    length = longest_context(caches, pool, users, demand, RULES)
    if length:
        assert capacity(caches, pool, Demand(length, 16, 8192), RULES).concurrency >= users
    if length < 131_072:
        assert capacity(caches, pool, Demand(length + 1, 16, 8192), RULES).concurrency < users


@pytest.mark.parametrize("style", ["split", "sum"])
def test_other_engines_split_their_pool(style):
    rules = KvRules(style=style)
    caches = spec((LayerCache("full", 2048), 12), (LayerCache("state", 0.0, state_bytes=1_097_728.0), 36))
    found = capacity(caches, 10 * GIB, Demand(8192, 1, 8192), rules)
    tokens = 10 * GIB / 1.9 / (12 * 2048) if style == "split" else found.concurrency * 8192
    assert found.tokens == pytest.approx(tokens)
    assert 0 < found.concurrency <= 10 * GIB / (36 * 1_097_728)


def test_compressed_entries_pack_into_tuples_of_pages():
    """DeepSeek-V4-Pro on vLLM 0.20.2: 21.47 GiB hold 4.66 requests of 800,000 tokens in steps of 512."""
    rules = kv_rules(
        engine_profile("vllm", "0.20.2"), replace(build.architecture(build.LLAMA_8B), model_type="deepseek_v4")
    )
    caches = spec(
        (LayerCache("compressed", 584 / 128, compression=128, elements=512), 31),
        (LayerCache("compressed", 584 / 4, compression=4, elements=512), 30),
        (LayerCache("indexer", 132 / 4, compression=4, elements=128), 30),
        (LayerCache("sliding", 584, window=128, elements=512), 61),
    )
    found = capacity(caches, 21.47 * GIB, Demand(800_000, 256, 512), rules)
    assert found.concurrency == pytest.approx(4.66, rel=0.01)


def test_sparse_latents_as_printed():
    """DeepSeek-V3.2: 78,324 B a token in bf16, 43,190 in fp8 as it is, 656 B an entry where it is packed."""
    model = build.architecture(build.DEEPSEEK_V32)
    plain, fp8, packed = (kv_specs(model, dtype, 8, 1, RULES)[0].token_bytes for dtype in ("bf16", "fp8", "fp8_ds_mla"))
    assert (plain, packed) == (78_324, 61 * (656 + 132))
    assert fp8 == pytest.approx(43_190, rel=1e-4)
    on = KvRules(packed_fp8_capabilities=(9,))
    assert [stored_dtype(model, "fp8", c, on) for c in ((9, 0), (10, 0), None)] == ["fp8_ds_mla", "fp8", "fp8"]
    assert stored_dtype(build.architecture(build.DEEPSEEK_R1), "fp8", (9, 0), on) == "fp8"
