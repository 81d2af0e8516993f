"""Trace files from outside: formats that are known, and everything that can be wrong with one."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.documents.trace import MAX_REQUESTS, TraceRow, read_trace
from planner.errors import BadInput

HEAD = "timestamp,input_tokens,output_tokens\n"


def written(folder: Path, text: str | bytes, name: str = "trace.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "10,100,20\n12.5,200,30\n",
        "Output_Tokens , TIME, prompt_tokens\n20,10,100\n30,12.5,200\n",
        '{"timestamp": 10, "input_tokens": 100, "output_tokens": 20}\n\n{"time": 12.5, "isl": "200", "osl": 30.0}\n',
        HEAD + "12.5,200,30\n10,100,20\n",
        "\ufeff" + HEAD + "10,100,20\r\n12.5,200,30",
        "TIMESTAMP,ContextTokens,GeneratedTokens\n"
        "2023-11-16 18:15:46.6805900,100,20\n2023-11-16 18:15:49.1805900,200,30\n",
    ],
    ids=["csv", "other names", "json lines", "out of order", "windows", "azure"],
)  # fmt: skip
def test_known_formats(tmp_path: Path, text: str) -> None:
    assert read_trace(written(tmp_path, text)) == (TraceRow(0.0, 100, 20), TraceRow(pytest.approx(2.5), 200, 30))


def test_milliseconds(tmp_path: Path) -> None:
    text = '{"timestamp": 500, "input_length": 6758, "output_length": 1, "hash_ids": [1]}\n'
    second = '{"timestamp": 3500, "input_length": 7322, "output_length": 490}\n'
    assert read_trace(written(tmp_path, text + second), "ms")[1] == TraceRow(3.0, 7322, 490)


def test_an_answer_of_nothing_counts_as_one_token(tmp_path: Path) -> None:
    assert read_trace(written(tmp_path, HEAD + "0,0,0\n")) == (TraceRow(0.0, 1.0, 1.0),)


def test_every_bad_line_is_named(tmp_path: Path) -> None:
    text = HEAD + "0,abc,5\n1,5,nan\n2,-1,5\nx,1,1\n3,1e9,1\n4,5\n5,6,7\n"
    with pytest.raises(BadInput) as found:
        read_trace(written(tmp_path, text))
    said = [str(problem) for problem in found.value.problems]
    assert [f"line {n}" in text for n, text in zip(range(2, 8), said, strict=True)] == [True] * 6
    assert "'abc' is not a number" in said[0]
    assert "not finite" in said[1]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no column"),
        (HEAD, "no requests"),
        ("a,b\n1,2\n", "no column for the time"),
        ("timestamp,input_tokens\n1,2\n", "no column for the output"),
        (HEAD + '0,"abc', "not valid CSV"),
        ('{"timestamp": 0', "not valid JSON"),
        ('{"timestamp": 0}\n[1]\n', "not an object"),
        ('{"timestamp": true, "isl": 1, "osl": 1}', "not a number"),
        ('{"timestamp": [1], "isl": 1, "osl": 1}', "not a number"),
        ('{"timestamp": 0, "isl": Infinity, "osl": 1}', "not finite"),
        ('{"timestamp":' + "[" * 100_000 + "}", "not valid JSON"),
        (HEAD + "0,1,1\n1e300,1,1\n", "more than a year"),
        (HEAD + "2023-13-45 99:99:99,1,1\n", "no date"),
        (HEAD + "0," + "9" * 300_000 + ",1\n", "not valid CSV"),
        (HEAD + "0," + "9" * 50 + ",1\n", "not a number"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (HEAD + "0,1,1\n" * (MAX_REQUESTS + 1), "more than"),
    ],
)
def test_hostile_files_are_refused_by_name(tmp_path: Path, text: str | bytes, reason: str) -> None:
    path = written(tmp_path, text, "$(touch x); trace.csv")
    with pytest.raises(BadInput, match=reason) as found:
        read_trace(path)
    assert str(path) in str(found.value)


@pytest.mark.parametrize("name", ["absent.csv", ".", "/dev/zero", "a\0b"])
def test_what_is_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput):
        read_trace(tmp_path / name)
