"""Trace files: one request a line with its time, prompt and answer tokens, as CSV with a header or as JSON lines.

Read from outside, so nothing is trusted: sizes are bounded, every bad line is named, nothing is guessed.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

from planner.documents.files import read_bounded
from planner.errors import BadDocument, BadInput, Problem
from planner.units import MIB, MILLI

MAX_TRACE_BYTES = 64 * MIB
MAX_REQUESTS = 100_000
MAX_TOKENS = 10_000_000
MAX_SPAN_S = 366 * 86_400.0
_MOST_PROBLEMS = 10
_PAUSE_EVERY = 64
"""Lines."""
_FIELD_LIMIT = 4096

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "time": ("timestamp", "time", "arrival", "arrival_time", "arrival_s", "arrived_at"),
    "input": ("input_tokens", "prompt_tokens", "input_length", "contexttokens", "num_prefill_tokens", "isl"),
    "output": ("output_tokens", "completion_tokens", "output_length", "generatedtokens", "num_decode_tokens", "osl"),
}
"""Names of columns that are understood, in any case: own ones, those of the public Azure, Mooncake and Vidur traces."""
TimeUnit = Literal["s", "ms"]


class TraceRow(NamedTuple):
    """One request of a trace; seconds count from its first one."""

    arrival_s: float
    isl: float
    osl: float


def read_trace(path: Path, unit: TimeUnit = "s", pause: Callable[[], object] = lambda: None) -> tuple[TraceRow, ...]:
    """The requests of a trace, by time. Raises BadInput or BadDocument with every problem.

    ``pause`` is called now and then: a reader beside a screen waits in it while a key is answered.
    """
    try:
        text = read_bounded(path, MAX_TRACE_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(str(path), f"is not UTF-8 text: {error.reason} at byte {error.start}") from None
    found, problems = list[TraceRow](), list[Problem]()
    for number, row in _rows(text, path):
        if number % _PAUSE_EVERY == 0:
            pause()
        try:
            found.append(_request(row, unit))
        except ValueError as error:
            problems.append(Problem(f"{path}: line {number}", str(error), "mend or remove the line"))
        if len(problems) >= _MOST_PROBLEMS:
            break
        if len(found) > MAX_REQUESTS:
            raise BadInput(str(path), f"has more than {MAX_REQUESTS:,} requests", "cut it to a part of the day")
    if problems:
        raise BadDocument(tuple(problems))
    return _from_first(found, path)


def _from_first(rows: list[TraceRow], path: Path) -> tuple[TraceRow, ...]:
    if not rows:
        raise BadInput(str(path), "has no requests", "expected a header and one request a line, or JSON lines")
    rows.sort()
    start = rows[0].arrival_s
    if rows[-1].arrival_s - start > MAX_SPAN_S:
        fix = "check the unit of its times (--time-unit ms), or cut it"
        raise BadInput(str(path), "spans more than a year", fix)
    return tuple(TraceRow(row.arrival_s - start, row.isl, row.osl) for row in rows)


def _rows(text: str, path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """(line number, the row with lower-case keys)."""
    if text.lstrip()[:1] == "{":
        yield from _json_rows(text, path)
        return
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        header = [name.strip().lower() for name in reader.fieldnames or ()]
        for kind, names in COLUMNS.items():
            if not any(name in header for name in names):
                known = ", ".join(names)
                raise BadInput(str(path), f"has no column for the {kind} of a request", f"name one of {known}")
        reader.fieldnames = header
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise BadInput(str(path), f"is not valid CSV: {error}", "expected a header and one request a line") from None


def _json_rows(text: str, path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BadInput(f"{path}: line {number}", f"is not valid JSON: {error}", "one object a line") from None
        if not isinstance(row, dict):
            raise BadInput(f"{path}: line {number}", "is not an object", "one object a line")
        yield number, {str(key).lower(): value for key, value in row.items()}


def _request(row: Mapping[str, Any], unit: TimeUnit) -> TraceRow:
    """Raises ValueError saying what is wrong with the row."""
    arrival = _time(_value(row, "time"), unit)
    isl, osl = (_tokens(_value(row, kind), kind) for kind in ("input", "output"))
    return TraceRow(arrival, isl, osl)


def _value(row: Mapping[str, Any], kind: str) -> Any:
    for name in COLUMNS[kind]:
        if row.get(name) is not None:
            return row[name]
    raise ValueError(f"no {kind} (one of {', '.join(COLUMNS[kind][:3])} …)")


def _number(value: Any, kind: str) -> float:
    shown = repr(value)[:40]
    if isinstance(value, bool) or not isinstance(value, str | int | float) or len(str(value)[:99]) > 40:
        raise ValueError(f"{kind} {shown} is not a number")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise ValueError(f"{kind} {shown} is not a number") from None
    if not math.isfinite(number):
        raise ValueError(f"{kind} {shown} is not finite")
    return number


def _tokens(value: Any, kind: str) -> float:
    """At least one token of each: an answer of none is counted as one."""
    number = _number(value, f"{kind} tokens")
    if not 0 <= number <= MAX_TOKENS:
        raise ValueError(f"{kind} tokens {number:g} are not between 0 and {MAX_TOKENS:,}")
    return max(float(round(number)), 1.0)


def _time(value: Any, unit: TimeUnit) -> float:
    """Seconds: a number in the unit, or an ISO date and time."""
    if isinstance(value, str) and "-" in value[1:] and ":" in value:
        return _date(value.strip()[:_FIELD_LIMIT])
    number = _number(value, "time")
    return number * MILLI if unit == "ms" else number


def _date(text: str) -> float:
    """An ISO date and time, UTC unless it says otherwise; more than six decimals of a second are cut."""
    head, dot, tail = text.partition(".")
    digits = len(tail) - len(tail.lstrip("0123456789"))
    try:
        moment = datetime.fromisoformat(head + dot + tail[: min(digits, 6)] + tail[digits:])
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"time {text[:40]!r} is no date") from None
