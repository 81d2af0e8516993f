"""The compiled tables of chips and engines, read into what the rules ask.

The source is ``chips.toml`` and ``engines/*.toml``, compiled by ``python -m planner.compile_support``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from planner.legality.support import Chip, EngineSupport, Repacks, Row, Support

COMPILED = "legality/compiled.json"
ENGINES = (
    "vllm", "sglang", "trtllm", "llama.cpp", "ollama", "ik_llama.cpp", "ktransformers", "mlx", "mindie",
    "optimum-habana", "vllm-gaudi", "vllm-ascend",
)  # fmt: skip
REGISTERED = ("vllm", "sglang")
"""Engines whose releases were read for the model classes that they register."""


def load_support(read_json: Callable[[str], Any]) -> Support:
    """The tables from the package's data files; ``read_json`` reads a JSON file below ``planner/``."""
    return support_of(read_json(COMPILED))


def support_of(document: Mapping[str, Any]) -> Support:
    """The tables from their document."""
    data = document["chips"]
    chips = tuple(
        Chip(row["id"], row["title"], row["match"], frozenset(row["native"]), frozenset(row["fp8_kv"]))
        for row in data["chip"]
    )
    engines: dict[str, EngineSupport] = {}
    for name, table in document["engines"].items():
        base = engines.get(table.get("base", ""))
        if base is not None and table.get("own_numbering"):
            base = _without_versions(base)
        engines[name] = _engine(table, base, engines.get(table.get("models_of", "")))
    for name, table in document["registered"].items():
        engines[name] = replace(engines[name], registered=registry_of(table))
    named = frozenset(name for engine in engines.values() for name in engine.registered)
    classes = {name: tuple(schemes) for name, schemes in data["classes"].items()}
    return Support(chips, engines, classes, data["tensor_fabric_bytes_s"], named)


def _engine(table: Mapping[str, Any], base: EngineSupport | None, models_of: EngineSupport | None) -> EngineSupport:
    rules = {name: _rows(rows, name) for name, rows in table["rules"].items()}
    features = {name: _rows(rows, name) for name, rows in table["features"].items()}
    models = {name: span for name, span in table["models"].items() if name != "listed"}
    return EngineSupport(
        name=table["name"],
        chips=tuple(_row(r, r["ids"], ()) for r in table.get("chips", ())) or (base.chips if base else ()),
        formats=tuple(_row(r, r["schemes"], r["chips"]) for r in table.get("formats", ())),
        kv=tuple(_row(r, r["dtypes"], r["chips"]) for r in table.get("kv", ())) or (base.kv if base else ()),
        features={**(base.features if base else {}), **features},
        rules={**(base.rules if base else {}), **rules},
        models={**(base.models if base else {}), **(models_of.models if models_of else {}), **models},
        listed=bool(table["models"].get("listed")),
        unreadable=tuple(_repacks(row) for row in table.get("unreadable", ())) or (base.unreadable if base else ()),
    )


def registry_of(table: Mapping[str, Any]) -> dict[str, str]:
    """Model class → releases that register it."""
    since = {name: release for release, names in table["since"].items() for name in names}
    until = {name: release for release, names in table.get("until", {}).items() for name in names}
    spans = {name: "" if release == table["first"] else f">={release}" for name, release in since.items()}
    ends = {name: f"<{release}" for name, release in until.items()}
    return {name: ", ".join(part for part in (span, ends.get(name, "")) if part) for name, span in spans.items()}


def _repacks(row: Mapping[str, Any]) -> Repacks:
    return Repacks(
        schemes=tuple(row["schemes"]),
        repos=tuple(pattern.lower() for pattern in row.get("repos", ("*",))),
        other=tuple(pattern.lower() for pattern in row.get("but", ())),
        versions=row.get("versions", ""),
        reads=row["reads"],
    )


def _without_versions(base: EngineSupport) -> EngineSupport:
    """What a base can do, for a fork whose releases count otherwise: at all of them."""

    def plain(rows: tuple[Row, ...]) -> tuple[Row, ...]:
        return tuple(replace(row, versions="") for row in rows)

    return replace(
        base,
        chips=plain(base.chips),
        kv=plain(base.kv),
        features={name: plain(rows) for name, rows in base.features.items()},
        rules={name: plain(rows) for name, rows in base.rules.items()},
        models=dict.fromkeys(base.models, ""),
    )


def _rows(rows: list[Mapping[str, Any]], name: str) -> tuple[Row, ...]:
    return tuple(_row(row, (name,), row.get("chips", ("*",))) for row in rows)


def _row(row: Mapping[str, Any], names: Any, chips: Any) -> Row:
    return Row(
        names=tuple(names),
        chips=tuple(chips) or ("*",),
        versions=row.get("versions", ""),
        how=row.get("how"),
        state=row.get("state", "yes"),
        source=row["source"],
    )
