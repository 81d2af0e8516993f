"""Writes ``legality/compiled.json`` from the support tables: ``python -m planner.compile_support``.

The TOML files are the source; the JSON beside them is what a run reads, because it is read fast. A test compares both.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from planner.data import read_toml
from planner.legality.support_tables import COMPILED, ENGINES, REGISTERED


def compiled() -> dict[str, Any]:
    """All support tables as one document."""
    engines = {name: read_toml(f"legality/engines/{name}.toml") for name in ENGINES}
    registered = {name: read_toml(f"legality/registered/{name}.toml") for name in REGISTERED}
    return {"chips": read_toml("legality/chips.toml"), "engines": engines, "registered": registered}


def main() -> None:
    text = json.dumps(compiled(), ensure_ascii=False, separators=(",", ":"))
    with resources.as_file(resources.files("planner").joinpath(COMPILED)) as path:
        path.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
