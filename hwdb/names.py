"""How names are compared: case, spaces, dashes and vendor words do not count."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

MAX_NAME = 200
"""Characters of an outside name that are looked at."""
_VENDOR_WORDS = frozenset((
    "nvidia", "amd", "intel", "huawei", "apple", "google", "aws", "geforce", "tesla", "instinct", "radeon",
    "corporation", "generation", "advanced", "micro", "devices", "inc", "r", "tm", "gpu", "card", "graphics", "edition",
))  # fmt: skip
_WORD = re.compile(r"[a-z0-9]+")


def words(text: str) -> list[str]:
    """Lower-case runs of letters and digits."""
    return _WORD.findall(text[:MAX_NAME].lower())


def compact(text: str) -> str:
    """``RTX-4090`` → ``rtx4090``."""
    return "".join(words(text))


def bare(text: str) -> str:
    """As ``compact``, without the words that say only whose product it is."""
    kept = [word for word in words(text) if word not in _VENDOR_WORDS]
    return "".join(kept) or compact(text)


def distance(one: str, other: str) -> float:
    """0 for equal names, 1 for nothing in common: 1 − Dice coefficient of letter pairs of the bare names."""
    first, second = _pairs(one), _pairs(other)
    total = len(first) + len(second)
    return 1 - 2 * len(first & second) / total if total else 1.0


def nearest(name: str, known: Iterable[tuple[str, str]], limit: int = 5) -> tuple[tuple[str, float], ...]:
    """The ids of the (id, name) pairs that come closest, with their distance; those with nothing in common left out."""
    best: dict[str, float] = {}
    for row, label in known:
        best[row] = min(best.get(row, 1.0), distance(name, label))
    ranked = sorted((away, row) for row, away in best.items() if away < 1)
    return tuple((row, round(away, 3)) for away, row in ranked[:limit])


@lru_cache(maxsize=4096)
def _pairs(name: str) -> frozenset[tuple[str, int]]:
    """Pairs of neighbouring letters, the n-th occurrence of a pair counted as its own."""
    padded = f" {bare(name)} "
    seen: dict[str, int] = {}
    pairs = []
    for start in range(len(padded) - 1):
        pair = padded[start : start + 2]
        seen[pair] = seen.get(pair, 0) + 1
        pairs.append((pair, seen[pair]))
    return frozenset(pairs)
