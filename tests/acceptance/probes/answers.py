"""How a probe talks: a JSON list of cases on stdin, one line ``{"ok": …}`` a case on stdout."""

import json
import sys


def answer(check):
    """``check(case) -> dict of parsed values``; whatever it raises is the tool's refusal."""
    for case in json.load(sys.stdin):
        try:
            print(json.dumps({"ok": True, "values": check(case)}, default=str, skipkeys=True))
        except SystemExit as error:
            print(json.dumps({"ok": False, "error": f"the parser stopped: {error}"}))
        except Exception as error:
            print(json.dumps({"ok": False, "error": repr(error)[:500]}))
        sys.stdout.flush()
