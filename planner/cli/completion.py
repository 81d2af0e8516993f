"""``deploy-planner completion SHELL``: a completion script, made from the parsers themselves."""

from __future__ import annotations

import argparse
import sys

from planner.cli.verbs import VERBS
from planner.errors import Exit


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh"))
    parser.epilog = 'example: eval "$(deploy-planner completion bash)"'


def run(args: argparse.Namespace) -> int:
    import shtab

    sys.stdout.write(shtab.complete(full_parser(), shell=args.shell) + "\n")
    return Exit.OK


def full_parser() -> argparse.ArgumentParser:
    """Every verb's parser below one: for completion and for documentation."""
    parser = argparse.ArgumentParser(prog="deploy-planner")
    commands = parser.add_subparsers(dest="verb")
    for name, verb in VERBS.items():
        verb.load().configure(commands.add_parser(name, help=verb.help, description=verb.help))
    return parser
