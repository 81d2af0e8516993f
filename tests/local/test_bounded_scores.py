"""Attention scores without flash attention: cut by ``-amb`` where a build can, assumed where nothing else would fit."""

from __future__ import annotations

from typing import Any

import pytest

from planner.documents.files import parse_deployment
from planner.documents.result import EstimateDocument
from planner.library import Library
from planner.predict import predict
from planner.units import GIB, MIB


@pytest.fixture(scope="module")
def library() -> Library:
    return Library()


def said(library: Library, engine: str = "ik_llama.cpp", cards: int = 15, **serving: Any) -> EstimateDocument:
    asked = {"n_gpu_layers": "all", "flash_attention": False, "ubatch": 1024, "max_model_len": 163_840, **serving}
    document = {
        "schema": "deploy-planner/deployment/1",
        "model": {"id": "deepseek-ai/DeepSeek-R1", "weights": "gguf:Q2_K"},
        "hardware": {"accelerator": "rtx-3090", "per_node": cards},
        "engine": {"name": engine},
        "serving": asked,
    }
    return predict(parse_deployment(document, "test"), library)


def largest(answer: EstimateDocument) -> float:
    assert answer.memory is not None
    return max(device.compute.value for device in answer.memory.devices[:-1])


def test_scores_beyond_the_cards_are_cut_and_said(library):
    """ikawrakow/ik_llama.cpp discussion 237: 5,088 MiB on each of 15 RTX 3090 at a context of 163,840."""
    answer = said(library)
    assert largest(answer) == pytest.approx(5088 * MIB, rel=0.12)
    assert answer.assumed["serving.attention_max_bytes"] == 2 * GIB


def test_scores_that_fit_are_left_whole(library):
    """Discussion 235: 5,718 MiB at a context of 20,480 and 512 tokens a step."""
    answer = said(library, max_model_len=20_480, ubatch=512)
    assert largest(answer) == pytest.approx(5718 * MIB, rel=0.12)
    assert "serving.attention_max_bytes" not in answer.assumed


def test_a_bound_that_is_given_holds(library):
    small, large = (largest(said(library, attention_max_bytes=n * MIB)) for n in (1024, 2048))
    assert large - small == pytest.approx(1024 * MIB)
    assert largest(said(library, attention_max_bytes=2.0**50)) > 50 * GIB


def test_other_builds_cannot_cut(library):
    answer = said(library, engine="llama.cpp")
    assert "serving.attention_max_bytes" not in answer.assumed
    assert answer.verdict == "does-not-fit"


def test_a_build_nobody_named_reserves_what_older_ones_did(library):
    def head(version: str | None) -> float:
        document = {
            "schema": "deploy-planner/deployment/1",
            "model": {"id": "Qwen/Qwen3-30B-A3B", "weights": "gguf:Q8_0"},
            "hardware": {"accelerator": "a100-pcie-40gb"},
            "engine": {"name": "llama.cpp", **({"version": version} if version else {})},
            "serving": {"n_gpu_layers": "all", "max_model_len": 65_536, "flash_attention": True, "ubatch": 512},
        }
        return largest(predict(parse_deployment(document, "test"), library))

    assert head(None) == head("b7342") == pytest.approx(300.75 * MIB, rel=0.02)
    assert head("b11000") < head(None)
