"""What speculation adds: a head or a whole draft model, its cache, the model's own prediction layers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.documents.deployment import SpeculativeTable
from planner.documents.files import parse_deployment
from planner.library import Library
from planner.memory.serving import serving_memory
from planner.models.draft_head import eagle_head
from planner.models.formats import model_bytes, weight_scheme
from planner.predict import predict
from planner.resolved import Draft
from planner.units import GIGA
from tests.memory import build

EAGLE3 = SpeculativeTable(method="eagle3", tokens=3)


@pytest.fixture(scope="module")
def library() -> Library:
    return Library()


def drafted(config, draft_config, **serving):
    case = build.resolved(config, speculative=EAGLE3, **serving)
    draft = build.architecture(draft_config)
    return replace(case, draft=Draft(draft, weight_scheme("bf16", draft)))


def test_published_heads_are_as_large_as_said():
    """yuhuili/EAGLE3-LLaMA3.1-Instruct-8B holds 425 M parameters beside its vocabulary maps (0.85 GB in fp16)."""
    target = build.architecture(build.LLAMA_8B)
    head = eagle_head(target, "eagle3")
    assert model_bytes(head, weight_scheme("bf16", head)) == pytest.approx(0.85 * GIGA, rel=0.12)
    assert model_bytes(eagle_head(target, "eagle"), weight_scheme("bf16", head)) < 0.6 * GIGA


def test_a_draft_takes_weights_and_cache_on_the_last_stage():
    alone = serving_memory(build.resolved(build.LLAMA_70B, build.H200, tp=4))
    case = drafted(build.LLAMA_70B, build.LLAMA_8B, memory=build.H200, tp=4)
    beside = serving_memory(case)
    extra = beside.per_gpu.weights.value - alone.per_gpu.weights.value
    assert extra == pytest.approx(beside.per_gpu.weights.terms["draft"])
    assert extra == pytest.approx(16.06 * GIGA / 4, rel=0.01)
    assert beside.kv_bytes_per_token - alone.kv_bytes_per_token == 32 * 2 * 2 * 128 * 2
    assert beside.kv_tokens.value < alone.kv_tokens.value
    assert beside.disk == pytest.approx(alone.disk + 16.06 * GIGA, rel=0.01)


def test_pipeline_stages_before_the_last_hold_no_draft():
    one, two = (drafted(build.LLAMA_70B, build.LLAMA_8B, memory=build.H200, tp=2, pp=pp) for pp in (1, 2))
    assert serving_memory(two).kv_bytes_per_token < serving_memory(one).kv_bytes_per_token


@pytest.mark.parametrize("method", ["ngram", "suffix", "ngram_gpu"])
def test_text_that_proposes_takes_nothing(method):
    plain, spoken = (
        serving_memory(build.resolved(build.DEEPSEEK_R1, build.H200, weights="fp8", tp=8, speculative=table))
        for table in (None, SpeculativeTable(method=method, tokens=4))
    )
    assert plain.per_gpu.weights.value == spoken.per_gpu.weights.value


def test_own_prediction_layers_are_loaded_for_mtp_only():
    plain, mtp, eagle = (
        serving_memory(build.resolved(build.DEEPSEEK_R1, build.H200, weights="fp8", tp=8, speculative=table))
        for table in (None, SpeculativeTable(method="nextn"), SpeculativeTable(method="eagle", draft="x/y"))
    )
    assert mtp.per_gpu.weights.value > 1.01 * plain.per_gpu.weights.value
    assert eagle.per_gpu.weights.value == plain.per_gpu.weights.value


def document(draft, method="eagle3"):
    return parse_deployment(
        {
            "schema": "deploy-planner/deployment/1",
            "model": {"id": "meta-llama/Llama-3.1-70B-Instruct", "weights": "bf16"},
            "hardware": {"accelerator": "h200-sxm-141gb", "per_node": 4},
            "engine": {"name": "vllm", "version": "0.20.0"},
            "serving": {"tp": 4, "max_model_len": 8192, "speculative": {"method": method, "tokens": 3, "draft": draft}},
        },
        "test",
    )


@pytest.mark.parametrize("draft", ["nobody/knows-this", "/not/here", "../x", "a;b$(c)", "x" * 300])
def test_a_draft_that_is_not_known_is_a_guess_and_says_so(draft, library):
    answer = predict(document(draft), library)
    assert answer.memory is not None and answer.memory.per_gpu.weights.terms["draft"] > 0
    found = [p for p in answer.problems if p.rule == "speculative-draft"]
    assert found and "usual head" in found[0].message and found[0].severity == "warning"


def test_a_draft_of_the_catalogue_is_taken_as_it_is(library):
    answer = predict(document("meta-llama/Llama-3.2-1B-Instruct", "draft_model"), library)
    assert answer.memory is not None
    assert answer.memory.per_gpu.weights.terms["draft"] * 4 == pytest.approx(2.5 * GIGA, rel=0.1)
    assert not [p for p in answer.problems if p.rule == "speculative-draft"]


def test_a_directory_without_a_model_is_no_draft(tmp_path, library):
    (tmp_path / "config.json").write_text("[1, 2")
    answer = predict(document(str(tmp_path), "draft_model"), library)
    assert "draft" not in answer.memory.per_gpu.weights.terms
    assert any("not counted" in p.message for p in answer.problems)
