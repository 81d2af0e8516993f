"""One model of the catalogue: what its TOML row says, checked, with a source for every figure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hwdb.schema import Source
from planner.errors import Problem
from planner.models.prominence import estimated_score, tier_of
from planner.models.row_reader import RowReader

if TYPE_CHECKING:
    from planner.models.architecture import Architecture

USES = (
    "chat", "code", "reasoning", "vision", "audio", "embedding", "reranker", "base", "translation", "ocr", "guard",
)  # fmt: skip
"""``base``: a pretrained model without chat tuning."""
COMMERCIAL = ("yes", "conditions", "no", "unknown")
QUALITIES = ("published", "restated", "same-architecture", "rebuilt")
"""Of the config: the publisher's file as it is; its fields restated by a public project; the file of a model of the
same architecture; put together from several public extracts."""


@dataclass(frozen=True, slots=True)
class PublishedCheckpoint:
    """Weights that somebody published, in one format."""

    weights: str
    """As in a deployment's ``model.weights``: bf16 fp8 nvfp4 mxfp4 awq-int4 gptq-int4 …"""
    repo: str
    bytes: int | None = None
    """Of the weight files; None: not known."""
    exact: bool = False
    """``bytes`` is the index's own total, not a rounded figure."""
    source: str = ""


@dataclass(frozen=True, slots=True)
class CatalogueModel:
    """A model as published; counts and bytes, None where no source says."""

    id: str
    """Hugging Face id."""
    name: str
    family: str
    config_text: str = field(repr=False)
    """JSON of the config keys; ``config`` parses it."""
    config_quality: str = "restated"
    licence: str | None = None
    commercial_use: str = "unknown"
    licence_note: str = ""
    gated: bool | None = None
    """Needs an accepted form before the download; None: not known."""
    released: str | None = None
    """ISO date of the repository."""
    max_context: int | None = None
    uses: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    arena_score: int | None = None
    """Points on the Arena text leaderboard (human preference in blind comparisons), where listed."""
    flagship: bool = False
    """Chosen by hand: what people of the field would start today in its size."""
    parameters_total: int | None = None
    """As published."""
    parameters_active: int | None = None
    """Per token, as published; None for dense models and where nobody says."""
    parameters_stored: int | None = None
    """Elements in the checkpoint, multi-token-prediction layers and scales included."""
    checkpoints: tuple[PublishedCheckpoint, ...] = ()
    gguf_repos: tuple[str, ...] = ()
    base: str | None = None
    distilled_from: str | None = None
    same_architecture_as: str | None = None
    doubts: tuple[str, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)
    origin: str = "built-in"
    """"built-in", or the overlay file it came from."""

    @property
    def config(self) -> dict[str, Any]:
        """A fresh copy of the config keys."""
        config: dict[str, Any] = json.loads(self.config_text)
        return config

    @property
    def architecture(self) -> Architecture:
        """Built on first use and kept."""
        return _architecture(self.config_text)

    @property
    def publisher(self) -> str:
        return self.id.partition("/")[0]

    @property
    def short_name(self) -> str:
        """The id without its publisher."""
        return self.id.rpartition("/")[2]

    @property
    def prominence(self) -> float:
        """What it can do, in Arena points: published, else estimated; see ``planner.models.prominence``."""
        if self.arena_score is not None:
            return float(self.arena_score)
        tuned = bool({"chat", "reasoning"} & set(self.uses))
        return estimated_score(self.parameters_total, self.parameters_active, self.released, tuned=tuned)

    @property
    def native_weights(self) -> str | None:
        """The format that the publisher trained for and ships; nothing is lost against it."""
        return next((c.weights for c in self.checkpoints if c.repo == self.id), None)

    @property
    def tier(self) -> str:
        """frontier, large, medium, small or tiny, by capacity alone."""
        return tier_of(self.parameters_total, self.parameters_active)

    def checkpoint(self, weights: str) -> PublishedCheckpoint | None:
        """The first published checkpoint in a format."""
        return next((c for c in self.checkpoints if c.weights == weights), None)


@lru_cache(maxsize=512)
def _architecture(config_text: str) -> Architecture:
    from planner.models.hf_config import architecture_from_config

    return architecture_from_config(json.loads(config_text))


def read_row(
    table: Mapping[str, Any], config_text: str, where: str, problems: list[Problem], weights: tuple[str, ...]
) -> CatalogueModel | None:
    """A row from its TOML table; None when something is wrong with it, which is then in ``problems``.

    ``weights`` are the known names of weight formats.
    """
    before = len(problems)
    row = RowReader(table, where, problems)
    counts = RowReader(row.table("parameters"), row.at("parameters"), problems)
    model = CatalogueModel(
        id=row.text("id", required=True) or "",
        name=row.text("name", required=True) or "",
        family=row.text("family", required=True) or "",
        config_text=config_text,
        config_quality=row.text("config_quality", required=True, choices=QUALITIES) or "rebuilt",
        licence=row.text("licence"),
        commercial_use=row.text("commercial_use", choices=COMMERCIAL) or "unknown",
        licence_note=row.text("licence_note") or "",
        gated=row.flag("gated"),
        released=_date(row, "released"),
        max_context=row.count("max_context"),
        uses=row.texts("uses", USES),
        aliases=row.texts("aliases"),
        arena_score=row.count("arena_score"),
        flagship=bool(row.flag("flagship")),
        parameters_total=counts.count("total"),
        parameters_active=counts.count("active"),
        parameters_stored=counts.count("stored"),
        checkpoints=tuple(_checkpoint(c, weights) for c in row.tables("checkpoints")),
        gguf_repos=row.texts("gguf_repos"),
        base=row.text("base"),
        distilled_from=row.text("distilled_from"),
        same_architecture_as=row.text("same_architecture_as"),
        doubts=row.texts("doubts"),
        sources=_sources(row, problems),
        origin=where,
    )
    row.raw("config", required=True)
    counts.finish()
    row.finish()
    return model if len(problems) == before else None


def _date(row: RowReader, key: str) -> str | None:
    value = row.text(key)
    parts = value.split("-") if value else []
    if value and not (len(parts) in {2, 3} and all(p.isdigit() for p in parts) and len(parts[0]) == 4):
        row.problem(key, f"{value!r} is not a date", "write YYYY-MM-DD or YYYY-MM")
        return None
    return value


def _checkpoint(row: RowReader, weights: tuple[str, ...]) -> PublishedCheckpoint:
    found = PublishedCheckpoint(
        weights=row.text("weights", required=True, choices=weights) or "",
        repo=row.text("repo", required=True) or "",
        bytes=row.count("bytes"),
        exact=bool(row.flag("exact")),
        source=row.text("source") or "",
    )
    row.finish()
    return found


def _sources(row: RowReader, problems: list[Problem]) -> dict[str, Source]:
    found: dict[str, Source] = {}
    for key, value in row.table("sources").items():
        if not isinstance(value, dict):
            row.problem(f"sources.{key}", 'must be { text = "…", date = "…" }')
            continue
        reader = RowReader(value, row.at(f"sources.{key}"), problems)
        found[key] = Source(reader.text("text", required=True) or "", reader.text("date") or "")
        reader.finish()
    return found
