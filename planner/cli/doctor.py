"""``deploy-planner doctor``: preflight of this machine, for a deployment or in general."""

from __future__ import annotations

import argparse
from pathlib import Path

from planner.cli.options import add_overlay_option, library_of
from planner.errors import Exit

_MARKS = {"ok": "OK", "warning": "~", "problem": "!!", "not-applicable": "-", "not-readable": "?"}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("deployment", nargs="?", help="a deployment document: the machine is checked for it")
    parser.add_argument("--json", action="store_true", help="the checks as JSON instead of a table")
    add_overlay_option(parser)
    parser.epilog = (
        "examples:\n"
        "  deploy-planner doctor                     driver, switches, shared memory, limits, disks\n"
        "  deploy-planner doctor deployment.toml     the same against what this deployment takes\n"
        "exit codes: 0 nothing is in the way · 3 a problem was found\n"
        "marks: OK fine · ~ worth a look · !! in the way · - does not apply · ? not readable from here\n"
    )


def run(args: argparse.Namespace) -> int:
    from planner.detect.machine import detect_machine
    from planner.detect.surroundings import Surroundings
    from planner.doctor.facts import gather
    from planner.doctor.preflight import preflight
    from planner.doctor.wants import Wants, wants_of

    library, wants = library_of(args), Wants()
    if args.deployment is not None:
        from planner.documents.files import read_deployment

        wants = wants_of(read_deployment(Path(args.deployment)), library)
    place = Surroundings()
    answer = preflight(gather(detect_machine(library.database, place), place, wants.weights), wants)
    if args.json:
        from planner.documents.encode import to_json

        print(to_json(answer))
    else:
        from planner.cli.tables import align

        rows = [(_MARKS[c.state], c.id, c.message + (f" → {c.fix}" if c.fix else "")) for c in answer.checks]
        print(align(rows))
    return Exit.OK if answer.good else Exit.NOTHING_FITS
