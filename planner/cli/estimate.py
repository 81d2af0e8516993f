"""``deploy-planner estimate``: one deployment, or one per line."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from planner.cli.options import add_overlay_option, library_of
from planner.cli.values import count
from planner.documents.deployment import Deployment
from planner.documents.encode import to_json
from planner.documents.files import parse_deployment, read_deployment, reason_of
from planner.documents.result import EstimateDocument
from planner.errors import BadInput, Exit, PlannerError
from planner.library import Library
from planner.predict import predict
from planner.units import MIB

MAX_LINE_BYTES = 16 * MIB

EXAMPLES = """examples:
  deploy-planner estimate deployment.toml                one deployment, part by part
  deploy-planner estimate --jsonl many.jsonl             a thousand of them, one answer a line

exit codes: 0 it starts · 3 it does not fit or is illegal (the answer is still printed) · 2 the document is broken"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EXAMPLES
    parser.add_argument("deployment", nargs="?", help="a deployment document (TOML)")
    parser.add_argument("--jsonl", nargs="?", const="-", metavar="FILE", help="one deployment a line; - is stdin")
    parser.add_argument("--configs", metavar="DIR", help="folder for model.config given by file name")
    parser.add_argument(
        "--curve", nargs="?", type=count(2, 200), const=12, metavar="N", help="also speed over load, at N points (12)"
    )
    parser.add_argument("--levers", action="store_true", help="also what would make it faster, one change at a time")
    parser.add_argument(
        "--cross-check", action="store_true", help="also what aiconfigurator-core says of the speed, if it can be asked"
    )
    parser.add_argument("--json", action="store_true", help="the estimate as JSON instead of a table")
    add_overlay_option(parser)


def run(args: argparse.Namespace) -> int:
    library = library_of(args)
    if args.jsonl is not None:
        return _run_lines(args, library)
    if args.deployment is None:
        raise BadInput("estimate", "no deployment given", "name a TOML file, or use --jsonl")
    deployment = with_config_file(read_deployment(Path(args.deployment)), args.configs)
    answer = _with_outlook(predict(deployment, library), deployment, library, args)
    if args.json:
        print(to_json(answer))
    else:
        from planner.cli.estimate_table import estimate_table

        print(estimate_table(deployment, answer))
    return exit_code(answer)


def _with_outlook(
    answer: EstimateDocument, deployment: Deployment, library: Library, args: argparse.Namespace
) -> EstimateDocument:
    """The answer with its curve and levers, where asked for."""
    if args.curve is not None:
        from planner.load_curve import load_curve

        answer = replace(answer, curve=load_curve(deployment, library, args.curve))
    if args.levers:
        from planner.levers import levers

        answer = replace(answer, levers=levers(deployment, library))
    if args.cross_check:
        from planner.crosscheck.ask import cross_checked

        answer = cross_checked(answer, deployment, library)
    return answer


def exit_code(answer: EstimateDocument) -> int:
    """0 when it starts (or nobody knows), 3 when it does not fit or is illegal."""
    return Exit.NOTHING_FITS if answer.verdict in ("does-not-fit", "illegal") else Exit.OK


def with_config_file(deployment: Deployment, folder: str | None) -> Deployment:
    """``model.config`` given as a file name is read from ``folder``."""
    name = deployment.model.config
    if folder is None or not isinstance(name, str):
        return deployment
    model = replace(deployment.model, config=str(Path(folder) / name))
    return replace(deployment, model=model)


def _run_lines(args: argparse.Namespace, library: Library) -> int:
    write = sys.stdout.write
    with _open(args.jsonl) as stream:
        for number, line in enumerate(_lines(stream), 1):
            if line.strip():
                write(_answer(line, number, args, library) + "\n")
    return Exit.OK


def _open(name: str) -> IO[str]:
    if name == "-":
        return open(sys.stdin.fileno(), encoding="utf-8", errors="replace", closefd=False)
    try:
        return Path(name).open(encoding="utf-8", errors="replace")
    except (OSError, ValueError) as error:
        raise BadInput(repr(name), f"cannot be read: {reason_of(error)}", "check the path") from None


def _lines(stream: IO[str]) -> Iterator[str]:
    """Lines of bounded length; a longer one is cut and the rest of it dropped."""
    while line := stream.readline(MAX_LINE_BYTES):
        whole = line.endswith("\n")
        yield line
        while not whole and (rest := stream.readline(MAX_LINE_BYTES)):
            whole = rest.endswith("\n")


def _answer(line: str, number: int, args: argparse.Namespace, library: Library) -> str:
    name: str | None = None
    try:
        data = json.loads(line)
        if isinstance(data, dict):
            name = data.get("id") if isinstance(data.get("id"), str) else None
        deployment = with_config_file(parse_deployment(_unwrapped(data), f"line {number}"), args.configs)
        return to_json(predict(deployment, library), indent=None)
    except (ValueError, RecursionError) as error:
        return _failure(name, f"line {number}: is not valid JSON: {error}")
    except PlannerError as error:
        return _failure(name, str(error))


def _unwrapped(data: Any) -> Any:
    """The deployment of a line: the line itself, or its ``deployment`` with the line's ``id``."""
    if isinstance(data, dict) and isinstance(data.get("deployment"), dict):
        return {**data["deployment"], "id": data.get("id")}
    return data


def _failure(name: str | None, message: str) -> str:
    return json.dumps({"schema": "deploy-planner/estimate/1", "id": name, "error": message}, ensure_ascii=False)
