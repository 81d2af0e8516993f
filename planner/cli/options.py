"""Options that several verbs share."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner.library import Library


def add_overlay_option(parser: argparse.ArgumentParser) -> None:
    """``--data DIR``: the user's own accelerators, models, profiles and prices over ours."""
    parser.add_argument(
        "--data",
        dest="overlay",
        action="append",
        default=[],
        metavar="DIR",
        help="own accelerators/, models/, profiles/, prices/ on top of the built-in ones (repeatable)",
    )


def library_of(args: argparse.Namespace) -> Library:
    """The library with the overlays that the options, the environment and the user's folder name."""
    from planner.library import Library

    try:
        from planner.overlays import find_overlays
    except ImportError:
        return Library(())
    return Library(find_overlays([Path(p) for p in args.overlay]))
