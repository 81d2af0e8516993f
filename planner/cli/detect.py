"""``deploy-planner detect``: this machine's hardware, or that of saved tool output."""

from __future__ import annotations

import argparse
import sys

from planner.cli.options import add_overlay_option, library_of
from planner.documents.encode import to_json
from planner.errors import Exit


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="the inventory document as JSON instead of a table")
    parser.add_argument(
        "--from",
        dest="files",
        nargs="+",
        default=[],
        metavar="FILE",
        help="read saved output instead of this machine: nvidia-smi -q -x, nvidia-smi topo -m, nvidia-smi, "
        "amd-smi or rocm-smi --json, npu-smi info, hl-smi, or an inventory",
    )
    add_overlay_option(parser)
    parser.epilog = "example: nvidia-smi -q -x > node7.xml; deploy-planner detect --from node7.xml"


def run(args: argparse.Namespace) -> int:
    from planner.detect.machine import detect_machine
    from planner.detect.recorded import read_recorded

    database = library_of(args).database
    inventory = read_recorded(args.files, database) if args.files else detect_machine(database)
    if args.json:
        text = to_json(inventory)
    else:
        from planner.cli.inventory_table import inventory_table

        text = inventory_table(inventory)
    sys.stdout.write(text + "\n")
    return Exit.OK
