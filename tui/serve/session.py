"""One session of the served app: ``python -m tui.serve.session``. Its terminal is the page, by way of the server."""

from __future__ import annotations

import sys

from tui.app import run_app

if __name__ == "__main__":
    raise SystemExit(run_app(sys.argv[1:]))
