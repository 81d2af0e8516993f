"""The token that opens the page: made here, or read from a file or a variable, never from the command line."""

from __future__ import annotations

import argparse
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from planner.documents.files import read_bounded
from planner.errors import BadInput
from planner.units import KIB
from tui.serve.guard import is_loopback

LEAST, MOST = 16, 512
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def token_of(args: argparse.Namespace, environment: Mapping[str, str]) -> str | None:
    """The token asked for; None where none is needed. Raises BadInput for a weak or open one."""
    if args.token_file:
        return _checked(_from_file(Path(args.token_file)), args.token_file)
    if args.token_env:
        value = environment.get(args.token_env)
        if not value:
            raise BadInput("--token-env", f"{args.token_env[:60]} is not set", "export it before the start")
        return _checked(value, args.token_env)
    return secrets.token_urlsafe(32) if args.token or not is_loopback(args.host) else None


def _from_file(path: Path) -> str:
    content = read_bounded(path, 4 * KIB)
    if path.stat().st_mode & OTHERS:
        raise BadInput(str(path), "can be read by others", f"chmod 600 {path}")
    try:
        return content.decode("ascii").strip()
    except UnicodeDecodeError:
        raise BadInput(str(path), "is no line of ASCII text", "write a token of letters and digits") from None


def _checked(token: str, where: str) -> str:
    printable = token.isascii() and token.isprintable() and " " not in token
    if not printable or not LEAST <= len(token) <= MOST:
        fix = "openssl rand -hex 32 makes one"
        raise BadInput(where, f"is no token: {LEAST} to {MOST} printable ASCII characters without blanks", fix)
    return token
