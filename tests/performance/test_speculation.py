"""Speculative decoding and images: what a step yields and what it takes."""

from __future__ import annotations

from typing import Any

import pytest

from planner.models.parameters import count_parameters
from planner.performance.serving import demand_of
from planner.performance.speculative import speculation
from planner.performance.vision import image_flop
from planner.predict import predict
from planner.resolved import Resolved
from tests.performance.builders import LLAMA_70B, deployment, library, speed

NODE = {"accelerator": "h100-sxm-80gb", "per_node": 4}


def drafted(table: dict[str, Any], concurrency: float = 1.0) -> Resolved:
    return deployment(
        LLAMA_70B,
        hardware=NODE,
        serving={"tp": 4, "max_model_len": 8192, "speculative": table},
        workload={"isl": 512, "osl": 256, "concurrency": concurrency},
    )


def tpot(resolved: Resolved) -> float:
    found = speed(resolved).tpot_s
    assert found is not None
    return found.value


@pytest.mark.parametrize(("share", "tokens"), [(0.8, 1), (0.7, 3), (0.5, 7), (1.0, 4), (0.0, 3)])
def test_tokens_kept_per_step(share: float, tokens: int) -> None:
    """(1 − a^(k+1)) / (1 − a), and k + 1 where every draft is kept."""
    kept = speculation(drafted({"method": "mtp", "tokens": tokens, "acceptance": share})).kept
    expected = tokens + 1 if share == 1 else (1 - share ** (tokens + 1)) / (1 - share)
    assert kept == pytest.approx(expected)


def test_what_is_left_open_is_filled_in_and_said() -> None:
    resolved = drafted({"method": "NEXTN", "tokens": 1})
    assert resolved.serving.speculative is not None
    assert resolved.serving.speculative.acceptance == 0.8
    assert resolved.assumed["serving.speculative.acceptance"] == 0.8


def test_drafts_cost_what_their_model_weighs() -> None:
    """N-grams draft for nothing, a layer costs little, an 8B beside a 70B a ninth; a worthless draft only costs."""
    same = {"tokens": 4, "acceptance": 0.6}
    times = [
        tpot(drafted({"method": method, **same} | more))
        for method, more in (
            ("ngram", {}), ("eagle", {"draft": "x"}), ("draft_model", {"draft": "meta-llama/Llama-3.1-8B-Instruct"}),
        )
    ]  # fmt: skip
    assert times == sorted(times)
    assert times[2] > 1.2 * times[1]
    plain = deployment(LLAMA_70B, hardware=NODE, serving={"tp": 4, "max_model_len": 8192},
                       workload={"isl": 512, "osl": 256, "concurrency": 1})  # fmt: skip
    assert tpot(drafted({"method": "eagle", "tokens": 4, "acceptance": 0.0})) > tpot(plain)


def test_a_draft_is_counted_by_its_parameters() -> None:
    resolved = drafted({"method": "draft_model", "tokens": 2, "draft": "meta-llama/Llama-3.1-8B-Instruct"})
    own = count_parameters(resolved.architecture).active
    assert resolved.serving.draft_layers == pytest.approx(80 * 8.03e9 / own, rel=0.1)
    unknown = drafted({"method": "draft_model", "tokens": 2, "draft": "somebody/unknown"})
    assert unknown.serving.draft_layers == pytest.approx(8)
    assert "unknown" in str(unknown.assumed["serving.speculative.draft"])


def vision(model: str, **load: Any) -> Any:
    from planner.documents.files import parse_deployment

    return parse_deployment(
        {
            "model": {"id": model, "weights": "bf16"},
            "hardware": NODE | {"per_node": 2},
            "engine": {"name": "vllm", "version": "0.19.0"},
            "serving": {"tp": 2, "max_model_len": 16384},
            "workload": {"isl": 500, "osl": 200, "concurrency": 8} | load,
        },
        "test",
    )


def test_images_are_prompt_tokens_and_tower_work() -> None:
    none, two, text = (
        predict(vision("Qwen/Qwen2.5-VL-7B-Instruct", **load), library()).performance
        for load in ({}, {"images": 2, "image_tokens": 1000}, {"isl": 2500})
    )
    assert none and two and text and none.ttft_s and two.ttft_s and text.ttft_s and two.total_tok_s and two.request_s
    assert two.ttft_s.value > text.ttft_s.value > none.ttft_s.value
    assert two.total_tok_s.value == pytest.approx(2700 * two.request_s.value)


def test_the_tower_by_hand() -> None:
    """Qwen2.5-VL: 32 blocks of 1280 wide (1280 × 3 attention in, 1280 out, gated 3420), four patches a token."""
    from planner.resolve import resolve

    architecture = resolve(vision("Qwen/Qwen2.5-VL-7B-Instruct"), library()).architecture
    patches, blocks = 4 * 1000, 32 * (4 * 1280 * 1280 + 3 * 1280 * 3420)
    expected = 2 * patches * blocks + 4 * patches**2 * 1280 * 32
    assert image_flop(architecture, 1000.0) == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize(("model", "tokens"), [("google/gemma-3-27b-it", 256), ("Qwen/Qwen2.5-VL-7B-Instruct", 1024)])
def test_tokens_of_an_image_are_the_models_own(model: str, tokens: int) -> None:
    assert predict(vision(model, images=1), library()).assumed["workload.image_tokens"] == tokens


def test_models_without_eyes_take_no_images() -> None:
    found = predict(vision("Qwen/Qwen3-8B", images=1), library())
    assert found.verdict == "illegal"
    assert found.problems[0].rule == "images-need-vision"


def test_the_slots_of_a_load_count_images() -> None:
    from planner.memory.serving import serving_memory
    from planner.performance.chip import chip_of
    from planner.performance.serving import model_of
    from planner.resolve import resolve

    def slots(**load: Any) -> float:
        resolved = resolve(vision("Qwen/Qwen2.5-VL-7B-Instruct", **load), library())
        chip = chip_of(resolved.cluster.device.accelerator, resolved.cluster.host, library().curves)
        return demand_of(resolved, serving_memory(resolved), model_of(resolved, chip, library().curves)).slots

    assert slots(images=10, image_tokens=1000) < 0.25 * slots()
