"""Number formats against chips and engines: a truth table over vendors and generations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hwdb.schema import Accelerator
from planner.documents.deployment import ModelTable, SpeculativeTable
from planner.legality import check
from planner.models.architecture import Quantization
from planner.resolved import Resolved
from planner.units import GIB
from tests.legality.build import (
    AWQ,
    BF16,
    FP8,
    FP8_BLOCK,
    FP16,
    GGUF,
    INT8,
    MXFP4,
    NVFP4,
    amd,
    architecture,
    named,
    nvidia,
    resolved,
    support,
)  # fmt: skip

V100, T4, A100, A10, L40S, H100, B200, RTX50 = (
    nvidia(c) for c in ((7, 0), (7, 5), (8, 0), (8, 6), (8, 9), (9, 0), (10, 0), (12, 0))
)
MI250, MI300, MI355, W7900 = (amd(g) for g in ("gfx90a", "gfx942", "gfx950", "gfx1100"))
GAUDI3, ASCEND, M4 = named("gaudi-3", "intel"), named("ascend-910b3", "huawei"), named("apple-m4", "apple")
LLAMA, R1 = architecture("LLAMA_8B"), architecture("DEEPSEEK_R1")

LEGAL, WIDENED, ILLEGAL = "legal", "widened", "illegal"


def verdict(case: Resolved, rule: str) -> str:
    found = {f.rule: f.severity for f in check(case, support())}
    if found.get(rule) == "error":
        return ILLEGAL
    return WIDENED if "weights-format-emulated" in found else LEGAL


@pytest.mark.parametrize(("engine", "card", "weights", "expected"), [
    ("vllm==0.19.0", A100, FP8, WIDENED),
    ("vllm==0.19.0", A10, FP8_BLOCK, WIDENED),
    ("vllm==0.8.5", A100, FP8_BLOCK, ILLEGAL),
    ("vllm==0.19.0", T4, FP8, ILLEGAL),
    ("vllm==0.19.0", L40S, FP8, LEGAL),
    ("vllm==0.19.0", H100, FP8_BLOCK, LEGAL),
    ("vllm==0.19.0", H100, NVFP4, WIDENED),
    ("vllm==0.8.5", H100, NVFP4, ILLEGAL),
    ("vllm==0.19.0", B200, NVFP4, LEGAL),
    ("vllm==0.19.0", RTX50, NVFP4, LEGAL),
    ("vllm==0.19.0", A100, MXFP4, WIDENED),
    ("vllm==0.10.0", H100, MXFP4, ILLEGAL),
    ("vllm==0.19.0", B200, INT8, ILLEGAL),
    ("vllm==0.19.0", A100, INT8, LEGAL),
    ("vllm==0.19.0", V100, AWQ, ILLEGAL),
    ("vllm==0.19.0", A100, AWQ, LEGAL),
    ("vllm==0.19.0", MI300, FP8_BLOCK, LEGAL),
    ("vllm==0.19.0", MI250, FP8, ILLEGAL),
    ("vllm==0.19.0", MI355, MXFP4, LEGAL),
    ("vllm==0.19.0", MI300, NVFP4, ILLEGAL),
    ("vllm==0.19.0", GAUDI3, FP8, LEGAL),
    ("vllm==0.19.0", ASCEND, FP8_BLOCK, ILLEGAL),
    ("vllm==0.19.0", ASCEND, INT8, LEGAL),
    ("sglang==0.5.7", A100, FP8_BLOCK, ILLEGAL),
    ("sglang==0.5.7", H100, NVFP4, ILLEGAL),
    ("trtllm==1.0", A100, FP8, ILLEGAL),
    ("trtllm==1.0", H100, FP8, LEGAL),
    ("trtllm==1.0", B200, NVFP4, LEGAL),
    ("llama.cpp", A100, GGUF, LEGAL),
    ("llama.cpp", M4, GGUF, LEGAL),
    ("llama.cpp", MI300, GGUF, LEGAL),
    ("llama.cpp", H100, FP8, ILLEGAL),
    ("mindie==2.1", ASCEND, INT8, LEGAL),
])  # fmt: skip
def test_weights_on_chips(engine: str, card: Accelerator, weights: Quantization, expected: str) -> None:
    assert verdict(resolved(LLAMA, weights, card, engine), "weights-format-on-chip") == expected


def test_every_illegal_format_names_one_that_runs() -> None:
    from planner.models.formats import weight_scheme

    for card in (V100, T4, A100, H100, B200, MI250, MI300, GAUDI3, ASCEND):
        for weights in (FP8, FP8_BLOCK, NVFP4, MXFP4, AWQ, INT8):
            for f in check(resolved(LLAMA, weights, card), support()):
                if f.rule == "weights-format-on-chip":
                    other = weight_scheme(f.change["model.weights"], LLAMA)
                    assert verdict(resolved(LLAMA, other, card), "weights-format-on-chip") != ILLEGAL


@pytest.mark.parametrize(("card", "dtype", "change"), [
    (A100, "fp8", "fp8_e5m2"),
    (A100, "fp8_e4m3", "fp8_e5m2"),
    (A100, "fp8_e5m2", None),
    (V100, "fp8", "fp8_e5m2"),
    (H100, "fp8", None),
    (L40S, "fp8_e4m3", None),
    (MI300, "fp8", None),
    (W7900, "fp8", "bf16"),
    (ASCEND, "fp8", "bf16"),
])  # fmt: skip
def test_fp8_kv(card: Accelerator, dtype: str, change: str | None) -> None:
    found = {f.rule: f for f in check(resolved(LLAMA, FP16, card, kv_cache_dtype=dtype), support())}
    assert ("kv-dtype-on-chip" in found) == (change is not None)
    if change:
        assert found["kv-dtype-on-chip"].change == {"serving.kv_cache_dtype": change}


@pytest.mark.parametrize(("card", "weights", "severity"), [
    (T4, BF16, "error"), (T4, FP16, None), (T4, AWQ, "warning"), (A100, BF16, None), (V100, BF16, "error"),
])  # fmt: skip
def test_bf16_before_ampere(card: Accelerator, weights: Quantization, severity: str | None) -> None:
    found = {f.rule: f.severity for f in check(resolved(LLAMA, weights, card), support())}
    assert found.get("bf16-on-chip") == severity


@pytest.mark.parametrize(("engine", "card", "severity"), [
    ("vllm==0.19.0", H100, None), ("vllm==0.19.0", MI300, None), ("vllm==0.19.0", GAUDI3, None),
    ("vllm==0.19.0", ASCEND, None), ("vllm==0.19.0", M4, "error"), ("sglang==0.5.7", GAUDI3, "error"),
    ("trtllm==1.0", MI300, "error"), ("trtllm==1.0", ASCEND, "error"), ("mlx", H100, "error"), ("mlx", M4, None),
    ("mindie==2.1", ASCEND, None), ("mindie==2.1", H100, "error"), ("vllm-gaudi", GAUDI3, None),
    ("vllm-ascend", ASCEND, None), ("llama.cpp", named("metax-c500", "metax"), "warning"), ("llama.cpp", None, None),
])  # fmt: skip
def test_engines_on_chips(engine: str, card: Accelerator | None, severity: str | None) -> None:
    weights = GGUF if engine == "llama.cpp" else FP16
    found = {f.rule: f for f in check(resolved(LLAMA, weights, card, engine), support())}
    finding = found.get("engine-on-chip") or found.get("engine-chip-unknown")
    assert (finding.severity if finding else None) == severity
    if severity == "error" and finding:
        assert finding.change["engine.name"] != engine.partition("==")[0]


@pytest.mark.parametrize(("engine", "card", "legal"), [
    ("vllm==0.6.6", H100, True), ("vllm==0.6.0", H100, False), ("trtllm==1.0", H100, True),
    ("trtllm==1.0", A100, False), ("optimum-habana==1.15", GAUDI3, False), ("vllm-gaudi==0.9", GAUDI3, True),
])  # fmt: skip
def test_latent_attention_by_release_and_chip(engine: str, card: Accelerator, legal: bool) -> None:
    found = {f.rule for f in check(resolved(R1, BF16, card, engine), support()) if f.severity == "error"}
    assert bool(found & {"engine-has-feature", "engine-knows-model"}) != legal


def test_a_model_newer_than_the_engine_names_the_release() -> None:
    (finding,) = check(resolved(architecture("QWEN3_30B"), BF16, H100, "vllm==0.8.0"), support())
    assert finding.rule == "engine-knows-model" and finding.change == {"engine.version": "0.8.4"}


@pytest.mark.parametrize("version", ["", "nightly", "a1b2c3d", "0.19.1.dev6+g6d4a8e6d2", "v0.19.0+rhai5"])
def test_odd_versions_are_no_reason_to_refuse(version: str) -> None:
    assert check(resolved(R1, FP8_BLOCK, nvidia((9, 0), 141), f"vllm=={version}", tp=8), support()) == ()


def test_speculation() -> None:
    def found(method: str, model: str = "DEEPSEEK_R1", engine: str = "vllm==0.19.0") -> set[str]:
        table = SpeculativeTable(method=method)
        mtp = R1.layer_kinds[-1:] if model == "DEEPSEEK_R1" else ()
        case = resolved(replace(architecture(model), mtp=mtp), BF16, H100, engine, tp=8, speculative=table)
        return {f.rule for f in check(case, support())}

    assert found("mtp") == set() and found("nextn") == set()
    assert found("mtp", "LLAMA_8B") == {"speculative-method"}
    assert found("telepathy") == {"speculative-method"}
    assert found("eagle3") == {"speculative-draft"}


def test_limits() -> None:
    def found(**keys: object) -> dict[str, str]:
        return {f.rule: f.severity for f in check(resolved(LLAMA, BF16, H100, **keys), support())}

    assert found(max_model_len=131072) == {}
    assert found(max_model_len=131073) == {"context-beyond-positions": "error"}
    assert found(max_model_len=200_000, engine="sglang==0.4.6") == {"context-beyond-positions": "warning"}
    assert found(max_model_len=1536) == {}, "the load's 1,024 + 512 tokens"
    assert found(max_model_len=1535) == {"load-beyond-context": "warning"}
    assert found(used_bytes=4 * GIB) == {}
    assert found(used_bytes=12 * GIB) == {"utilization-beyond-free": "error"}
    assert found(used_bytes=90 * GIB) == {"utilization-beyond-free": "error"}
    assert found(slice="3g.40gb", tp=2) == {"mig-no-group": "error"}
    assert found(slice="3g.40gb", dp=2) == {}


def test_free_memory_fix_is_what_is_free() -> None:
    (finding,) = check(resolved(LLAMA, BF16, H100, used_bytes=12 * GIB), support())
    assert finding.change == {"serving.gpu_memory_utilization": 0.85}


def test_a_leftover_quantization_config_is_said() -> None:
    """sgl-project/sglang#3491: a BF16 conversion whose config.json still names FP8 blocks."""
    table = ModelTable(path="/models/R1-BF16")
    small = {f.rule: f.severity for f in check(resolved(R1, BF16, H100, tp=8, model_table=table), support())}
    assert small == {"quantization-config-left": "warning"}
    big = resolved(R1, BF16, H100, tp=32, nodes=4, model_table=table)
    assert ("quantization-config-left", "error") in {(f.rule, f.severity) for f in check(big, support())}
    assert check(resolved(R1, BF16, H100, tp=8), support()) == ()
