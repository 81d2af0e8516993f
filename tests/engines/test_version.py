from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.engines.version import compare, in_range, parse_version


@pytest.mark.parametrize(
    ("text", "release", "build"),
    [
        ("0.16.0+rhaiv.2", (0, 16, 0), "rhaiv.2"),
        ("0.11.2+rhai1", (0, 11, 2), "rhai1"),
        ("0.13.1.dev8+g2841a84ac", (0, 13, 1), "g2841a84ac"),
        ("0.11.2rc1+rhai0.cuda", (0, 11, 2), "rhai0.cuda"),
        ("1.0.0rc3", (1, 0, 0), ""),
        ("v0.5.6.post2", (0, 5, 6), ""),
        ("0.17", (0, 17), ""),
        ("b6918", (6918,), ""),
        ("b741 (llamafile)", (741,), ""),
        ("build: 9775 (abc)", (9775,), ""),
        ("vllm 0.9.1", (0, 9, 1), ""),
        ("27aef3dd91", None, ""),
        ("2841a84ac", None, ""),
        ("commit 1234abcd", None, ""),
        ("main", None, ""),
        ("gpt-oss-dev", None, ""),
        ("", None, ""),
        (None, None, ""),
        ("9" * 500, None, ""),
    ],
)
def test_versions_as_people_write_them(text, release, build):
    parsed = parse_version(text)
    assert (parsed.release, parsed.build) == (release, build)


@given(st.text(max_size=60))
def test_any_text_is_answered(text):
    release = parse_version(text).release
    assert release is None or all(isinstance(n, int) for n in release)


def test_ranges():
    assert in_range((0, 8), ">=0.8, <0.17")
    assert in_range((0, 16, 9), ">=0.8, <0.17")
    assert not in_range((0, 17), ">=0.8, <0.17")
    assert in_range((0, 17, 0), "==0.17")
    assert in_range((1,), "")
    assert compare((0, 8), (0, 8, 0)) == 0
    with pytest.raises(ValueError, match="not a version range"):
        in_range((1,), "about 0.8")
