"""``deploy-planner hardware``: the hardware database, each number with its source."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from planner.cli.options import add_overlay_option, library_of
from planner.errors import BadDocument, Exit, Problem, UnknownName

if TYPE_CHECKING:
    from hwdb.database import Database
    from hwdb.search import Found

SCHEMA = "deploy-planner/hardware/1"
KINDS = ("accelerator", "host", "link", "fabric", "storage")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "query", nargs="*", metavar="QUERY", help="a name (one row in full) or words (a list); nothing lists all"
    )
    parser.add_argument("--kind", choices=KINDS, help="only rows of this kind")
    parser.add_argument("--json", action="store_true", help="the rows as JSON, with all sources and doubts")
    add_overlay_option(parser)
    parser.epilog = (
        "examples:\n"
        "  deploy-planner hardware h200               one card, every number with source, date and doubts\n"
        "  deploy-planner hardware blackwell          a list\n"
        '  deploy-planner hardware "EPYC 9355"        a processor family\n'
        "  deploy-planner hardware --kind link        links between devices\n"
        "  deploy-planner hardware --data ./mine      with accelerators/*.toml of your own\n"
    )


def run(args: argparse.Namespace) -> int:
    query = " ".join(args.query).strip()
    found = _find(library_of(args).database, query, args.kind)
    if args.json:
        from planner.documents.encode import to_json, to_plain

        rows = [{"kind": each.kind, **to_plain(each.row)} for each in found]
        text = to_json({"schema": SCHEMA, "query": query, "rows": rows})
    else:
        from planner.cli.hardware_page import listing, page

        text = page(found[0]) if len(found) == 1 and query else listing(found)
    sys.stdout.write(text + "\n")
    return Exit.OK


def _find(database: Database, query: str, kind: str | None) -> list[Found]:
    from hwdb.errors import InvalidData, UnknownRow
    from hwdb.search import every_row, search

    try:
        rows = search(database, query) if query else list(every_row(database))
        wanted = kind or (None if query else "accelerator")
        found = [each for each in rows if wanted is None or each.kind == wanted]
    except UnknownRow as miss:
        raise UnknownName("hardware", miss.name, miss.nearest) from None
    except InvalidData as invalid:
        raise BadDocument(tuple(_problem(each) for each in invalid.problems)) from None
    if not found:
        raise UnknownName(kind or "hardware", query)
    return found


def _problem(each: object) -> Problem:
    """A data problem of an overlay as the command prints it."""
    from hwdb.errors import DataProblem

    if not isinstance(each, DataProblem):
        return Problem("overlay", str(each))
    where = f"{each.file}: {each.key}" if each.key else each.file
    return Problem(where, each.message, f"did you mean {each.nearest!r}?" if each.nearest else "")
