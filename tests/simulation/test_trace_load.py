"""A trace taken together: its rate, lengths and spreads, and what ``plan --trace`` makes of it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.cli.main import main
from planner.documents.deployment import ServiceLevelTable, WorkloadTable
from planner.documents.trace import TraceRow, read_trace
from planner.simulate import Asked, simulate
from planner.trace_load import MOST_VARIATION, TraceLoad, load_of
from tests.cost.build import library

HOUR = Path(__file__).parents[2] / "examples" / "traces" / "office-hour.csv"
TOKENS = st.integers(1, 10_000_000).map(float)
ROWS = st.lists(st.builds(TraceRow, st.floats(0, 1e7), TOKENS, TOKENS), min_size=1, max_size=40).map(sorted)


@given(rows=ROWS)
def test_a_load_is_what_its_table_takes(rows: list[TraceRow]) -> None:
    load = load_of(rows)
    table = load.over(WorkloadTable(concurrency=5, saturated=True, images=2, prefix_hit_rate=0.5))
    assert (table.concurrency, table.saturated, table.images, table.prefix_hit_rate) == (None, False, 2, 0.5)
    assert table.request_rate is not None and table.request_rate > 0 and math.isfinite(table.request_rate)
    for kind in ("isl", "osl"):
        values = [getattr(row, kind) for row in rows]
        assert min(values) * (1 - 1e-9) <= getattr(load, kind) <= max(values) * (1 + 1e-9)
    assert all(0 <= value <= MOST_VARIATION for value in (load.isl_cv, load.osl_cv, load.arrival_cv))
    assert load.longest >= max(row.isl + row.osl for row in rows)
    assert load.longest <= load.max_model_len < load.longest + 1024


def test_spreads_of_known_rows() -> None:
    load = load_of([TraceRow(0, 100, 10), TraceRow(1, 300, 10), TraceRow(2, 100, 10), TraceRow(4, 300, 10)])
    assert load == TraceLoad(4, 4.0, 0.75, 200.0, 10.0, 0.5, 0.0, pytest.approx(math.sqrt(2) / 4), 310)


@pytest.mark.parametrize("rows", [[TraceRow(0, 5, 5)], [TraceRow(0, 5, 5), TraceRow(0, 5, 5)]])
def test_requests_at_one_moment_come_as_at_random(rows: list[TraceRow]) -> None:
    assert load_of(rows).arrival_cv == 1.0 and load_of(rows).rate == len(rows)


def planned(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, Any], str]:
    code = main(["plan", "--hardware", "8xH200", "--model", "qwen3-32b", "--limit", "1", "--json", *options])
    out, err = capsys.readouterr()
    return code, json.loads(out) if out else {}, err


def test_plan_takes_rate_lengths_and_longest_request_of_a_trace(capsys: pytest.CaptureFixture[str]) -> None:
    code, document, _ = planned(capsys, "--preset", "chat", "--trace", str(HOUR))
    load = load_of(read_trace(HOUR))
    asked = document["candidates"][0]["deployment"]["workload"]
    assert code == 0
    assert asked["isl"] == pytest.approx(load.isl) and asked["osl"] == pytest.approx(load.osl)
    assert asked["request_rate"] == pytest.approx(load.rate) and asked["isl_cv"] == pytest.approx(load.isl_cv)
    assert asked["service_level"]["ttft_s"] == 2.0, "promises are the preset's"
    assert document["candidates"][0]["deployment"]["serving"]["max_model_len"] >= load.longest


def test_what_is_said_beside_a_trace_comes_before_it(capsys: pytest.CaptureFixture[str]) -> None:
    more = ("--request-rate", "9", "--max-model-len", "32768", "--osl", "50")
    _, document, _ = planned(capsys, "--trace", str(HOUR), *more)
    asked = document["candidates"][0]["deployment"]["workload"]
    assert (asked["request_rate"], asked["osl"]) == (9.0, 50.0)
    assert document["candidates"][0]["deployment"]["serving"]["max_model_len"] == 32768


@pytest.mark.parametrize("name", ["", "missing.csv", "a,b.csv", "nan.csv"])
def test_a_trace_that_is_none_is_bad_input(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a,b.csv").write_text("a,b\n1,2\n")
    (tmp_path / "nan.csv").write_text("time,isl,osl\n0,nan,1\n")
    code, document, said = planned(capsys, "--trace", str(tmp_path / name))
    assert code == 2 and not document and str(tmp_path) in said and "Traceback" not in said


def test_users_and_a_trace_are_two_loads(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, said = planned(capsys, "--trace", str(HOUR), "--users", "5")
    assert code == 2 and "--trace" in said


def test_a_stopped_simulation_says_so_and_gives_no_figures() -> None:
    from planner.documents.files import read_deployment

    deployment = read_deployment(HOUR.parents[1] / "12-an-office-hour.toml")
    asked = iter([False] * 3 + [True] * 10_000)
    answer = simulate(deployment, library(), Asked(trace=read_trace(HOUR), cancelled=lambda: next(asked)))
    assert answer.service is None and answer.problems[-1].rule == "stopped"
    level = ServiceLevelTable(ttft_s=1.0)
    assert load_of(read_trace(HOUR)).over(WorkloadTable(service_level=level)).service_level is level
