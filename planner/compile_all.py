"""Rewrites every compiled copy of the data files: ``python -m planner.compile_all``, after any change of a TOML file.

The TOML files are the source; the copies are what a run reads, because they are read fast. Tests compare both.
"""

from __future__ import annotations

import hwdb.compile
from planner import compile_data, compile_support
from planner.models import compile_catalogue, compile_tables


def main() -> int:
    """Write them all; stops at the first that is wrong, which says why."""
    compile_support.main()
    compile_data.main()
    return hwdb.compile.main() or compile_tables.main() or compile_catalogue.main()


if __name__ == "__main__":
    raise SystemExit(main())
