"""The catalogue of models: compiled rows of ``catalogue/<family>/*.toml`` with the user's rows laid over them.

The built-in rows come from one compiled JSON (made by ``python -m planner.models.compile_catalogue``); configs stay
text until an architecture is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from hwdb.schema import Source
from planner.data import read_text
from planner.errors import UnknownName
from planner.models.catalogue_row import CatalogueModel, PublishedCheckpoint
from planner.models.names import name_index, nearest, squeeze

COMPILED = "models/catalogue/compiled.json"


class Catalogue:
    """All known models. ``overlays`` are directories whose ``models/`` holds rows; a known id is replaced."""

    def __init__(self, overlays: Iterable[Path] = ()) -> None:
        self._overlays = tuple(overlays)

    def models(self) -> tuple[CatalogueModel, ...]:
        """Every model, by id."""
        return tuple(self._model(id_) for id_ in self._ids)

    def get(self, name: str) -> CatalogueModel:
        """A model by id, short name, alias or the repository of one of its published checkpoints.

        Upper and lower case, "-", "_", "." and blanks do not matter. Raises ``UnknownName`` with the nearest names.
        """
        found = self.find(name)
        if found is None:
            raise UnknownName("model", name, self.nearest(name))
        return found

    def find(self, name: str) -> CatalogueModel | None:
        """As ``get``; None on a miss."""
        if name in self._own or name in _compiled()["models"]:
            return self._model(name)
        id_ = self._names.get(squeeze(name))
        return self._model(id_) if id_ else None

    def published(self, repo: str) -> PublishedCheckpoint | None:
        """The checkpoint that a repository holds."""
        wanted = repo.lower()
        return next((c for m in self.models() for c in m.checkpoints if c.repo.lower() == wanted), None)

    def nearest(self, name: str, count: int = 5) -> tuple[tuple[str, float], ...]:
        """Ids whose names are closest, with their distance (0 same, 1 nothing in common)."""
        return nearest(name, self._names, count)

    def search(self, text: str = "") -> tuple[CatalogueModel, ...]:
        """Models that carry every word of ``text`` in id, name, family, licence or uses; most prominent first."""
        words = text.lower().split()
        found = [m for m in self.models() if all(word in self._haystacks[m.id] for word in words)]
        return tuple(sorted(found, key=lambda m: (-m.prominence, m.id)))

    def relatives(self, model: CatalogueModel) -> tuple[CatalogueModel, ...]:
        """Base, distills, siblings of the same architecture."""
        own = {model.id, model.base, model.distilled_from, model.same_architecture_as} - {None}
        return tuple(
            other
            for other in self.models()
            if other.id != model.id
            and (other.id in own or {other.base, other.distilled_from, other.same_architecture_as} & {model.id})
        )

    def _model(self, id_: str) -> CatalogueModel:
        return self._own.get(id_) or _built_in_model(id_)

    @cached_property
    def _own(self) -> Mapping[str, CatalogueModel]:
        """The user's rows; later folders win."""
        found: dict[str, CatalogueModel] = {}
        for folder in self._overlays:
            from planner.models.compile_catalogue import read_folder

            found |= {model.id: model for model in read_folder(folder / "models")}
        return found

    @cached_property
    def _ids(self) -> tuple[str, ...]:
        return tuple(sorted({*_compiled()["models"], *self._own}))

    @cached_property
    def _names(self) -> Mapping[str, str]:
        """Squeezed name → id."""
        names: Mapping[str, str] = _compiled()["names"]
        return name_index(self.models()) if self._own else names

    @cached_property
    def _haystacks(self) -> Mapping[str, str]:
        return {
            m.id: " ".join((m.id, m.name, m.family, m.licence or "", m.tier, *m.uses, *m.aliases)).lower()
            for m in self.models()
        }


@cache
def _compiled() -> dict[str, Any]:
    compiled: dict[str, Any] = json.loads(read_text(COMPILED))
    return compiled


@cache
def _built_in_model(id_: str) -> CatalogueModel:
    return model_from_compiled({"id": id_, **_compiled()["models"][id_]})


def model_from_compiled(row: dict[str, Any]) -> CatalogueModel:
    """A model from a row of the compiled file, which was validated when it was compiled."""
    values = dict(row)
    values["checkpoints"] = tuple(PublishedCheckpoint(**c) for c in row.get("checkpoints", ()))
    values["sources"] = {key: Source(*pair) for key, pair in row.get("sources", {}).items()}
    for key in ("uses", "aliases", "gguf_repos", "doubts"):
        if key in row:
            values[key] = tuple(row[key])
    return CatalogueModel(**values)
