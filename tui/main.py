"""Entry point of ``deploy-planner``: the app by default, ``planner.cli`` for everything headless."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from planner.errors import Exit

NO_TERMINAL = (
    "deploy-planner: no terminal here, so this is the plan for this machine as a table (plan --help has its options).\n"
    "deploy-planner: --json gives the document, --plain asks question by question, serve opens the app in a browser.\n"
)
FRAMES = "100"
"""A second. What a key changes is drawn with the next or, as the toolkit counts, the one after: within 20 ms. Its own
60 make 33; nothing is drawn where nothing changed."""
SERVE = "The app in a browser, on 127.0.0.1 unless told otherwise."


def main() -> int:
    """Run the command line of this process."""
    argv = sys.argv[1:]
    if "--plain" in argv and argv[0].startswith("-"):
        return _plain(argv)
    if _wants_app(argv):
        return _open(argv) if _can_draw(os.environ) else _plain(argv)
    from planner.cli.main import main as headless
    from planner.cli.verbs import Verb, register

    register("serve", Verb("tui.serve.verb", SERVE))
    if not argv:
        sys.stderr.write(NO_TERMINAL)
    return headless(argv)


def _plain(argv: list[str]) -> int:
    from tui.plain.main import run_plain

    return run_plain(argv)


def _open(argv: list[str]) -> int:
    """The app; Ctrl-C leaves quietly while it is still being loaded, too."""
    os.environ.setdefault("TEXTUAL_FPS", FRAMES)
    try:
        from tui.app import run_app

        return run_app(argv)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED


def _can_draw(environ: Mapping[str, str]) -> bool:
    """A terminal that moves no cursor gets the walk as lines."""
    return environ.get("TERM", "") not in ("", "dumb") or sys.platform == "win32" or "TEXTUAL_DRIVER" in environ


def _wants_app(argv: list[str]) -> bool:
    """The app opens without a verb, on a terminal, unless a flag asks for a document."""
    if any(not arg.startswith("-") for arg in argv[:1]):
        return False
    headless_flags = {"--json", "--table", "--markdown", "-h", "--help", "-V", "--version"}
    return not headless_flags.intersection(argv) and sys.stdin.isatty() and sys.stdout.isatty()


if __name__ == "__main__":
    raise SystemExit(main())
