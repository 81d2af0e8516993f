"""``--trace FILE`` of the verbs that take a recorded load."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from planner.errors import BadInput

if TYPE_CHECKING:
    from planner.documents.deployment import WorkloadTable
    from planner.documents.trace import TraceRow


def add_trace_option(group: argparse._ActionsContainer, what: str) -> None:
    """``--trace`` and the unit of its times; ``what`` says what is made of it."""
    group.add_argument("--trace", metavar="FILE", help=what)
    group.add_argument("--time-unit", choices=("s", "ms"), default="s", help="of a trace's times (s)")


def trace_rows(args: argparse.Namespace) -> tuple[TraceRow, ...] | None:
    """Its requests. Raises BadInput for a file that is none."""
    if args.trace is None:
        return None
    from planner.documents.trace import read_trace

    return read_trace(Path(args.trace), args.time_unit)


def traced(base: WorkloadTable, args: argparse.Namespace) -> tuple[WorkloadTable, int | None]:
    """The workload with the trace's rate and lengths, and the longest request that must be possible then."""
    if args.trace is not None and args.users is not None:
        raise BadInput("--users", "is another load than --trace, which brings its rate", "give one of them")
    rows = trace_rows(args)
    if rows is None:
        return base, None
    from planner.trace_load import load_of

    load = load_of(rows)
    return load.over(base), load.max_model_len
