"""How the verbs that plan give their answer: as which form, how much of it, where to."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from planner.cli.report_option import add_report_option
from planner.cli.values import count
from planner.errors import BadInput, Exit

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
    answer.add_argument("--save", metavar="FILE", help="also write the first proposal as a document for other verbs")
    add_report_option(answer)
    answer.add_argument("--force", action="store_true", help="overwrite the files if they exist")
    return answer


def refuse_existing(args: argparse.Namespace) -> None:
    """Before the work begins: a file that is there is replaced only when that is said. Raises BadInput."""
    for name in (args.output, args.save):
        if name is not None and not args.force and Path(name).exists():
            raise BadInput(name, "exists already", "choose another name or pass --force")


def give(document: PlanDocument, args: argparse.Namespace, *, table: Shown, markdown: Shown) -> Exit:
    """Print or write the document in the form asked for; the exit code says whether anything starts."""
    if args.save is not None:
        _write_first(document, args)
    text = _json(document) if args.json else markdown(document) if args.markdown else table(document)
    if args.output is None:
        sys.stdout.write(text + "\n")
    else:
        _write(args.output, text + "\n", args)
    return Exit.OK if document.verdict in STARTS and document.candidates else Exit.NOTHING_FITS


def _write_first(document: PlanDocument, args: argparse.Namespace) -> None:
    from planner.export.document import document_text

    if document.candidates:
        _write(args.save, document_text(document.candidates[0]), args)
    else:
        print(f"deploy-planner: {args.save}: not written: there is no proposal", file=sys.stderr)


def _write(name: str, text: str, args: argparse.Namespace) -> None:
    from planner.documents.files import write_whole

    write_whole(Path(name), text, overwrite=args.force)
    print(f"wrote {name}", file=sys.stderr)


def _json(document: PlanDocument) -> str:
    from planner.documents.encode import to_json

    return to_json(document)
