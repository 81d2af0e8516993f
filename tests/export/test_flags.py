"""Flags are those of the version, and what a version lacks is said with its alternative."""

from __future__ import annotations

from typing import Any

import pytest

from planner.engines.registry import engine_profile
from planner.export.command import bare_place, command_of
from planner.export.emit.words import literal
from planner.export.flags.table import engines_with_flags, flag_table
from planner.export.registry import render
from tests.export.deployments import DENSE, R1, SMALL, context, tables


def command(engine: tuple[str, str], model: str = R1, hardware: str = "8xh200-sxm-141gb", **serving: Any) -> str:
    weights = {"llama.cpp": "gguf:Q4_K_M"}.get(engine[0], "fp8" if model == R1 else "bf16")
    exported = context(tables(model, weights, hardware, engine, **serving))
    return " ".join(literal(w) for w in command_of(exported, bare_place(exported)).words)


def findings(engine: tuple[str, str], model: str = R1, hardware: str = "8xh200-sxm-141gb", **serving: Any) -> list[str]:
    weights = {"llama.cpp": "gguf:Q4_K_M"}.get(engine[0], "fp8" if model == R1 else "bf16")
    exported = context(tables(model, weights, hardware, engine, **serving))
    return [f"{f.rule}: {f.message} — {f.fix}" for f in exported.findings if f.severity == "error"]


def test_versions_differ_where_the_engine_does() -> None:
    assert '"method": "deepseek_mtp"' in command(("vllm", "0.10.0"), tp=8, speculative={"method": "mtp", "tokens": 1})
    assert '"method": "mtp"' in command(("vllm", "0.33.0"), tp=8, speculative={"method": "mtp", "tokens": 1})
    assert "--enable-ep-moe" in command(("sglang", "0.4.6"), tp=8, ep=8)
    assert "--enable-ep-moe" not in command(("sglang", "0.5.9"), tp=8, ep=8)
    assert "--flash-attn on" in command(("llama.cpp", "b7000"), SMALL, "1xrtx-4090", flash_attention=True)
    assert command(("llama.cpp", "b6000"), SMALL, "1xrtx-4090", flash_attention=True).count("--flash-attn on") == 0
    assert "--n-gpu-layers 999" in command(("llama.cpp", "b6000"), SMALL, "1xrtx-4090", n_gpu_layers="all")
    assert "--n-gpu-layers all" in command(("llama.cpp", "b9000"), SMALL, "1xrtx-4090", n_gpu_layers="all")
    assert "--kv-cache-dtype fp8_e4m3" in command(("sglang", "0.5.9"), tp=8, kv_cache_dtype="fp8")
    assert "--kv-cache-dtype fp8 " in command(("vllm", "0.19.0"), tp=8, kv_cache_dtype="fp8")


@pytest.mark.parametrize(
    ("engine", "serving", "alternative"),
    [
        (("vllm", "0.8.0"), {"tp": 1, "attention_dp": 8}, "0.8.3"),
        (("vllm", "0.7.3"), {"tp": 8, "ep": 8}, "0.8.0"),
        (("vllm", "0.10.0"), {"tp": 8, "dcp": 8}, "0.10.2"),
        (("vllm", "0.19.0"), {"tp": 8, "kv_cache_dtype": "nvfp4"}, "one of"),
        (("vllm", "0.8.0"), {"tp": 8, "speculative": {"method": "mtp", "tokens": 1}}, "0.8.3"),
        (("vllm", "0.19.0"), {"tp": 8, "speculative": {"method": "telepathy", "tokens": 1}}, "one of"),
        (("vllm", "0.19.0"), {"tp": 8, "ep": 4}, "serving.ep to 8"),
        (("sglang", "0.4.6"), {"tp": 4, "pp": 2}, "0.4.7"),
        (("sglang", "0.5.9"), {"tp": 8, "dcp": 2}, "0.5.15"),
        (("sglang", "0.4.0"), {"tp": 8, "kv_cache_dtype": "fp8"}, "fp8_e5m2"),
        (("trtllm", "1.0.0"), {"tp": 2, "attention_dp": 4}, "attention_dp to 8"),
        (("trtllm", "1.0.0"), {"tp": 8, "kv_cache_dtype": "q8_0"}, "fp8"),
        (("trtllm", "0.18.0"), {"tp": 8, "ep": 8}, "0.19 or later"),
        (("trtllm", "0.18.0"), {"tp": 8, "kv_cache_dtype": "fp8"}, "0.19 or later"),
        (("trtllm", "0.12.0"), {"tp": 8}, "0.17 or later"),
    ],
)
def test_what_a_version_lacks_is_said(engine: tuple[str, str], serving: dict[str, Any], alternative: str) -> None:
    found = findings(engine, **serving)
    assert len(found) == 1 and alternative in found[0]


def test_devices_that_a_release_does_not_know() -> None:
    """SGLang names processors and Ascend since 0.4.2 and 0.4.7."""
    for version, hardware, alternative in (
        ("0.4.0", "cpu", "0.4.2 or later"), ("0.4.6", "8xascend-910b2", "0.4.7 or later"),
    ):  # fmt: skip
        (found,) = findings(("sglang", version), DENSE, hardware, max_model_len=4096)
        assert alternative in found


def test_a_file_that_a_release_does_not_read_is_not_written() -> None:
    def files(version: str) -> dict[str, str]:
        return render("trtllm", context(tables(DENSE, "bf16", "2xh100-sxm-80gb", ("trtllm", version), tp=2)))

    assert "extra.yaml" not in files("0.18.0") and "--extra_llm_api_options" not in files("0.18.0")["serve.sh"]
    assert "cuda_graph_config" not in files("0.20.0")["extra.yaml"]
    assert "cuda_graph_config" in files("1.0.0")["extra.yaml"]


def test_what_every_version_has_is_silent() -> None:
    for engine in (("vllm", "0.10.0"), ("vllm", "0.33.0"), ("sglang", "0.5.9")):
        assert not findings(engine, tp=8, max_model_len=8192, enforce_eager=True)


def test_unknown_versions_take_the_newest_flags() -> None:
    assert "--decode-context-parallel-size" in command(("vllm", "main@deadbeef"), tp=8, dcp=8)


@pytest.mark.parametrize("engine", engines_with_flags())
def test_rows_are_sound(engine: str) -> None:
    """Each row with a source; one flag an option and release; every value word distinct where it is read back."""
    table = flag_table(engine_profile(engine))
    assert table.rows
    for row in table.rows.values():
        assert row.source and row.flag.startswith("-")
        assert row.kind in {"int", "float", "text", "switch", "on_off", "json", "gib", "whole_gib", "layers"}
    assert all(m.alternative for m in table.missing.values())


def test_published_formats_are_told_where_engines_ask() -> None:
    assert "--quantization bitsandbytes" in command_of_weights("bnb-nf4", ("vllm", "0.19.0"))
    document = tables(DENSE, "w8a8-int8", "8xascend-910b2", ("vllm-ascend", "0.18.0"), tp=8, max_model_len=4096)
    words = " ".join(literal(w) for w in command_of(context(document), bare_place(context(document))).words)
    assert "--quantization ascend" in words


def command_of_weights(weights: str, engine: tuple[str, str]) -> str:
    exported = context(tables(DENSE, weights, "1xh100-sxm-80gb", engine, max_model_len=4096))
    return " ".join(literal(w) for w in command_of(exported, bare_place(exported)).words)
