"""Layouts, Pareto set, ledger and policy: properties."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.cli.options import PRESETS_HELP
from planner.data import read_toml
from planner.documents.request import Goal
from planner.documents.result import Finding
from planner.errors import BadInput
from planner.legality.shape import ModelShape
from planner.models.quality import levels
from planner.plan_question import load_policy
from planner.presets import preset, presets
from planner.search.layouts import Space, layouts
from planner.search.ledger import Ledger
from planner.search.pareto import dominates, pareto


def shape(experts: int = 0, layers: int = 61) -> ModelShape:
    return ModelShape(
        q_heads=(128,), state_heads=(), kv_heads=(), vision_heads=0, experts=(experts,) if experts else (),
        num_layers=layers, widths=(), features=frozenset(), has_mtp=False, replicated_kv=True,
    )  # fmt: skip


SPACES = st.builds(
    Space, per_node=st.integers(1, 16), nodes=st.integers(1, 8), fast_link=st.booleans(), sliced=st.booleans()
)


@given(space=SPACES, goal=st.sampled_from(get_args(Goal)), experts=st.sampled_from([0, 256]), layers=st.integers(1, 99))
def test_layouts_use_what_there_is_once(space: Space, goal: Goal, experts: int, layers: int) -> None:
    found = list(layouts(shape(experts, layers), space, goal, attention_dp=True))
    assert found and len(found) == len(set(found))
    for layout in found:
        assert 1 <= layout.gpus <= space.per_node * space.nodes
        assert layout.pp <= layers
        assert (layout.tp * layout.attention_dp) % layout.ep == 0
        assert experts or (layout.ep == 1 and layout.attention_dp == 1)
        assert not space.sliced or layout.replica == 1


def test_two_nodes_offer_both_stages_and_wide_groups() -> None:
    found = {(x.tp, x.pp) for x in layouts(shape(), Space(8, 2, True), "balanced", attention_dp=False)}
    assert {(8, 2), (16, 1), (8, 1), (1, 1)} <= found and not any(pp > 1 and tp < 8 for tp, pp in found)


FIGURES = st.one_of(st.none(), st.floats(-1e6, 1e6))
POINTS = st.integers(1, 4).flatmap(lambda n: st.lists(st.tuples(*[st.floats(-9, 9)] * n), min_size=1, max_size=12))


@given(points=POINTS)
def test_pareto_set(points: list[tuple[float, ...]]) -> None:
    """Never empty; nothing in it is dominated, everything outside is by something in it."""
    flags = pareto(points)
    front = [p for p, flag in zip(points, flags, strict=True) if flag]
    assert front
    for point, flag in zip(points, flags, strict=True):
        assert any(dominates(other, point) for other in front) != flag


@given(left=st.tuples(FIGURES, FIGURES), right=st.tuples(FIGURES, FIGURES))
def test_domination_is_strict(left: Any, right: Any) -> None:
    assert not dominates(left, left)
    assert not (dominates(left, right) and dominates(right, left))


def test_the_ledger_counts_and_keeps_the_nearest_example() -> None:
    ledger = Ledger()
    ledger.reject(Finding("a", "far", "x"), "one", closeness=1)
    ledger.reject(Finding("a", "near", "y"), "two", 3, closeness=2)
    ledger.reject(Finding("b", "other"), "three")
    first, second = ledger.rejections()
    assert (first.rule, first.count, first.message, first.example) == ("a", 4, "near", "two")
    assert second.count == 1


def test_policy_and_presets_are_complete() -> None:
    policy = load_policy()
    assert set(policy.goals) == set(get_args(Goal))
    assert set(policy.level_cost) == set(levels()) == set(policy.level_bytes)
    costs = [policy.level_cost[level] for level in levels()]
    assert costs == sorted(costs, reverse=True)
    assert policy.engines_of("nvidia-sm90").names and policy.engines_of("cpu").names == ("llama.cpp",)
    assert set(presets()) == {"chat", "rag", "code", "batch", "agents", "reasoning", "images"}
    assert PRESETS_HELP.partition(":")[0].split() == list(presets()), "the help names them all, in their order"
    assert all(row["source"] for row in read_toml("search/presets.toml")["presets"].values())
    with pytest.raises(BadInput):
        preset("poetry")
