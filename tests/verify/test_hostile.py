"""Logs from outside: endless lines, NUL bytes, patterns' worst cases, absurd numbers. Bounded time, no traceback."""

from __future__ import annotations

import re
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.data import read_toml
from planner.errors import BadInput
from planner.units import GIB, MIB
from planner.verify.actual import actual_of
from planner.verify.failures import explain, failures, moved
from planner.verify.lines import MAX_LINE, clean_lines, log_lines
from planner.verify.log import read_log
from planner.verify.metrics import looks_like_metrics, read_metrics
from planner.verify.patterns import rows
from planner.verify.source import file_chunks

GOOD = "INFO 06-22 02:54:47 [gpu_worker.py:232] Available KV cache memory: 26.91 GiB\n"
MARKERS = sorted({row.marker for row in rows()} | {failure.marker for failure in failures()})


def read(text):
    return actual_of(read_log(log_lines(text)))


def test_a_line_of_ten_megabytes_is_cut_and_the_next_one_is_read(tmp_path):
    path = tmp_path / "long.log"
    path.write_text("x" * (10 * MIB) + "\n" + GOOD, encoding="utf-8")
    tracemalloc.start()
    started = time.perf_counter()
    lines = list(clean_lines(file_chunks(str(path))))
    took, (_, peak) = time.perf_counter() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [len(line.text) <= MAX_LINE for line in lines] == [True, True]
    assert actual_of(read_log(lines)).value("kv_cache") == pytest.approx(26.91 * GIB)
    assert took < 5
    assert peak < 40 * MIB


def test_a_message_at_the_end_of_a_long_progress_bar_is_read():
    bar = "".join(f"\rCapturing: {n}%|{'█' * 400}" for n in range(500))
    assert read(bar + "\r" + GOOD).value("kv_cache") == pytest.approx(26.91 * GIB)


def test_nul_bytes_control_characters_and_broken_utf8_do_not_hide_a_message(tmp_path):
    path = tmp_path / "dirty.log"
    path.write_bytes(b"\x00\xff\xfe\n" + GOOD.replace("KV", "K\0V\x07").encode() + b"\xc3\n\x80\x81")
    assert actual_of(read_log(clean_lines(file_chunks(str(path))))).value("kv_cache") == pytest.approx(26.91 * GIB)


@pytest.mark.parametrize("filler", ["9", "9.", "a", " ", "(", "'", "=", "w,", "x1 ", '"\\', "_Mapped"])
def test_no_pattern_explodes_on_lines_made_for_it(filler):
    text = "\n".join(f"{marker} {filler * (MAX_LINE // len(filler))}{marker}" for marker in MARKERS)
    started = time.perf_counter()
    read(text)
    explain(log_lines(text))
    assert time.perf_counter() - started < 10


def test_every_repetition_in_the_tables_is_bounded():
    patterns = [p for row in read_toml("verify/patterns.toml")["rows"] for p in row["patterns"]]
    patterns += [row["pattern"] for row in read_toml("verify/failures.toml")["rows"]]
    for pattern in patterns:
        bare = re.sub(r"\\.|\[(?:\\.|[^\]])*\]", "c", pattern)
        assert "*" not in bare, pattern
        assert "+" not in bare, pattern


def test_every_row_has_a_source_and_its_marker_is_needed_by_its_pattern():
    for row in rows():
        assert row.source
    for row in read_toml("verify/failures.toml")["rows"]:
        assert row["source"]
        assert row["meaning"]
        assert row["fix"]


@pytest.mark.parametrize("number", ["99999999999", "-1.00", "1e999", "nan", "0.00", "..", "1,2,3,4"])
def test_absurd_numbers_are_values_or_nothing(number):
    value = read(f"Available KV cache memory: {number} GiB\nGPU KV cache size: {number} tokens\n").value("kv_cache")
    assert value is None or abs(value) < 2.0**80


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(MARKERS), st.text(max_size=60)), max_size=12))
def test_nothing_anyone_writes_is_a_traceback(pieces):
    text = "".join(pieces)
    read(text)
    explain(log_lines(text))
    read_metrics(log_lines("# TYPE x gauge\n" + text))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=20), st.one_of(st.none(), st.integers(), st.floats(), st.booleans(), st.text(max_size=5)))
def test_moves_of_any_text_from_any_value_are_values_or_nothing(move, value):
    moved(value, move)


def test_a_metrics_page_full_of_labels_is_read_in_bounded_time():
    labels = ",".join(f'l{n}="{chr(92)}{chr(92)}x"' for n in range(800))
    page = "# TYPE vllm:cache_config_info gauge\n" + (f"vllm:cache_config_info{{{labels}}} 1.0\n" * 200)
    started = time.perf_counter()
    assert looks_like_metrics(page)
    read_metrics(log_lines(page))
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize("name", ["/no/such/file", "", "a\0b", "."])
def test_what_cannot_be_read_is_said(name):
    with pytest.raises(BadInput):
        list(file_chunks(name))
