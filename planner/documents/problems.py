"""Pydantic's complaints as the planner's problems: every one, with its key and the nearest known name."""

from __future__ import annotations

import difflib
from typing import Any

from pydantic import BaseModel, ValidationError

from planner.errors import Problem


def problems_of(error: ValidationError, where: str, root: type[BaseModel]) -> tuple[Problem, ...]:
    """One problem for each complaint, in document order."""
    return tuple(_problem(item, where, root) for item in error.errors(include_url=False, include_input=False))


def _problem(item: Any, where: str, root: type[BaseModel]) -> Problem:
    path = [str(part) for part in item["loc"]]
    place = f"{where}: {'.'.join(path)}" if path else where
    if item["type"] == "extra_forbidden":
        return Problem(place, f"unknown key {path[-1]!r}", _nearest(path, root))
    if item["type"] == "missing":
        return Problem(place, "is missing", "add it")
    return Problem(place, str(item["msg"]).replace("Input should be", "should be"))


def _nearest(path: list[str], root: type[BaseModel]) -> str:
    known = _known_keys(path[:-1], root)
    close = difflib.get_close_matches(path[-1], known, n=2, cutoff=0.6)
    if close:
        return "did you mean " + " or ".join(map(repr, close)) + "?"
    return "known here: " + ", ".join(known) if known else ""


def _known_keys(path: list[str], root: type[BaseModel]) -> list[str]:
    model: type[BaseModel] | None = root
    for part in path:
        model = _child(model, part) if model else None
    if model is None:
        return []
    return [field.alias or name for name, field in model.model_fields.items()]


def _child(model: type[BaseModel], name: str) -> type[BaseModel] | None:
    field = model.model_fields.get(name)
    if field is None:
        return None
    options = getattr(field.annotation, "__args__", (field.annotation,))
    return next((o for o in options if isinstance(o, type) and issubclass(o, BaseModel)), None)
