"""Host processors from free text: which family, and what the text itself says of sockets and memory.

A pattern is a run of words: ``#`` stands for a digit, ``?`` for a letter or digit, ``*`` for the rest of a word.
The pattern with the most literal characters wins; a tie between families is a miss.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from hwdb.names import words
from hwdb.rows import channel_bandwidth
from hwdb.schema import Processor, Source

_FILLERS = frozenset((
    "r", "tm", "cpu", "processor", "processors", "amd", "intel", "apple", "core", "cores", "gen", "gold", "platinum",
    "silver", "bronze", "genuine", "with",
))  # fmt: skip
_MAX_TEXT = 200
_WILD = {"#": "[0-9]", "?": "[0-9a-z]", "*": "[0-9a-z]*"}
_BETWEEN_WILD = re.compile("[#?*]+")
_SOCKETS = re.compile(r"(?:^|\s)(\d{1,2})\s?[x×]\s+(?=[a-z])(?!(?:LP)?DDR)|\b(\d{1,2})\s?sockets?\b", re.IGNORECASE)
_IN_WORDS = re.compile(r"\b(?:(dual)|single)\b", re.IGNORECASE)
_CHANNELS = re.compile(r"\b(\d{1,2})\s?(?:x\s?(?=DDR)|-?ch(?:annels?)?\b|\s?DDR[345]X?\s+channels\b)", re.IGNORECASE)
_SPEED = re.compile(r"\b(?:LP|MR)?D(?:DR[345]X?|IMM)[\s@-]{1,3}(\d{4,5})\b", re.IGNORECASE)
_SAID = Source("the text that was looked up")


def matching(text: str, families: Iterable[tuple[str, Iterable[str]]]) -> list[str]:
    """The ids whose patterns fit best; several when they fit equally well."""
    line = " ".join(word for word in words(text) if word not in _FILLERS)
    best, found = 0, list[str]()
    for row, patterns in families:
        score = max((_literals(pattern) for pattern in patterns if _fits(pattern, line)), default=0)
        if score > best:
            best, found = score, [row]
        elif score == best and score:
            found.append(row)
    return found


def as_written(row: Processor, text: str) -> Processor:
    """The family with the sockets, channels and memory speed that the text names (``2x EPYC 9355, 24ch DDR5-5600``).

    More channels than a socket has are taken as the sum over the sockets.
    """
    text = text[:_MAX_TEXT]
    sockets = _sockets(text)
    channels = _number(_CHANNELS, text, 1, 64)
    speed = _number(_SPEED, text, 800, 20_000)
    if channels and row.memory_channels and channels > row.memory_channels and sockets:
        channels /= sockets
    changed: dict[str, float] = {}
    if channels:
        changed["memory_channels"] = channels
    if speed:
        changed["memory_mt_s"] = speed
    row = replace(row, sockets=sockets)
    if not changed or not (row.memory_channels or channels) or not (row.memory_mt_s or speed):
        return row
    bandwidth = channel_bandwidth(channels or row.memory_channels or 0, speed or row.memory_mt_s or 0)
    said = dict.fromkeys((*changed, "bandwidth_bytes_s"), _SAID)
    doubts = {key: why for key, why in row.doubts.items() if key not in said}
    changes = {**changed, "bandwidth_bytes_s": bandwidth, "sources": {**row.sources, **said}, "doubts": doubts}
    return replace(row, **changes)  # type: ignore[arg-type]


def _sockets(text: str) -> int | None:
    if found := _SOCKETS.search(text):
        count = int(found[1] or found[2])
        return count if 1 <= count <= 16 else None
    if said := _IN_WORDS.search(text):
        return 2 if said[1] else 1
    return None


def _number(pattern: re.Pattern[str], text: str, low: int, high: int) -> float | None:
    found = pattern.search(text)
    if found is None:
        return None
    value = float(found[1])
    return value if low <= value <= high else None


def _fits(pattern: str, line: str) -> bool:
    """Whether the pattern is a run of words of the line; most are ruled out without compiling them."""
    longest = max(_BETWEEN_WILD.split(pattern), key=len)
    return longest.strip() in line and _regex(pattern).search(line) is not None


def _literals(pattern: str) -> int:
    return sum(2 if char not in _WILD and char != " " else 1 for char in pattern if char != "*")


@lru_cache(maxsize=1024)
def _regex(pattern: str) -> re.Pattern[str]:
    body = "".join(_WILD.get(char, re.escape(char)) for char in pattern)
    return re.compile(rf"(?<!\S){body}(?!\S)")
