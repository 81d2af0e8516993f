"""``deploy-planner serve``: the app in a browser, on this machine alone unless told otherwise."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from planner.cli.options import add_overlay_option
from planner.cli.values import count
from planner.errors import BadInput, Exit

if TYPE_CHECKING:
    from tui.serve.guard import Guard

PACKAGE = "pip install 'deploy-planner[serve]'"
EPILOG = """examples:
  deploy-planner serve                                  http://127.0.0.1:8000/, for this machine alone
  ssh -L 8000:127.0.0.1:8000 SERVER                     then the same page on your desk, encrypted by ssh
  deploy-planner serve --token                          a token even there, on machines that others log in to
  deploy-planner serve --host 0.0.0.0 --allow-host gpu-07.example.org --tls-cert cert.pem --tls-key key.pem

Whoever can open the page acts as you: looks at this machine, reads model and hardware files, writes export files.
Anywhere but on 127.0.0.1 a token is asked for: one is made, or named by --token-file or --token-env.
Ctrl-C stops the server and every session."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    place = parser.add_argument_group("where it listens")
    place.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="address to listen on (127.0.0.1)")
    place.add_argument("--port", type=count(0, 65535), default=8000, metavar="N", help="port (8000); 0: any free one")
    place.add_argument(
        "--allow-host", action="append", default=[], metavar="NAME", help="name people open it by (repeatable)"
    )
    place.add_argument("--tls-cert", metavar="FILE", help="certificate, to serve over https")
    place.add_argument("--tls-key", metavar="FILE", help="its private key")
    place.add_argument("--sessions", type=count(1, 100), default=4, metavar="N", help="at once at most (4)")
    token = parser.add_argument_group("who may open it").add_mutually_exclusive_group()
    token.add_argument("--token", action="store_true", help="ask for a token, newly made, on 127.0.0.1 too")
    token.add_argument("--token-file", metavar="FILE", help="the token is in this file, readable by you alone")
    token.add_argument("--token-env", metavar="NAME", help="the token is in this environment variable")
    app = parser.add_argument_group("the app")
    app.add_argument("--hardware", metavar="SPEC|FILE", help="plan for this instead of the machine it runs on")
    add_overlay_option(parser)


def run(args: argparse.Namespace) -> int:
    from tui.serve.token import token_of

    token = token_of(args, os.environ)
    try:
        from tui.serve.server import Sessions, listen
    except ModuleNotFoundError as missing:
        raise BadInput("serve", f"needs the package of {missing.name}, which is not installed", PACKAGE) from None
    from planner.overlays import find_overlays
    from tui.serve.guard import Guard, is_loopback

    find_overlays([Path(folder) for folder in args.overlay])
    guard = Guard(token, frozenset(name.lower() for name in args.allow_host))
    said = warning(args, guard, loopback=is_loopback(args.host))
    listen(args, guard, Sessions(command(args), args.sessions), lambda address: _say(f"{address}\n{said}"))
    return Exit.OK


def command(args: argparse.Namespace) -> str:
    """The shell's line that starts one session; every word quoted."""
    words = [sys.executable, "-m", "tui.serve.session", "--no-session"]
    words += ["--hardware", args.hardware] if args.hardware else []
    for folder in args.overlay:
        words += ["--data", folder]
    return "exec " + shlex.join(words)


def warning(args: argparse.Namespace, guard: Guard, *, loopback: bool) -> str:
    """What the page gives away, and to whom."""
    lines = ["Whoever opens it acts as you: sees this machine, reads model and hardware files, writes export files."]
    if not loopback:
        lines.append(f"WARNING: it is reachable from other machines ({args.host}).")
        if not args.tls_cert:
            lines.append("WARNING: plain http: token and screen can be read on the way. Use --tls-cert, or ssh:")
            lines.append("  ssh -L 8000:127.0.0.1:8000 THIS-MACHINE, with serve on its default address.")
    elif guard.token is None:
        lines.append("Every account of this machine can open it: --token asks for a token.")
    return "\n".join([*lines, "Ctrl-C stops it."])


def _say(words: str) -> None:
    for line in words.splitlines():
        sys.stderr.write(f"deploy-planner: {line}\n")
    sys.stderr.flush()
