"""An engine's start-up log → readings, split where a new start-up begins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from planner.verify.lines import Line
from planner.verify.patterns import Reading, Row, readings_of, rows

MAX_READINGS = 200_000
_SIZES = frozenset({"weights", "kv_cache", "kv_tokens", "kv_blocks", "model"})
"""Readings after which another beginning is another start-up."""
_BELOW = {"ollama": "llama.cpp"}
"""Engines whose logs hold another's lines."""


@dataclass(slots=True)
class Segment:
    """Readings of one start-up."""

    readings: list[Reading] = field(default_factory=list)
    started: set[str] = field(default_factory=set)
    """Workers that have begun."""

    @property
    def loaded(self) -> bool:
        return any(r.field in _SIZES and isinstance(r.value, float) for r in self.readings)

    @property
    def model_bytes(self) -> float:
        """Of all devices together; what tells a draft model from the model."""
        return sum(r.value for r in self.readings if r.field == "model" and isinstance(r.value, float))


@dataclass(frozen=True, slots=True)
class LogReadings:
    """What was read of one start-up."""

    engine: str | None
    readings: tuple[Reading, ...]
    starts: int
    """Start-ups in the log; the one that counts is the last (llama.cpp: the last with the largest model)."""
    lines: int


def read_log(lines: Iterable[Line]) -> LogReadings:
    """Readings of the start-up that counts. Nothing recognised gives no engine."""
    table, votes = rows(), Counter[str]()
    segments, count, kept = [Segment()], 0, 0
    for line in lines:
        count += 1
        for row in table:
            if row.marker not in line.text:
                continue
            found = list(readings_of(row, line))
            if not found or kept > MAX_READINGS:
                continue
            votes[row.engine] += 1
            kept += len(found)
            if row.start:
                _begin(segments, line, row)
            segments[-1].readings += found
    engine = _engine(votes)
    chosen = _chosen(segments)
    return LogReadings(engine, tuple(chosen.readings), sum(1 for s in segments if s.loaded), count)


def _begin(segments: list[Segment], line: Line, row: Row) -> None:
    """A worker that begins after sizes were printed begins another start-up; other workers join the present one."""
    present = segments[-1]
    if present.loaded and (row.alone or line.worker in present.started or not present.started):
        segments.append(Segment(_general(present)))
    segments[-1].started.add(line.worker)


def _general(segment: Segment) -> list[Reading]:
    """What is said once at the top of a log and holds for all that follows."""
    return [reading for reading in segment.readings if reading.field == "version"]


def _engine(votes: Counter[str]) -> str | None:
    if not votes:
        return None
    if any(votes[upper] for upper in _BELOW):
        return next(upper for upper in _BELOW if votes[upper])
    return votes.most_common(1)[0][0]


def _chosen(segments: list[Segment]) -> Segment:
    loaded = [segment for segment in segments if segment.loaded] or segments
    largest = max(segment.model_bytes for segment in loaded)
    return [segment for segment in loaded if segment.model_bytes >= largest][-1]
