"""Precision levels and the published cost of formats; the order of models."""

from __future__ import annotations

import itertools
from math import log2, sqrt

import pytest

from planner.models.catalogue import Catalogue
from planner.models.prominence import (
    DEVIATION,
    INTERCEPT,
    PER_DOUBLING,
    PER_MONTH,
    capacity,
    estimated_score,
    months,
)
from planner.models.quality import at_least, known_formats, level_of, levels, quality_of


def test_levels_are_ordered_by_bits():
    assert levels() == ("int2", "int3", "int4", "int5", "int6", "int8", "fp8", "bf16")
    for low, high in itertools.pairwise(levels()):
        assert at_least(high, low)
        assert not at_least(low, high)


@pytest.mark.parametrize(
    ("weights", "level"),
    [
        ("gguf:Q4_K_M", "int4"), ("gguf:UD-Q2_K_XL", "int2"), ("gguf:IQ1_S", "int2"), ("gguf:IQ3_XXS", "int3"),
        ("gguf:Q5_K_S", "int5"), ("gguf:Q6_K", "int6"), ("gguf:Q8_0", "int8"), ("gguf:BF16", "bf16"),
        ("gguf:F16", "bf16"), ("gguf:MXFP4_MOE", "int4"), ("gguf:TQ1_0", "int2"), ("nvfp4", "int4"), ("fp8", "fp8"),
        ("bnb-nf4", "int4"), ("int6", "int6"), ("gguf:", None), ("gguf:QQ", None), ("nothing", None), ("", None),
    ],
)  # fmt: skip
def test_every_format_has_its_level(weights, level):
    assert level_of(weights) == level


def test_every_known_format_has_a_level_and_a_floor_works():
    for name in known_formats():
        assert level_of(name) in levels()
    assert at_least("fp8", "int8") is True
    assert at_least("awq-int4", "fp8") is False
    assert at_least("mystery", "fp8") is None


def test_published_costs_carry_a_source_and_nothing_is_invented():
    assert quality_of("mxfp4").recovery is None
    assert quality_of("mystery").evidence == ()
    for name in ("fp8", "gptq-int8", "gptq-int4", "awq-int4", "w4a16-int4", "nvfp4"):
        low, high = quality_of(name).recovery
        assert 0.8 < low <= high < 1.05
    for name in (*known_formats(), "gguf:Q4_K_M", "gguf:Q2_K"):
        for piece in quality_of(name).evidence:
            assert piece.source.text
            assert piece.source.date
            if piece.recovery and piece.baseline and piece.value:
                assert piece.recovery == pytest.approx(piece.value / piece.baseline, abs=6e-4)


def test_fewer_bits_never_lower_the_published_perplexity():
    order = ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K", "IQ2_XXS")
    worst = [quality_of(f"gguf:{name}").perplexity_ratio[1] for name in order]
    assert worst == sorted(worst)
    assert worst[0] < 1.001


def test_the_fit_of_prominence_is_that_of_the_catalogue():
    """Ordinary least squares on the listed models gives the constants, within what new rows may move them."""
    rows = [m for m in Catalogue().models() if m.arena_score and m.parameters_total and m.released]
    xs = [(1.0, log2(capacity(m.parameters_total, m.parameters_active)), float(months(m.released))) for m in rows]
    ys = [float(m.arena_score) for m in rows]
    a, b, c = solve(xs, ys)
    residuals = [y - (a * x[0] + b * x[1] + c * x[2]) for x, y in zip(xs, ys, strict=True)]
    deviation = sqrt(sum(r * r for r in residuals) / len(residuals))
    assert len(rows) >= 100
    assert (a, b, c) == (
        pytest.approx(INTERCEPT, abs=12),
        pytest.approx(PER_DOUBLING, abs=2),
        pytest.approx(PER_MONTH, abs=0.4),
    )
    assert deviation == pytest.approx(DEVIATION, abs=4)


def solve(xs, ys):
    """Normal equations by elimination."""
    n = len(xs[0])
    rows = [
        [sum(x[i] * x[j] for x in xs) for j in range(n)] + [sum(x[i] * y for x, y in zip(xs, ys, strict=True))]
        for i in range(n)
    ]
    for i in range(n):
        for j in range(n):
            if i != j:
                factor = rows[j][i] / rows[i][i]
                rows[j] = [p - factor * q for p, q in zip(rows[j], rows[i], strict=True)]
    return [rows[i][n] / rows[i][i] for i in range(n)]


def test_experts_order():
    catalogue = Catalogue()

    def above(first: str, second: str) -> bool:
        return catalogue.get(first).prominence > catalogue.get(second).prominence

    assert above("deepseek-r1", "deepseek-r1-distill-qwen-32b")
    assert above("glm-5.3", "qwen3.8-27b")
    assert above("deepseek-r1", "meta-llama/Llama-3.3-70B-Instruct")
    assert above("meta-llama/Llama-3.3-70B-Instruct", "meta-llama/Llama-2-70b-hf")
    assert above("qwen3-32b", "qwen3-8b")
    assert above("Llama-3.1-70B-Instruct", "Llama-3.1-70B")


def test_the_first_of_each_size_is_one_that_people_start():
    """For 8 × 141 GB a frontier model, for 20 GB at 4 bit one of 24 to 36B."""
    ranked = sorted(Catalogue().models(), key=lambda m: -m.prominence)
    big = next(m for m in ranked if 0 < (m.parameters_total or 0) < 800e9)
    assert big.tier == "frontier"
    small = next(m for m in ranked if 0 < (m.parameters_total or 0) < 36e9)
    assert small.parameters_total > 24e9
    assert small.publisher in {"google", "Qwen"}


def test_bigger_and_newer_is_never_estimated_lower():
    for size in (1e9, 7e9, 70e9, 400e9):
        assert estimated_score(int(size * 2), None, "2025-01") >= estimated_score(int(size), None, "2025-01")
        assert estimated_score(int(size), None, "2026-01") >= estimated_score(int(size), None, "2025-01")
    assert estimated_score(None, None, None) < 1000
