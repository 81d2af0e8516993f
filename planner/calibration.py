"""What was measured on this machine: overheads by engine, release, card and number of ranks, kept in the user's folder.

The file is plain TOML, ``calibration.toml`` beside the user's own data; taking it away restores the built-in figures.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from planner.documents.files import read_bounded, remove, write_whole
from planner.documents.problems import problems_of
from planner.errors import BadDocument, BadInput
from planner.overlays import user_folder
from planner.resolved import SiteRow
from planner.units import MIB

NAME = "calibration.toml"
SCHEMA = "deploy-planner/calibration/1"


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    engine: Annotated[str, Field(min_length=1, max_length=100)]
    release: tuple[int, ...] = ()
    accelerator: Annotated[str, Field(max_length=200)] = ""
    ranks: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    date: Annotated[str, Field(max_length=40)] = ""
    source: Annotated[str, Field(max_length=400)] = ""
    activations_ratio: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] = 1.0
    graphs_ratio: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] = 1.0
    non_torch_bytes: Annotated[float, Field(ge=-(2.0**50), le=2.0**50, allow_inf_nan=False)] = 0.0


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    schema_: Annotated[str, Field(alias="schema")] = SCHEMA
    rows: tuple[_Row, ...] = ()


def load_site(folders: Iterable[Path]) -> tuple[SiteRow, ...]:
    """Rows of every folder that has any; later folders win. Raises BadInput for a file that cannot be read."""
    found: dict[tuple[Any, ...], SiteRow] = {}
    for folder in folders:
        path = folder / NAME
        if path.is_file():
            found |= {_key(row): row for row in read_site(path)}
    return tuple(found.values())


def read_site(path: Path) -> tuple[SiteRow, ...]:
    """The rows of one file."""
    try:
        data = tomllib.loads(read_bounded(path, MIB).decode("utf-8"))
        return tuple(SiteRow(**row.model_dump()) for row in _File.model_validate(data).rows)
    except ValidationError as error:
        raise BadDocument(problems_of(error, str(path), _File)) from None
    except (ValueError, RecursionError) as error:
        raise BadInput(str(path), f"is not valid: {error}", "verify --forget removes it") from None


def site_path(environment: Mapping[str, str] | None = None) -> Path:
    """Where calibration is kept. Raises BadInput without a home directory."""
    folder = user_folder(os.environ if environment is None else environment)
    if folder is None:
        raise BadInput("calibration", "there is no home directory to keep it in", "set XDG_CONFIG_HOME")
    return folder / NAME


def keep(row: SiteRow, path: Path) -> None:
    """Adds a row, or replaces the one of the same engine, release, card and ranks; written whole or not at all."""
    import tomli_w

    known = {_key(each): each for each in (read_site(path) if path.is_file() else ())}
    known[_key(row)] = row
    rows = [asdict(each) | {"release": list(each.release)} for each in known.values()]
    write_whole(path, tomli_w.dumps({"schema": SCHEMA, "rows": rows}), overwrite=True)


def forget(path: Path) -> bool:
    """Removes everything kept; whether there was anything."""
    return remove(path)


def _key(row: SiteRow) -> tuple[Any, ...]:
    return row.engine, tuple(row.release), row.accelerator, row.ranks
