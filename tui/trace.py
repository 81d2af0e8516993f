"""A trace file as the workload: what it says of rate and lengths, in the walk's own inputs. No toolkit in here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from planner.units import SECONDS_PER_HOUR, SECONDS_PER_MINUTE, human_seconds
from tui.draft import TRACE
from tui.inputs.kinds import Kind
from tui.inputs.workload import NUMBERS
from tui.text import hours

if TYPE_CHECKING:
    from planner.documents.deployment import WorkloadTable
    from planner.errors import PlannerError
    from planner.trace_load import TraceLoad

Unit = Literal["s", "ms"]
UNITS = (
    Kind("s", "Seconds", "numbers are seconds; dates and times are understood as well"),
    Kind("ms", "Milliseconds", "numbers are milliseconds"),
)
UNIT_ABOUT = "what the times in the trace count. Moves: the rate, a thousandfold."
ABOUT = (
    "Requests that were recorded: CSV with a header, or JSON lines. Columns: a time, input_tokens, output_tokens;\n"
    "those of the public Azure, Mooncake and Vidur traces are known. Rate and lengths become the workload."
)
_BOUNDS = {number.name: number for number in NUMBERS}
_LONGEST_PATH = 4096
_MOST = 1e12
"""No figure of a trace is larger."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A file that was read, and what it came to."""

    path: str
    unit: Unit
    load: TraceLoad

    @property
    def name(self) -> str:
        return Path(self.path).name

    @property
    def numbers(self) -> dict[str, int]:
        """The inputs that follow from it, within what their fields take."""
        found = {
            "rate": self.load.rate * SECONDS_PER_MINUTE,
            "isl": self.load.isl,
            "osl": self.load.osl,
            "max_model_len": self.load.max_model_len,
        }
        return {name: max(_BOUNDS[name].low, min(_BOUNDS[name].high, round(value))) for name, value in found.items()}

    @property
    def words(self) -> str:
        """``1,517 requests in 60 min, 25 a minute · 1,020 → 210 tokens, longest 14,912``."""
        load = self.load
        rate = load.rate * SECONDS_PER_MINUTE
        return (
            f"{load.requests:,} requests in {_span(load.span_s)}, {_few(rate)} a minute · "
            f"{load.isl:,.0f} → {load.osl:,.0f} tokens, longest {load.longest:,}"
        )

    def changes(self) -> dict[str, Any]:
        """Inputs of the walk with this load; promises and everything else stay."""
        nothing = {"images": None, "image_tokens": None, "prefix_percent": 0}
        return {"preset": TRACE, "trace": self, "load": "rate", **self.numbers, **nothing}

    def over(self, table: WorkloadTable, per_minute: int | None) -> WorkloadTable:
        """A workload with the exact figures of the trace, at another rate where that was asked for."""
        same = per_minute is None or per_minute == self.numbers["rate"]
        load = self.load if same else replace(self.load, rate=(per_minute or 1) / SECONDS_PER_MINUTE)
        return load.over(table)


def _span(seconds: float) -> str:
    return hours(seconds / SECONDS_PER_HOUR) if seconds >= SECONDS_PER_MINUTE else human_seconds(seconds)


def _few(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"


def read_trace_file(path: str, unit: Unit, pause: Callable[[], object] = lambda: None) -> Trace:
    """The file's load, read with pauses. Raises PlannerError for anything that is no trace."""
    from planner.documents.trace import read_trace
    from planner.trace_load import load_of
    from tui.paths import expanded

    return Trace(path, unit, load_of(read_trace(expanded(path), unit, pause)))


def said_of(error: PlannerError) -> str:
    """One line about a file that is no trace: the first problem, and how many more there are."""
    problems = getattr(error, "problems", ())
    first = str(problems[0] if problems else error).splitlines()[0]
    more = len(problems) - 1
    return first + (f" ({more} more {'line is' if more == 1 else 'lines are'} wrong)" if more > 0 else "")


def plain_of(trace: Trace | None) -> dict[str, Any] | None:
    """As a session keeps it."""
    return None if trace is None else asdict(trace)


def trace_of(data: object) -> Trace | None:
    """A trace from what a session kept; None for anything that this program would not have written."""
    from planner.trace_load import TraceLoad

    if not isinstance(data, Mapping) or set(data) != {field.name for field in fields(Trace)}:
        return None
    path, unit, load = data["path"], data["unit"], data["load"]
    if not (isinstance(path, str) and path and path.isprintable() and len(path) <= _LONGEST_PATH):
        return None
    if unit not in [kind.key for kind in UNITS] or not isinstance(load, Mapping):
        return None
    if set(load) != {field.name for field in fields(TraceLoad)} or not all(map(_is_figure, load.values())):
        return None
    if not all(type(load[name]) is int and load[name] >= 1 for name in ("requests", "longest")):
        return None
    positive = all(load[name] > 0 for name in ("rate", "isl", "osl"))
    return Trace(path, unit, TraceLoad(**load)) if positive else None


def _is_figure(value: object) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and 0 <= value < _MOST
    )
