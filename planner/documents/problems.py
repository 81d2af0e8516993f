"""Pydantic's complaints as the planner's problems: every one, with its key and the nearest known name."""

from __future__ import annotations

import difflib
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_type_hints

from pydantic import ValidationError

from planner.errors import Problem


def problems_of(error: ValidationError, where: str, root: type[Any]) -> tuple[Problem, ...]:
    """One problem for each complaint, in document order."""
    return tuple(_problem(item, where, root) for item in error.errors(include_url=False, include_input=False))


def _problem(item: Any, where: str, root: type[Any]) -> Problem:
    path = [str(part) for part in item["loc"]]
    place = f"{where}: {'.'.join(path)}" if path else where
    if item["type"] == "unexpected_keyword_argument":
        return Problem(place, f"unknown key {path[-1]!r}", _nearest(path, root))
    if item["type"] == "missing":
        return Problem(place, "is missing", "add it")
    return Problem(place, str(item["msg"]).replace("Input should be", "should be"))


def _nearest(path: list[str], root: type[Any]) -> str:
    known = _known_keys(path[:-1], root)
    close = difflib.get_close_matches(path[-1], known, n=2, cutoff=0.6)
    if close:
        return "did you mean " + " or ".join(map(repr, close)) + "?"
    return "known here: " + ", ".join(known) if known else ""


def _known_keys(path: list[str], root: type[Any]) -> list[str]:
    table: type[Any] | None = root
    for part in path:
        table = _child(table, part) if table else None
    return [field.name for field in fields(table)] if table else []


def _child(table: type[Any], name: str) -> type[Any] | None:
    """The table under a key of a table; None where the key holds something else."""
    annotation = get_type_hints(table).get(name)
    options: tuple[Any, ...] = get_args(annotation) or (annotation,)
    return next((option for option in options if isinstance(option, type) and is_dataclass(option)), None)
