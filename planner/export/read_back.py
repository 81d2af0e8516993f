"""A command line back to the deployment it carries: the inverse of the flag tables.

For checking that an exported command says what the deployment says, and for taking over a command that somebody runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from planner.documents.deployment import EngineTable, ServingTable
from planner.documents.table import without_null
from planner.engines.profile import EngineProfile
from planner.errors import BadInput
from planner.export.command import family_of
from planner.export.flags.table import FlagRow, FlagTable, flag_table
from planner.export.runtime import runtime_of
from planner.units import GIB

_SAME = (
    "max_model_len", "max_num_seqs", "max_num_batched_tokens", "gpu_memory_utilization", "enforce_eager",
    "block_size", "cpu_offload_bytes",
)  # fmt: skip
_MOST_WORDS = 10_000


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What a command line says."""

    engine: EngineTable
    serving: ServingTable
    model: str | None = None
    served_name: str | None = None
    host: str | None = None
    port: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    """Every flag that was understood, in the planner's words."""
    unknown: tuple[str, ...] = ()
    """Words that no flag of this version explains."""


def read_back(words: Sequence[str], engine: EngineProfile, *, experts: bool) -> ReadBack:
    """Read the arguments of an engine's command (the program may stand in front).

    ``experts``: whether the model is a mixture of experts, which decides what data parallelism means.
    Raises BadInput for values that are none.
    """
    if len(words) > _MOST_WORDS:
        raise BadInput("command", f"has more than {_MOST_WORDS} words")
    table = flag_table(engine)
    options, loose = _options(_without_program(words, engine), table, experts)
    runtime = runtime_of(engine)
    model = options.get("model") if runtime.model_flag else next(iter(loose), None)
    unknown = loose if runtime.model_flag else loose[1:]
    return ReadBack(
        engine=EngineTable(name=engine.name, version=engine.version),
        serving=_serving(options, engine, experts),
        model=model,
        served_name=options.get("served_name"),
        host=options.get("host"),
        port=options.get("port"),
        options=options,
        unknown=tuple(unknown),
    )


def _without_program(words: Sequence[str], engine: EngineProfile) -> list[str]:
    for program in (runtime_of(engine).program, runtime_of(engine).entrypoint):
        if tuple(words[: len(program)]) == program:
            return list(words[len(program) :])
    return list(words)


def _options(words: list[str], table: FlagTable, experts: bool) -> tuple[dict[str, Any], list[str]]:
    by_flag = _by_flag(table, experts)
    options: dict[str, Any] = {}
    loose: list[str] = []
    rest = iter(words)
    for word in rest:
        name, assigned, value = word.partition("=")
        row = by_flag.get(name)
        if row is None:
            loose.append(word)
        elif row.kind == "switch":
            options[row.option] = True
        else:
            options[row.option] = _value(row, value if assigned else _next(rest, name))
    return options, loose


def _by_flag(table: FlagTable, experts: bool) -> dict[str, FlagRow]:
    rows: dict[str, FlagRow] = {}
    for row in table.rows.values():
        if not (row.dense_only and experts) and not (row.experts_only and not experts):
            rows.update(dict.fromkeys((row.flag, *row.aliases), row))
    return rows


def _next(rest: Iterator[str], name: str) -> str:
    value = next(rest, None)
    if value is None:
        raise BadInput(name, "has no value")
    return value


def _value(row: FlagRow, text: str) -> Any:
    try:
        return _READERS.get(row.kind, _text)(row, text)
    except (ValueError, KeyError, RecursionError) as error:
        raise BadInput(row.flag, f"cannot take {text[:80]!r}: {error}") from None


def _text(row: FlagRow, text: str) -> str:
    """The planner's word; of two that the engine writes alike, the first."""
    return next((ours for ours, theirs in row.values.items() if theirs == text), text)


def _json(row: FlagRow, text: str) -> dict[str, Any]:
    data = json.loads(text)
    if not isinstance(data, dict):
        raise ValueError("not an object")
    ours = {theirs: key for key, theirs in row.keys.items()}
    read = {ours[key]: value for key, value in data.items() if key in ours}
    return {**read, "method": _text(row, str(read.get("method", "")))}


_READERS = {
    "int": lambda _, text: int(text),
    "float": lambda _, text: float(text),
    "gib": lambda _, text: float(text) * GIB,
    "whole_gib": lambda _, text: float(text) * GIB,
    "layers": lambda row, text: "all" if text in (row.all, "all") else int(text),
    "json": _json,
}


def _serving(options: Mapping[str, Any], engine: EngineProfile, experts: bool) -> ServingTable:
    family = family_of(engine.family)
    own = family.serving(options, experts) if family else {}
    same = {key: options[key] for key in _SAME if key in options}
    if "kv_cache_dtype" in options:
        same["kv_cache_dtype"] = options["kv_cache_dtype"]
    if "lora_rank" in options:
        same["lora"] = {"max_rank": options["lora_rank"], "adapters": options.get("lora_adapters", 1)}
    return ServingTable.model_validate(without_null({**same, **own}))
