"""``deploy-planner explain``: an engine's failure → the rule that was broken, and the nearest legal deployment."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from planner.cli.options import add_overlay_option, library_of
from planner.errors import BadInput, Exit

if TYPE_CHECKING:
    from planner.verify.failures import Explained
    from planner.verify.mend import Mended


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", default="-", help="the engine's output; - or nothing is stdin")
    parser.add_argument("--deployment", metavar="FILE", help="what was started: its nearest legal form is worked out")
    parser.add_argument("-o", "--output", metavar="FILE", help="write that form as a new deployment document")
    parser.add_argument("--force", action="store_true", help="overwrite the file of -o")
    parser.add_argument("--json", action="store_true", help="the explanation as JSON")
    add_overlay_option(parser)
    parser.epilog = (
        "examples:\n"
        "  docker logs vllm 2>&1 | deploy-planner explain\n"
        "  deploy-planner explain crash.log --deployment deployment.toml -o mended.toml\n"
        "exit codes: 0 a known failure was found · 3 none was\n"
    )


def run(args: argparse.Namespace) -> int:
    from planner.verify.failures import explain
    from planner.verify.lines import clean_lines
    from planner.verify.source import file_chunks

    if args.output is not None and args.deployment is None:
        raise BadInput("explain", "-o needs --deployment", "name the document that was started")
    if args.file == "-" and sys.stdin.isatty():
        print("deploy-planner: paste the failure, then press Ctrl-D", file=sys.stderr)
    found = explain(clean_lines(file_chunks(args.file)))
    mended = _mended(args, found) if args.deployment is not None else None
    print(_json(found, mended) if args.json else _text(found, mended))
    if args.output is not None and mended is not None:
        _write(args, mended)
    return Exit.OK if found else Exit.NOTHING_FITS


def _mended(args: argparse.Namespace, found: tuple[Explained, ...]) -> Mended:
    from planner.documents.files import read_deployment
    from planner.verify.mend import mend

    return mend(read_deployment(Path(args.deployment)), library_of(args), found)


def _write(args: argparse.Namespace, mended: Mended) -> None:
    from planner.documents.files import deployment_toml, write_whole

    if not mended.changes:
        print("deploy-planner: no change is known that helps; nothing was written", file=sys.stderr)
        return
    write_whole(Path(args.output), deployment_toml(mended.deployment), overwrite=args.force)
    print(f"deploy-planner: wrote {args.output}", file=sys.stderr)


def _json(found: tuple[Explained, ...], mended: Mended | None) -> str:
    from planner.documents.encode import to_json
    from planner.documents.files import plain_deployment
    from planner.verify.explanation import Explanation, Nearest

    nearest = None
    if mended is not None:
        document = plain_deployment(mended.deployment)
        nearest = Nearest(mended.estimate.verdict, tuple(mended.changes), document, mended.estimate.problems)
    return to_json(Explanation(found, nearest))


def _text(found: tuple[Explained, ...], mended: Mended | None) -> str:
    blocks = [_one(each) for each in found] or ["?   no failure that is known was found; give the whole log"]
    if mended is not None:
        lines = [f"  {change}" for change in mended.changes] or ["  no change is known that helps"]
        blocks.append(f"nearest deployment ({mended.estimate.verdict})\n" + "\n".join(lines))
    return "\n\n".join(blocks)


def _one(each: Explained) -> str:
    whose = f" ({', '.join(each.engines)})" if each.engines else ""
    return (
        f"!!  {each.rule}{whose}, line {each.line}\n    {each.message}\n"
        f"  what it means  {each.meaning}\n  what to do     {each.fix}\n  source         {each.source}"
    )
