"""From whatever names a model — a catalogue id, a directory, a file, an inline config — to its architecture.

A name is data: it is looked up, and opened as a path only when such a path exists. Nothing is ever run.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from planner.documents.deployment import ModelTable
from planner.errors import BadInput, UnknownName
from planner.models.catalogue_row import CatalogueModel
from planner.models.names import shown
from planner.models.source import ModelSource, cached_architecture, read_json_file

if TYPE_CHECKING:
    from planner.library import Library

__all__ = ["ModelSource", "open_model"]

_NEXT = "give a catalogue id (deploy-planner models), a directory with config.json, or a .gguf file"


def open_model(reference: str | ModelTable, library: Library) -> ModelSource:
    """The model that a name, a path or a document's ``model`` table means.

    Raises ``UnknownName`` with the nearest names, ``BadInput`` for files that cannot be used.
    """
    if isinstance(reference, str):
        return _open_text(reference, library)
    if reference.config is not None:
        return _open_config(reference)
    if reference.path is not None:
        return _open_path(_existing(reference.path, "model.path"), reference.id, _says_format(reference))
    if reference.id is None:
        raise BadInput("model", "names no model", "set model.id, model.path or model.config")
    return _open_text(reference.id, library)


def _open_text(name: str, library: Library) -> ModelSource:
    if not name.strip():
        raise BadInput("model", "names no model", _NEXT)
    row = library.catalogue.find(name)
    if row is not None:
        return _from_row(row)
    path = _path_or_none(name)
    if path is not None:
        return _open_path(path, None)
    if looks_like_path(name):
        raise BadInput("model", f"no such file or directory: {shown(name)}", _NEXT)
    raise UnknownName("model", shown(name), library.catalogue.nearest(name))


def _from_row(row: CatalogueModel) -> ModelSource:
    architecture = row.architecture
    return ModelSource(row.id, architecture, quantization=architecture.quantization, row=row)


def _open_config(table: ModelTable) -> ModelSource:
    config, path = table.config, None
    if isinstance(config, str):
        path = _existing(config, "model.config")
        config = read_json_file(path)
    if not isinstance(config, dict):
        raise BadInput("model.config", "is not a JSON object with the keys of a config.json")
    where = str(path) if path else "model.config"
    architecture = cached_architecture(config, where, stated=_says_format(table))
    return ModelSource(table.id or "inline config", architecture, config, path, architecture.quantization)


def _says_format(table: ModelTable) -> bool:
    return table.weights is not None or table.quantization is not None


def _open_path(path: Path, id_: str | None, stated: bool = False) -> ModelSource:
    from planner.models.local import open_directory, open_gguf, single_gguf

    if path.is_dir():
        holds_config = (path / "config.json").is_file()
        return open_directory(path, id_, stated=stated) if holds_config else open_gguf(single_gguf(path), id_)
    if path.suffix.lower() == ".gguf":
        return open_gguf(path, id_)
    if path.suffix.lower() == ".json":
        config = read_json_file(path)
        architecture = cached_architecture(config, str(path), stated=stated)
        return ModelSource(id_ or path.resolve().parent.name, architecture, config, path, architecture.quantization)
    raise BadInput(shown(str(path)), "is neither a config.json nor a .gguf file nor a directory with one", _NEXT)


def looks_like_path(name: str) -> bool:
    """Whether somebody meant a path: absolute, relative by dots or home, or with a model file's ending."""
    return name.startswith(("/", "./", "../", "~", ".\\")) or name.lower().endswith((".gguf", ".json"))


def _path_or_none(name: str) -> Path | None:
    """The path of that name if one exists. Odd names (NUL, too long) are no path."""
    try:
        path = Path(name).expanduser()
        return path if path.exists() else None
    except (OSError, ValueError, RuntimeError):
        return None


def _existing(name: str, key: str) -> Path:
    path = _path_or_none(name)
    if path is None:
        raise BadInput(key, f"no such file or directory: {shown(name)}", _NEXT)
    return path
