"""``deploy-planner verify``: what an engine printed or measures beside what was planned."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from planner.cli.options import add_overlay_option, library_of
from planner.errors import BadInput, Exit

if TYPE_CHECKING:
    from planner.library import Library
    from planner.verify.result import Verification


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("deployment", nargs="?", help="the deployment document that was started (TOML)")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--log", metavar="FILE", help="the engine's start-up log; - is stdin")
    source.add_argument(
        "--metrics", metavar="URL|FILE", help="the engine's Prometheus page, e.g. http://host:8000/metrics"
    )
    parser.add_argument(
        "--calibrate", action="store_true", help="keep the measured overheads for plans on this machine"
    )
    parser.add_argument("--forget", action="store_true", help="remove everything that --calibrate kept")
    parser.add_argument("--json", action="store_true", help="the comparison as JSON instead of a table")
    add_overlay_option(parser)
    parser.epilog = (
        "examples:\n"
        "  journalctl -u vllm -b -o cat | deploy-planner verify deployment.toml --log -\n"
        "  deploy-planner verify deployment.toml --log vllm.log --calibrate\n"
        "  deploy-planner verify deployment.toml --metrics http://localhost:8000/metrics\n"
        "exit codes: 0 every printed figure lies in its range · 3 something differs, or nothing was recognised\n"
    )


def run(args: argparse.Namespace) -> int:
    if args.forget:
        return _forget()
    if args.deployment is None or (args.log is None and args.metrics is None):
        raise BadInput("verify", "needs a deployment and --log or --metrics", "see verify --help")
    answer = _answer(args, library_of(args))
    if args.json:
        from planner.documents.encode import to_json

        print(to_json(answer))
    else:
        from planner.cli.verify_table import verification_table

        print(verification_table(answer))
    return Exit.OK if answer.outcome == "as-planned" else Exit.NOTHING_FITS


def _answer(args: argparse.Namespace, library: Library) -> Verification:
    from planner.documents.files import read_deployment
    from planner.verify.run import verify_log, verify_page

    deployment = read_deployment(Path(args.deployment))
    if args.metrics is not None:
        answer = verify_page(deployment, args.metrics, library, calibrate=args.calibrate)
    else:
        answer = verify_log(deployment, args.log, library, calibrate=args.calibrate)
    if answer.calibration:
        print(f"deploy-planner: calibration: {answer.calibration}", file=sys.stderr)
    return answer


def _forget() -> int:
    from planner.calibration import forget, site_path

    path = site_path()
    done = "removed" if forget(path) else "there was nothing at"
    print(f"deploy-planner: {done} {path}", file=sys.stderr)
    return Exit.OK
