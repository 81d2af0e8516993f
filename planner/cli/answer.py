"""How the verbs that plan give their answer: as which form, how much of it, where to."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from planner.cli.report_option import add_report_option
from planner.cli.values import count
from planner.errors import Exit

if TYPE_CHECKING:
    from planner.documents.result import PlanDocument

STARTS = ("fits", "tight", "unknown")
Shown = Callable[["PlanDocument"], str]


def add_answer_options(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """The options; a verb may add its own to the group."""
    answer = parser.add_argument_group("the answer")
    form = answer.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="the plan document as JSON")
    form.add_argument("--table", action="store_true", help="plain text (the default)")
    form.add_argument("--markdown", action="store_true", help="for a ticket or a wiki")
    answer.add_argument("--limit", type=count(1, 100), default=10, metavar="N", help="proposals to return (10)")
    answer.add_argument("-o", "--output", metavar="FILE", help="write into a file instead of stdout")
    add_report_option(answer)
    answer.add_argument("--force", action="store_true", help="overwrite the files if they exist")
    return answer


def give(document: PlanDocument, args: argparse.Namespace, *, table: Shown, markdown: Shown) -> Exit:
    """Print or write the document in the form asked for; the exit code says whether anything starts."""
    text = _json(document) if args.json else markdown(document) if args.markdown else table(document)
    if args.output is None:
        sys.stdout.write(text + "\n")
    else:
        from planner.documents.files import write_whole

        write_whole(Path(args.output), text + "\n", overwrite=args.force)
        print(f"wrote {args.output}", file=sys.stderr)
    return Exit.OK if document.verdict in STARTS and document.candidates else Exit.NOTHING_FITS


def _json(document: PlanDocument) -> str:
    from planner.documents.encode import to_json

    return to_json(document)
