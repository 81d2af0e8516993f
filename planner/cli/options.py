"""Options that several verbs share."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from planner.cli.values import count, duration, share, tokens

if TYPE_CHECKING:
    from planner.library import Library


PRESETS_HELP = "chat rag code batch agents reasoning images: lengths and promises"
"""Names of ``search/presets.toml``, which is not read for a help text; a test compares them."""


def add_image_options(parser: argparse._ActionsContainer) -> None:
    """``--images`` of a request and ``--image-tokens`` of each."""
    parser.add_argument("--images", type=count(0, 1000), metavar="N", help="images per request, beside the text")
    parser.add_argument(
        "--image-tokens",
        type=tokens,
        metavar="TOKENS",
        help="of one image in the prompt (the model's own number, or 1,024)",
    )


def add_request_options(parser: argparse._ActionsContainer) -> None:
    """Lengths of the mean request, the longest one, and what is promised for its tokens."""
    parser.add_argument("--isl", type=tokens, metavar="TOKENS", help="mean prompt length")
    parser.add_argument("--osl", type=tokens, metavar="TOKENS", help="mean answer length")
    add_image_options(parser)
    parser.add_argument("--prefix-hit-rate", type=share, metavar="SHARE", help="prompt tokens found in the cache, 0-1")
    parser.add_argument("--max-model-len", type=tokens, metavar="TOKENS", help="longest request that must be possible")
    parser.add_argument("--ttft", type=duration, metavar="S", help="first token within so many seconds")
    parser.add_argument("--tpot", type=duration, metavar="S", help="each further token within so many seconds")


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
    from planner.overlays import find_overlays

    return Library(find_overlays([Path(p) for p in args.overlay]))
