"""The links of a machine as a small drawing: islands of devices that are joined best, and what lies between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

CLOSENESS = ("NVL", "NV", "XGMI", "HCCS", "PIX", "PXB", "PHB", "NODE", "SYS")
"""Kinds of links as vendors' tools name them, the closest first; a number behind them counts their lanes."""
JOINT, APART = "══", "   "
MOST = 16
"""Devices that are drawn; more are a matrix elsewhere."""


def drawing(topology: Sequence[Sequence[str]], link: str | None, count: int) -> Iterator[str]:
    """Two or three lines; nothing for one device, or where nothing is known."""
    if count < 2 or count > MOST:
        return
    pairs = {(i, j): topology[i][j] for i in range(len(topology)) for j in range(len(topology[i])) if i < j}
    if len(topology) != count or not pairs:
        yield from _all_alike(count, link) if link else ()
        return
    kinds = Counter(pairs.values())
    if len(kinds) == 1:
        yield from _all_alike(count, next(iter(kinds)))
        return
    best = min(kinds, key=closeness)
    between = Counter(kind for kind in pairs.values() if kind != best).most_common(1)[0][0]
    yield from _islands(_joined(count, [pair for pair, kind in pairs.items() if kind == best]), best, between)


def closeness(kind: str) -> tuple[int, float]:
    """For ordering: the kind, then more lanes first."""
    word = kind.rstrip("0123456789")
    place = next((n for n, known in enumerate(CLOSENESS) if word.upper().startswith(known)), len(CLOSENESS))
    lanes = kind[len(word) :]
    return place, -float(lanes) if lanes else 0.0


def _joined(count: int, pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Devices that hang together by these pairs."""
    island = list(range(count))
    for one, other in pairs:
        low, high = sorted((island[one], island[other]))
        island = [low if place == high else place for place in island]
    return [[device for device in range(count) if island[device] == first] for first in dict.fromkeys(island)]


def _all_alike(count: int, kind: str) -> Iterator[str]:
    """Every pair by the same link: one comb."""
    names = [f"{device:<4}" for device in range(count)]
    yield "".join(names).rstrip()
    comb = "└" + "┴".join(["───"] * (count - 1)) + "┘"
    yield f"{comb}  {kind}, every pair"


def _islands(islands: Sequence[Sequence[int]], best: str, between: str) -> Iterator[str]:
    """``0══1   2══3`` and a bracket below."""
    words = [JOINT.join(str(device) for device in island) for island in islands]
    line, starts = "", []
    for word in words:
        starts.append(len(line))
        line += word + APART
    yield f"{line.rstrip()}   {JOINT} {best}"
    if len(islands) > 1:
        below = [" "] * (starts[-1] + 1)
        below[starts[0] : starts[-1] + 1] = "─" * (starts[-1] - starts[0] + 1)
        for start in starts:
            below[start] = "┴"
        below[starts[0]], below[starts[-1]] = "└", "┘"
        yield f"{''.join(below)}   {between} between"
