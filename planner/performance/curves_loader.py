"""Makes ``Curves`` from the data files; the reader is passed in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from planner.performance.curves import CollectiveCurve, Curves, Law, LawRow

Reader = Callable[[str], Mapping[str, Any]]
_FOLDER = "performance/curves"
_FILES = ("gemm", "attention_prefill", "attention_decode", "mla", "moe")


def load_curves(read_toml: Reader) -> Curves:
    """All curves. ``read_toml`` takes a path below ``planner/`` and returns the parsed table."""
    laws: dict[str, list[LawRow]] = defaultdict(list)
    for name in _FILES:
        for row in read_toml(f"{_FOLDER}/{name}.toml")["curve"]:
            laws[f"{name}_{row['phase']}" if "phase" in row else name].append(_law_row(row))
    collectives = read_toml(f"{_FOLDER}/collectives.toml")
    engines = read_toml(f"{_FOLDER}/engines.toml")
    return Curves(
        laws={name: tuple(rows) for name, rows in laws.items()},
        knots_bytes=tuple(float(k) for k in collectives["knots_bytes"]),
        collectives=_collectives(collectives["curve"]),
        engines=tuple(engines["rows"]),
        limits={name: (low, high) for name, (low, high) in engines.get("limits", {}).items()},
        chips=read_toml(f"{_FOLDER}/chips.toml")["chips"],
    )


def _law_row(row: Mapping[str, Any]) -> LawRow:
    law = Law(
        latency_s=row["latency_s"],
        memory=row.get("memory", 1.0),
        compute=row.get("compute", 1.0),
        knee=row.get("knee_tokens", row.get("tile_rows", 0.0)),
        error=row["error_median"],
    )
    return LawRow(row["accelerator"], row["family"], row["vendor"], row["format"], law, row.get("engine", ""))


def _collectives(rows: list[Mapping[str, Any]]) -> dict[str, tuple[tuple[str, bool, CollectiveCurve], ...]]:
    found: dict[str, list[tuple[str, bool, CollectiveCurve]]] = defaultdict(list)
    for row in rows:
        curve = CollectiveCurve(row["group"], row["link_bytes_s"], tuple(row["seconds"]))
        found[row["operation"]].append((row["accelerator"], row["switched"], curve))
    return {operation: tuple(curves) for operation, curves in found.items()}
