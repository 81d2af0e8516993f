"""Speed over load, and what would lift it, as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.cli.tables import align
from planner.units import human_count, human_seconds

if TYPE_CHECKING:
    from planner.documents.result import CrossCheck, EstimateDocument, Lever, LoadPoint, Performance
    from planner.estimate import Estimate

_NONE = "–"


def outlook_blocks(answer: EstimateDocument) -> list[str]:
    """The curve and the levers of an estimate."""
    blocks = []
    if answer.curve:
        head: tuple[str, ...] = ("load", "first token", "p95 settled", "per token", "gap p99", "tok/s", "requests/s")
        blocks.append("speed over load\n" + align([head, *map(_point, answer.curve)], indent="  "))
    if answer.levers:
        head = ("change", "first token", "per token", "throughput", "stable rate")
        blocks.append("what would lift it\n" + align([head, *map(_lever, answer.levers)], indent="  "))
    if answer.cross_check and answer.performance:
        blocks.append(_cross_check(answer.cross_check, answer.performance))
    return blocks


def _cross_check(other: CrossCheck, own: Performance) -> str:
    rows = [("", "here", "there")]
    for name, mine, theirs, show in (
        ("first token", own.ttft_s, other.ttft_s, human_seconds),
        ("per token", own.tpot_s, other.tpot_s, human_seconds),
        ("tok/s", own.output_tok_s, other.output_tok_s, human_count),
    ):
        rows.append((name, show(mine.value) if mine else _NONE, show(theirs)))
    title = f"beside {other.source} ({other.tables})" + (f": {other.note}" if other.note else "")
    return title + "\n" + align(rows, indent="  ")


def _point(point: LoadPoint) -> tuple[str, ...]:
    speed = point.performance
    load = f"{point.concurrency:g}" if point.concurrency is not None else f"{point.request_rate:.3g}/s"
    times = (speed.ttft_s, speed.ttft_p95_s, speed.tpot_s, speed.itl_p99_s)
    rate = f"{speed.request_s.value:.3g}" if speed.request_s else _NONE
    return load, *map(_seconds, times), human_count(speed.output_tok_s.value) if speed.output_tok_s else _NONE, rate


def _seconds(figure: Estimate | None) -> str:
    return human_seconds(figure.value) if figure else _NONE


def _lever(lever: Lever) -> tuple[str, ...]:
    gains = (lever.ttft, lever.tpot, lever.throughput, lever.stable_rate)
    return lever.name, *(_NONE if gain is None else f"{gain:+.0%}" for gain in gains)
