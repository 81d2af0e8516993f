"""Text as wide as the terminal: nothing is lost, nothing runs over."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planner.cli.layout import columns_within, pairs_within, width
from planner.cli.main import main

R1 = str(Path(__file__).parents[2] / "examples" / "30-r1-owned-or-rented.toml")
BUSY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no failure."""
WORDS = st.text("abc", min_size=1, max_size=12)


@BUSY
@given(st.lists(st.lists(WORDS, min_size=8, max_size=8), min_size=1, max_size=4), st.integers(60, 200))
def test_no_cell_is_lost_and_no_line_runs_over(rows: list[list[str]], columns: int) -> None:
    text = columns_within(rows, columns)
    for row in rows:
        for cell in row:
            assert cell in text
    assert max(len(line) for line in text.splitlines()) <= columns


@BUSY
@given(
    st.lists(st.tuples(WORDS, st.lists(WORDS, min_size=1, max_size=30).map(" ".join)), min_size=1), st.integers(60, 120)
)
def test_long_texts_go_on_below(rows: list[tuple[str, str]], columns: int) -> None:
    text = pairs_within(rows, columns)
    assert max(len(line) for line in text.splitlines()) <= columns
    assert text.split() == [word for name, words in rows for word in (name, *words.split())]


def test_the_width_is_that_of_the_terminal_but_never_hopeless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "93")
    assert width() == 93
    monkeypatch.setenv("COLUMNS", "7")
    assert width() == 60


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize(
    "argv",
    [
        ("cost", R1, "--api", "o1", "deepseek/deepseek-r1"),
        ("buy", "--model", "deepseek-r1", "--users", "200", "--hardware", "h200-sxm-141gb", "mi300x", "b200-sxm"),
        ("buy", "--model", "qwen3-8b", "--users", "20", "--have", "2x8xA100-SXM-80GB"),
    ],
    ids=["cost", "buy", "have"],
)
def test_the_tables_of_money_fit_the_screen(
    argv: tuple[str, ...], columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main(list(argv)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(len(line) for line in lines) <= columns, max(lines, key=len)
