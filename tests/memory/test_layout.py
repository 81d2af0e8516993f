from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from planner.memory.layout import stage_sizes


def test_vllm_puts_what_is_left_before_the_last_stage():
    assert stage_sizes(61, 2) == (31, 30)
    assert stage_sizes(61, 4) == (15, 15, 16, 15)
    assert stage_sizes(94, 4) == (23, 24, 24, 23)
    assert stage_sizes(80, 8) == (10,) * 8


@given(st.integers(1, 500), st.integers(1, 64))
def test_every_layer_has_one_stage(layers, pp):
    sizes = stage_sizes(layers, pp)
    assert len(sizes) == pp
    assert sum(sizes) == layers
    assert max(sizes) - min(sizes) <= 1
