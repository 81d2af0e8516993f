"""A GPU that shares the system's memory is given a part of it; beyond it starts once that is raised."""

from __future__ import annotations

import pytest

from planner.documents.files import parse_deployment
from planner.documents.result import EstimateDocument
from planner.library import Library
from planner.predict import predict

LIBRARY = Library()


def estimated(accelerator: str, gib: int | None, weights: str, engine: str = "llama.cpp") -> EstimateDocument:
    hardware = {"accelerator": accelerator, **({"memory_bytes": gib << 30} if gib else {})}
    tables = {
        "model": {"id": "meta-llama/Llama-3.3-70B-Instruct", "weights": weights}, "hardware": hardware,
        "engine": {"name": engine}, "serving": {"max_model_len": 32768},
    }  # fmt: skip
    return predict(parse_deployment({"schema": "deploy-planner/deployment/1", **tables}, "test"), LIBRARY)


@pytest.mark.parametrize(
    ("accelerator", "gib", "weights", "beyond"),
    [
        ("apple-m3-ultra", 96, "gguf:Q8_0", True),  # 71 GiB of weights, 72 of 96 GiB are given, cache beside
        ("apple-m3-ultra", 96, "gguf:Q6_K", False),
        ("apple-m3-ultra", 512, "gguf:Q8_0", False),
        ("apple-m3-ultra", None, "gguf:Q8_0", False),
        ("ryzen-ai-max-395-radeon-8060s", 80, "gguf:Q6_K", True),
        ("h100-sxm-80gb", 80, "gguf:Q8_0", False),  # a card's memory is its own
    ],
)
def test_beyond_what_the_system_gives(accelerator: str, gib: int | None, weights: str, beyond: bool) -> None:
    found = estimated(accelerator, gib, weights)
    rules = [problem.rule for problem in found.problems]
    assert ("gpu-share" in rules) == beyond
    if beyond:
        assert found.verdict == "tight" and "iogpu.wired_limit_mb" in found.problems[0].fix


def test_an_engine_that_takes_its_share_keeps_to_it() -> None:
    assert "gpu-share" not in [p.rule for p in estimated("apple-m3-ultra", 512, "bf16", "mlx").problems]
