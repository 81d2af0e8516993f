"""``deploy-planner schema NAME``: the JSON Schema of a document."""

from __future__ import annotations

import argparse
import sys

from planner.data import read_text
from planner.errors import Exit
from planner.schemas import NAMES


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", choices=NAMES, help="which document")


def run(args: argparse.Namespace) -> int:
    sys.stdout.write(read_text(f"documents/json_schemas/{args.name}.schema.json"))
    return Exit.OK
