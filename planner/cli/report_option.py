"""``--report FILE`` of the verbs that plan."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner.documents.result import PlanDocument
    from planner.library import Library


def add_report_option(group: argparse._ArgumentGroup) -> None:
    """``--report``; ``--force`` is the verb's own."""
    group.add_argument("--report", metavar="FILE", help="also write a report to attach: FILE.html or FILE.md")


def report_path(args: argparse.Namespace) -> Path | None:
    """The report's file, checked before the work begins."""
    if args.report is None:
        return None
    from planner.report.write import checked_path

    return checked_path(args.report, overwrite=args.force)


def write_report_of(path: Path | None, document: PlanDocument, library: Library, args: argparse.Namespace) -> None:
    """Writes it, where one was asked for."""
    if path is None:
        return
    from planner.report.write import write_report

    write_report(path, document, library, overwrite=args.force)
    print(f"wrote {path}", file=sys.stderr)
