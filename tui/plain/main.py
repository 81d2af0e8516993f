"""``deploy-planner --plain``: the walk over standard input and output."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TextIO

from planner.errors import BadInput, Exit, PlannerError
from tui.plain.journey import Journey
from tui.plain.talk import Ended, Quit, Talk
from tui.plain.walk import walk
from tui.signs import wanted

ABOUT = """The walk as lines of text, for screen readers, dumb terminals and scripts: numbered choices, no cursor
movement, no colour. Answers come from standard input, one a line."""


def run_plain(argv: list[str]) -> int:
    """The exit code: 0 left or done, 2 the input ended before anything was written, 130 interrupted."""
    args = _options(argv)
    for stream in (sys.stdin, sys.stdout):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    talk = Talk(sys.stdin, sys.stdout, ascii_only=args.ascii or wanted(os.environ))
    try:
        from planner.overlays import find_overlays

        folders = find_overlays([Path(folder) for folder in args.data])
    except BadInput as error:
        print_error(str(error))
        return Exit.BAD_INPUT
    return converse(Journey(talk, overlays=folders, hardware=args.hardware), sys.stderr)


def converse(journey: Journey, errors: TextIO) -> int:
    """The whole conversation; every way out of it is quiet."""
    try:
        walk(journey)
    except Quit:
        journey.talk.say("Goodbye.")
    except Ended:
        return _ended(journey, errors)
    except KeyboardInterrupt:
        errors.write("\ndeploy-planner: interrupted\n")
        return Exit.INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except PlannerError as error:
        errors.write(f"deploy-planner: {error}\n")
        return Exit.BAD_INPUT
    except Exception as error:
        if os.environ.get("DEPLOY_PLANNER_DEBUG"):
            raise
        errors.write(f"deploy-planner: internal error: {type(error).__name__}: {error} — please report it\n")
        return Exit.INTERNAL
    return Exit.OK


def _ended(journey: Journey, errors: TextIO) -> int:
    """Ctrl-D on a terminal is a way to leave; a script that ends too early is told so."""
    if journey.written or not journey.talk.echo:
        return Exit.OK
    errors.write("deploy-planner: the input ended before anything was written: add the missing answers\n")
    return Exit.BAD_INPUT


def print_error(message: str) -> None:
    sys.stderr.write(f"deploy-planner: {message}\n")


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="deploy-planner --plain", description=ABOUT)
    parser.add_argument("--plain", action="store_true", help="this mode")
    parser.add_argument("--hardware", metavar="SPEC|FILE", help="plan for this instead of the machine it runs on")
    parser.add_argument("--data", action="append", default=[], metavar="DIR", help="own data on top of the built-in")
    parser.add_argument("--ascii", action="store_true", help="no signs beyond ASCII")
    for name in ("--fresh", "--no-session"):
        parser.add_argument(name, action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(argv)
