"""Lines of an engine's log as patterns can read them: bounded, without colour, with the worker that wrote them.

A log is text from outside: lines may be megabytes long, hold NUL bytes, escape sequences, half of another worker's
line, or the frame of a terminal program. Whatever is cut off is simply not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from planner.units import KIB, MIB

MAX_LINE = 24 * KIB
"""Characters of a line that are looked at; the longest lines of use (arguments, configurations) have about 10,000."""
MAX_LINES = 1_000_000
MAX_LOG_BYTES = 256 * MIB
_CHUNK = 1 * MIB

_ESCAPE = re.compile(r"\x1b(?:\[[0-9;?]{0,32}[ -/]{0,4}[@-~]|\][^\x07\x1b]{0,256}(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_WORKERS = (
    re.compile(
        r"\((?P<name>(?:Worker|EngineCore|ApiServer|APIServer|Vllm|Ray)[\w.]{0,60})(?: rank=(?P<rank>\d{1,6}))?"
    ),
    re.compile(r"\[\d{4}-\d\d-\d\d[ T][\d:.,]{8,16} (?P<name>(?:(?:DP|TP|PP|EP|ATTN)\d{1,4} ?){1,5})\]"),
    re.compile(r"\[RANK (?P<rank>\d{1,6})\]"),
    re.compile(r"^\[(?P<rank>\d{1,6})\] "),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One cleaned line."""

    number: int
    """Counted from 1, as an editor shows it."""
    text: str
    worker: str = ""
    """"Worker_TP1", "TP3", "2" …; empty where the line names none."""


def log_lines(text: str) -> Iterator[Line]:
    """The lines of a whole text."""
    return clean_lines(text[start : start + _CHUNK] for start in range(0, len(text), _CHUNK))


def clean_lines(chunks: Iterable[str]) -> Iterator[Line]:
    """Cleaned lines that are not empty, of a text that comes in pieces of any size."""
    for number, raw in _pieces(chunks):
        if number > MAX_LINES:
            return
        if clean := plain(raw):
            yield Line(number, clean, worker_of(clean))


def _pieces(chunks: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Lines with their numbers; a carriage return ends one too, as progress bars use it, but is not counted."""
    number, rest = 1, ""
    for chunk in chunks:
        lines = (rest + chunk).split("\n")
        for line in lines[:-1]:
            yield from ((number, part[:MAX_LINE]) for part in line.split("\r"))
            number += 1
        *parts, rest = lines[-1].split("\r")
        yield from ((number, part[:MAX_LINE]) for part in parts)
        rest = rest[:MAX_LINE]
    yield number, rest


def plain(raw: str) -> str:
    """Text without escape sequences, control characters and the frame of a terminal program."""
    if "\x1b" in raw:
        raw = _ESCAPE.sub("", raw)
    if not raw.isprintable():
        raw = _CONTROL.sub("", raw)
    return raw.strip(" \t\n│┃|")


def worker_of(text: str) -> str:
    """The worker that a line's prefix names; process numbers do not count."""
    head = text[:240]
    for pattern in _WORKERS:
        if found := pattern.search(head):
            groups = found.groupdict()
            return (groups.get("name") or "").strip() + (groups.get("rank") or "")
    return ""
