"""The headless command: one verb, one module; this is the only place where errors become exit codes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from hwdb.errors import HardwareDataError
from planner.cli.help_format import HelpFormat
from planner.cli.streams import let_go_of_output, make_writable, unwritable
from planner.cli.verbs import VERBS, epilog, version_text
from planner.errors import BadInput, Exit, PlannerError


def main(argv: Sequence[str]) -> int:
    """Run one verb. Returns the exit code; stdout carries only the document, stderr the talk."""
    make_writable()
    try:
        return _run(list(argv))
    except BadInput as error:
        for problem in error.problems:
            print(f"deploy-planner: {problem}", file=sys.stderr)
        return Exit.BAD_INPUT
    except (PlannerError, HardwareDataError) as error:
        print(f"deploy-planner: {error}", file=sys.stderr)
        return Exit.BAD_INPUT
    except KeyboardInterrupt:
        print("deploy-planner: interrupted", file=sys.stderr)
        return Exit.INTERRUPTED
    except BrokenPipeError:
        let_go_of_output()
        return Exit.OK
    except Exception as error:
        return _unexpected(error)


def _unexpected(error: Exception) -> int:
    """A place that takes no more, or a bug."""
    if isinstance(error, OSError) and unwritable(error):
        let_go_of_output()
        print(f"deploy-planner: stdout: cannot be written: {error.strerror} — make room there", file=sys.stderr)
        return Exit.BAD_INPUT
    if os.environ.get("DEPLOY_PLANNER_DEBUG"):
        raise error
    print(
        f"deploy-planner: internal error: {type(error).__name__}: {error} — "
        "please report it; DEPLOY_PLANNER_DEBUG=1 shows the traceback",
        file=sys.stderr,
    )
    return Exit.INTERNAL


def _run(argv: list[str]) -> int:
    verb = argv[0] if argv and argv[0] in VERBS else None
    if verb is None:
        return _without_verb(argv)
    module = VERBS[verb].load()
    parser = argparse.ArgumentParser(
        prog=f"deploy-planner {verb}",
        description=VERBS[verb].help,
    )
    module.configure(parser)
    parser.formatter_class = HelpFormat
    code: int = module.run(_parsed(parser, argv[1:]))
    sys.stdout.flush()
    return code


def _parsed(parser: argparse.ArgumentParser, argv: list[str]) -> argparse.Namespace:
    try:
        return parser.parse_args(argv)
    except SystemExit:
        sys.stdout.flush()
        raise


def _without_verb(argv: list[str]) -> int:
    if any(flag in argv for flag in ("-h", "--help", "-V", "--version")) or (argv and not argv[0].startswith("-")):
        _parsed(top_parser(), argv)
        return Exit.OK
    return _run(["plan", *argv])


def top_parser() -> argparse.ArgumentParser:
    """The parser of the bare command: help, version and the list of verbs."""
    parser = argparse.ArgumentParser(
        prog="deploy-planner",
        usage="deploy-planner [VERB] [OPTIONS]",
        description="Plans private LLM deployments: what this hardware serves or fine-tunes, how fast, and the files.",
        formatter_class=HelpFormat,
        epilog=epilog(),
    )
    parser.add_argument("-V", "--version", action="version", version=version_text())
    parser.add_argument("verb", nargs="?", choices=list(VERBS), metavar="VERB", help=argparse.SUPPRESS)
    return parser
