"""An inventory document from a file: checked by key, every problem listed, absurd numbers refused."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from planner.detect.values import clean
from planner.documents.inventory import Disk, GpuDevice, HostInfo, Inventory, MigSlice, Nic, Node, Notice, ProcessUse
from planner.errors import BadDocument, BadInput, Problem

MAX_NUMBER = float(1 << 60)
MAX_NODES = 10_000
MAX_DEVICES = 1024
MAX_PROBLEMS = 50
MAX_TEXT = 1000
_TABLES: dict[str, type] = {
    "nodes": Node,
    "host": HostInfo,
    "devices": GpuDevice,
    "slices": MigSlice,
    "processes": ProcessUse,
    "disks": Disk,
    "nics": Nic,
    "warnings": Notice,
}


def inventory_from_data(data: Mapping[str, Any], where: str) -> Inventory:
    """The inventory of parsed JSON or TOML. Raises BadDocument with every problem."""
    problems = [Problem(f"{where}: {path}", text, "") for path, text in _absurd(data, "")]
    inventory: Inventory | None = None
    try:
        inventory = TypeAdapter(Inventory).validate_python(dict(data))
    except ValidationError as error:
        problems += [_problem(item, where) for item in error.errors(include_url=False, include_input=False)]
    if problems or inventory is None:
        raise BadDocument(tuple(problems[:MAX_PROBLEMS]))
    _check_counts(inventory, where)
    return replace(inventory, origin="file")


def _check_counts(inventory: Inventory, where: str) -> None:
    counts = [node.count for node in inventory.nodes]
    if not counts or min(counts) < 1 or sum(counts) > MAX_NODES:
        raise BadInput(f"{where}: nodes", f"1 … {MAX_NODES:,} nodes can be planned with", "")
    if max(len(node.devices) for node in inventory.nodes) > MAX_DEVICES:
        raise BadInput(f"{where}: nodes.devices", f"at most {MAX_DEVICES} devices a node can be planned with", "")


def _absurd(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Numbers that are negative, not finite or larger than any machine; text that is no line of text."""
    if isinstance(value, bool):
        return
    if isinstance(value, int | float):
        if not (math.isfinite(value) if isinstance(value, float) else True) or not 0 <= value <= MAX_NUMBER:
            yield path, "is negative, not finite or larger than any machine"
    elif isinstance(value, str):
        if len(value) > MAX_TEXT or clean(value, MAX_TEXT) != " ".join(value.split()):
            yield path, f"is longer than {MAX_TEXT} characters or holds control characters"
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _absurd(item, f"{path}.{clean(key, 60)}".lstrip("."))
    elif isinstance(value, Sequence):
        for place, item in enumerate(value):
            yield from _absurd(item, f"{path}.{place}")


def _problem(item: Any, where: str) -> Problem:
    path = [clean(part, 60) for part in item["loc"]]
    place = f"{where}: {'.'.join(path)}" if path else where
    if item["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        return Problem(place, f"unknown key {path[-1][:60]!r}", _nearest(path))
    if item["type"] in ("missing", "missing_argument"):
        return Problem(place, "is missing", "add it")
    return Problem(place, str(item["msg"]).replace("Input should be", "should be"))


def _nearest(path: list[str]) -> str:
    table = next((_TABLES[part] for part in reversed(path[:-1]) if part in _TABLES), Inventory)
    known = [field.name for field in fields(table)]
    close = difflib.get_close_matches(path[-1][:60], known, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(known)}"
