"""Overheads of engines are levels: rows set and multiply, within limits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.engines.registry import engine_profile
from planner.performance.overheads import Overheads, overheads_of
from tests.performance.builders import LLAMA_8B, deployment, library, speed


def over(
    engine: str, version: str, chip: str, rows: list[dict[str, object]], **limits: tuple[float, float]
) -> Overheads:
    curves = replace(library().curves, engines=tuple(rows), limits=limits)
    return overheads_of(engine_profile(engine, version), "cuda", chip, curves)


ANY = {"engine": "any", "step_s": 2e-3, "latency": 1.0}
ROWS = [
    ANY,
    {"engine": "vllm", "times": {"step_s": 0.5}},
    {"engine": "any", "chips": ["sm90"], "times": {"step_s": 3.0}},
]


@pytest.mark.parametrize(("engine", "version", "chip", "expected"), [
    ("vllm", "0.19.0", "sm90", 3e-3), ("vllm", "0.19.0", "sm80", 1e-3), ("sglang", "0.5.6", "sm90", 6e-3),
    ("sglang", "0.5.6", "sm80", 2e-3),
])  # fmt: skip
def test_factors_of_all_levels_multiply(engine: str, version: str, chip: str, expected: float) -> None:
    assert over(engine, version, chip, ROWS).step_s == pytest.approx(expected)


def test_the_product_stays_within_limits() -> None:
    assert over("vllm", "0.19.0", "sm90", ROWS, step_s=(1e-4, 2.5e-3)).step_s == 2.5e-3
    assert over("vllm", "0.19.0", "sm80", ROWS, step_s=(1.5e-3, 9.0)).step_s == 1.5e-3


def test_a_span_of_releases_holds_for_them_alone() -> None:
    rows = [ANY, {"engine": "vllm", "versions": ">=0.17", "times": {"step_s": 0.5}}]
    assert over("vllm", "0.19.0", "sm90", rows).step_s == pytest.approx(1e-3)
    assert over("vllm", "0.10.0", "sm90", rows).step_s == pytest.approx(2e-3)


def test_every_row_of_the_data_is_within_reach() -> None:
    """No factor stands alone beyond what the limits let through, and each level says where it comes from."""
    for row in library().curves.engines:
        assert row["source"]
        for name, factor in row.get("times", {}).items():
            assert hasattr(Overheads(), name)
            assert 0.02 < factor < 50 or name in ("late_slots", "prefill_s", "step_s")


def test_slots_are_lost_where_nobody_states_them() -> None:
    """A named effect: engines set up for a load have as many slots as it has requests, and lose some."""
    case: dict[str, dict[str, object]] = {
        "hardware": {"accelerator": "h100-sxm-80gb", "per_node": 1},
        "engine": {"name": "trtllm", "version": "1.0"},
        "workload": {"isl": 1024, "osl": 256, "concurrency": 8},
    }
    unstated = speed(deployment(LLAMA_8B, **case)).ttft_s
    stated = speed(deployment(LLAMA_8B, **case, serving={"max_num_seqs": 2048})).ttft_s
    assert unstated is not None and stated is not None
    assert unstated.value > 1.5 * stated.value
