"""``deploy-planner export``: the files that start a deployment."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from planner.cli.options import add_overlay_option, library_of
from planner.documents.files import deployment_toml, read_deployment, write_whole
from planner.errors import BadInput, Exit
from planner.export import TARGETS
from planner.export.document import exported


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("deployment", nargs="?", help="a deployment document (TOML)")
    parser.add_argument("--target", action="append", choices=sorted(TARGETS), help="what to write (default: toml)")
    parser.add_argument("-o", "--output", metavar="DIR", help="folder to write into; without it, to stdout")
    parser.add_argument("--force", action="store_true", help="overwrite files that exist")
    parser.add_argument("--list", action="store_true", help="the targets, and what checked each")
    add_overlay_option(parser)


def run(args: argparse.Namespace) -> int:
    if args.list:
        print("\n".join(f"{name:<8} {about}" for name, about in sorted(TARGETS.items())))
        return Exit.OK
    if args.deployment is None:
        raise BadInput("export", "no deployment given", "name a TOML file, or use --list")
    document, verdict = exported(read_deployment(Path(args.deployment)), library_of(args))
    text = deployment_toml(document)
    if args.output is None:
        sys.stdout.write(text)
    else:
        path = Path(args.output) / "deployment.toml"
        write_whole(path, text, overwrite=args.force)
        print(f"wrote {path}", file=sys.stderr)
    return Exit.NOTHING_FITS if verdict in ("does-not-fit", "illegal") else Exit.OK
