"""What a model wants of its engine beside the layout: data from ``models.toml``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from planner.data import read_toml

if TYPE_CHECKING:
    from planner.export.target import Context

_FILE = "export/models.toml"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Files that an engine fetches at its start, unless they lie where a variable says."""

    variable: str
    folder: str
    """Below the model's folder."""
    files: tuple[str, ...]
    source: str
    """Address of the folder that they are published in."""


@dataclass(frozen=True, slots=True)
class Habits:
    """Of one model on one engine family."""

    remote_code: bool = False
    """Its tokenizer or configuration is Python of its own."""
    tokenizer_mode: str | None = None
    vocabulary: Vocabulary | None = None
    chat: str = ""
    """Flags that take reasoning and tool calls out of the text; empty: none are known."""
    sources: tuple[str, ...] = field(default=())


def habits_of(context: Context) -> Habits:
    """Everything that is known of the model; nothing of a model that nobody wrote down."""
    merged: dict[str, Any] = {}
    sources = []
    for row in _rows(context):
        merged |= row
        sources.append(row["source"])
    family = context.resolved.engine.family
    return Habits(
        remote_code=bool(merged.get("remote_code")),
        tokenizer_mode=merged.get("tokenizer_mode", {}).get(family),
        vocabulary=_vocabulary(merged.get("vocabulary"), family),
        chat=merged.get("chat", {}).get(family, ""),
        sources=tuple(sources),
    )


def _rows(context: Context) -> Iterator[Mapping[str, Any]]:
    model, kind = context.deployment.model, context.resolved.architecture.model_type
    names = {name.lower() for name in (model.id, model.checkpoint, context.resolved.model_id) if name}
    for row in read_toml(_FILE)["models"]:
        patterns = [pattern.lower() for pattern in row.get("ids", ())]
        if kind in row.get("types", ()) or any(fnmatchcase(name, p) for name in names for p in patterns):
            yield row


def _vocabulary(row: Mapping[str, Any] | None, family: str) -> Vocabulary | None:
    if row is None or family not in row["engines"]:
        return None
    return Vocabulary(row["variable"], row["folder"], tuple(row["files"]), row["from"])
