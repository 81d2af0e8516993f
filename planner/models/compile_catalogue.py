"""Reads and checks catalogue rows, built-in or a user's.

``python -m planner.models.compile_catalogue`` writes the built-in ones into the one file that is read at run time.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any

from planner.errors import BadDocument, BadInput, Problem
from planner.models.catalogue_row import CatalogueModel, read_row
from planner.models.names import name_index
from planner.models.quality import known_formats
from planner.models.source import read_json_file
from planner.units import MIB

ROOT = Path(__file__).parent / "catalogue"
MAX_ROW_BYTES = MIB


def read_folder(folder: Path) -> tuple[CatalogueModel, ...]:
    """Every row below a folder, by id. Raises ``BadDocument`` with all problems of all files."""
    problems: list[Problem] = []
    models: dict[str, CatalogueModel] = {}
    for path in sorted(folder.rglob("*.toml")):
        model = _read_file(path, folder, problems)
        if model is not None and model.id in models:
            problems.append(Problem(str(path), f"{model.id} is already in {models[model.id].origin}"))
        elif model is not None:
            models[model.id] = model
    if problems:
        raise BadDocument(tuple(problems))
    return tuple(models[id_] for id_ in sorted(models))


def _read_file(path: Path, folder: Path, problems: list[Problem]) -> CatalogueModel | None:
    try:
        if path.stat().st_size > MAX_ROW_BYTES:
            problems.append(Problem(str(path), "is larger than 1 MiB", "keep the config in a JSON file beside it"))
            return None
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        problems.append(Problem(str(path), f"cannot be read: {error}"))
        return None
    config = _config_text(table.get("config"), path, folder, problems)
    model = read_row(table, config, str(path), problems, known_formats())
    return model if config else None


def _config_text(config: Any, path: Path, folder: Path, problems: list[Problem]) -> str:
    """The config as compact JSON: an inline table, or a JSON file inside the same folder of rows."""
    where = f"{path}: config"
    if isinstance(config, Mapping):
        return _dump(dict(config))
    if not isinstance(config, str):
        problems.append(Problem(where, "must be a table or the name of a JSON file in the same folder of rows"))
        return ""
    try:
        target = path.parent / config
        if not target.resolve().is_relative_to(folder.resolve()):
            problems.append(Problem(where, f"{config!r} leaves the folder of rows", "put the JSON file beside the row"))
            return ""
        return _dump(read_json_file(target))
    except BadInput as error:
        problems.extend(error.problems)
    except (OSError, ValueError) as error:
        problems.append(Problem(where, f"{config!r} cannot be read: {error}"))
    return ""


def _dump(config: dict[str, Any]) -> str:
    return json.dumps(config, separators=(",", ":"), sort_keys=True, default=str)


def compiled_row(model: CatalogueModel) -> dict[str, Any]:
    """A model as the compiled file keeps it: defaults left out, sources as pairs."""
    row = {f.name: getattr(model, f.name) for f in fields(CatalogueModel) if f.name not in ("id", "origin")}
    row["checkpoints"] = [{k: v for k, v in asdict(c).items() if v} for c in model.checkpoints]
    row["sources"] = {key: [s.text, s.date] for key, s in model.sources.items()}
    defaults = {f.name: f.default for f in fields(CatalogueModel) if f.default is not MISSING}
    return {k: v for k, v in row.items() if v != defaults.get(k, MISSING) and v not in ((), [], {})}


def compile_text() -> str:
    """The whole compiled file: names people write, and one model a line."""
    models = read_folder(ROOT)
    rows = ",\n".join(f"{json.dumps(m.id)}:{_compact(compiled_row(m))}" for m in models)
    return '{"names":' + _compact(name_index(models)) + ',\n"models":{\n' + rows + "\n}}\n"


def _compact(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def main() -> int:
    """Write the compiled file; 2 when a row is wrong."""
    try:
        text = compile_text()
    except BadDocument as error:
        sys.stderr.write(f"{error}\n")
        return 2
    (ROOT / "compiled.json").write_text(text, encoding="utf-8")
    sys.stderr.write(f"compiled {text.count(chr(10)) - 3} models, {len(text):,} bytes\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
