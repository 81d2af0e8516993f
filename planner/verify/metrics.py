"""A Prometheus page → readings: samples by name, means of histograms, settings that stand in labels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from planner.data import read_toml
from planner.verify.lines import Line
from planner.verify.log import LogReadings
from planner.verify.patterns import Reading, number_of

MAX_SAMPLES = 200_000
_SAMPLE = re.compile(r"^(?P<name>[A-Za-z_:][\w:]{0,200})(?P<labels>\{.{0,20000}\})?\s{1,8}(?P<value>[^\s]{1,40})")
_LABEL = re.compile(r'(?P<name>\w{1,100})="(?P<value>(?:[^"\\]|\\.){0,2000})"')

Samples = dict[str, list[tuple[dict[str, str], float, int]]]


@cache
def _rows() -> tuple[dict[str, Any], ...]:
    return tuple(read_toml("verify/metrics.toml")["rows"])


def looks_like_metrics(text: str) -> bool:
    """Whether a text is an exposition page and not a log."""
    head = text[:65536]
    return head.startswith(("# HELP ", "# TYPE ")) or "\n# TYPE " in head


def read_metrics(lines: Iterable[Line]) -> LogReadings:
    """Readings of a page; the engine is the one whose metrics are there."""
    wanted = {row["name"] for row in _rows()}
    wanted |= {f"{row['name']}{end}" for row in _rows() if row["kind"] == "mean" for end in ("_sum", "_count")}
    samples: Samples = {}
    count = 0
    for line in lines:
        count += 1
        if found := _sample(line.text, wanted):
            name, labels, value = found
            samples.setdefault(name, []).append((labels, value, line.number))
        if count > MAX_SAMPLES:
            break
    engine, readings = None, []
    for row in _rows():
        found_readings = list(_read(row, samples))
        engine = engine or (row["engine"] if found_readings else None)
        readings += found_readings if row["engine"] == engine else []
    return LogReadings(engine, tuple(readings), 1, count)


def _sample(text: str, wanted: set[str]) -> tuple[str, dict[str, str], float] | None:
    if text.startswith("#") or text.split("{", 1)[0].split(" ", 1)[0] not in wanted:
        return None
    found = _SAMPLE.match(text)
    value = number_of(found["value"]) if found else None
    if found is None or value is None:
        return None
    labels = {label["name"]: label["value"] for label in _LABEL.finditer(found["labels"] or "")}
    return found["name"], labels, value


def _read(row: dict[str, Any], samples: Samples) -> Iterator[Reading]:
    name = row["name"]
    if row["kind"] == "labels":
        for labels, _, line in samples.get(name, ())[:1]:
            yield from _labelled(row["labels"], labels, line)
        return
    if row["kind"] == "mean":
        total = sum(value for _, value, _ in samples.get(f"{name}_sum", ()))
        count = sum(value for _, value, _ in samples.get(f"{name}_count", ()))
        if count > 0:
            yield _reading(row["field"], total / count, samples[f"{name}_count"][0][2])
        return
    values = [value for _, value, _ in samples.get(name, ())]
    if values:
        value = sum(values) if row["kind"] == "sum" else max(values)
        yield _reading(row["field"], value, samples[name][0][2])


def _labelled(fields: dict[str, str], labels: dict[str, str], line: int) -> Iterator[Reading]:
    for label, named in fields.items():
        text = labels.get(label)
        if text is None or text == "None":
            continue
        field, _, unit = named.partition("__")
        number = number_of(text)
        if unit == "text":
            yield Reading(field, text, 0.0, line)
        elif number is not None:
            yield Reading(field, number, 0.0, line)


def _reading(named: str, value: float, line: int) -> Reading:
    return Reading(named.partition("__")[0], value, 0.0, line)
