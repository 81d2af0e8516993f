"""What was measured on this machine: overheads by engine, release, card and number of ranks, kept in the user's folder.

The file is plain TOML, ``calibration.toml`` beside the user's own data; taking it away restores the built-in figures.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from planner.documents.files import read_bounded, write_whole
from planner.documents.problems import problems_of
from planner.engines.profile import EngineProfile
from planner.errors import BadDocument, BadInput
from planner.overlays import user_folder
from planner.resolved import Resolved, SiteRow
from planner.units import MIB
from planner.verify.result import Part

NAME = "calibration.toml"
SCHEMA = "deploy-planner/calibration/1"
_LEAST, _MOST = 0.2, 5.0
"""A measured part further from the profile than this is another cause than overhead, and is not kept."""
_MOST_BYTES = 64 * 1024 * MIB


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
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise BadInput(str(path), f"cannot be removed: {error}", "check its permissions") from None
    return True


def measured(resolved: Resolved, parts: tuple[Part, ...], source: str, now: datetime | None = None) -> SiteRow | None:
    """What a log says of the overheads against the built-in profile; None when it says nothing usable."""
    figures = {part.name: part for part in parts if part.device is None}
    activations = _ratio(figures.get("activations"))
    graphs = _ratio(figures.get("cuda_graphs"))
    beside = _difference(figures.get("non_torch"))
    if activations is None and beside is None:
        beside = _unsplit(figures)
    if activations is None and graphs is None and beside is None:
        return None
    row = resolved.cluster.device.accelerator
    return SiteRow(
        engine=resolved.engine.name,
        release=release_of(resolved.engine),
        accelerator=row.id if row else "cpu",
        ranks=ranks_of(resolved),
        date=(now or datetime.now(UTC)).date().isoformat(),
        source=source[:400],
        activations_ratio=activations or 1.0,
        graphs_ratio=graphs or 1.0,
        non_torch_bytes=beside or 0.0,
    )


def release_of(engine: EngineProfile) -> tuple[int, ...]:
    """The release that overheads belong to: major and minor."""
    return (engine.release or ())[:2]


def ranks_of(resolved: Resolved) -> int:
    """Ranks of one replica."""
    return resolved.serving.tp * resolved.serving.pp * resolved.serving.attention_dp


def _ratio(part: Part | None) -> float | None:
    if part is None or part.actual is None or part.planned is None or part.planned.value <= 0:
        return None
    ratio = part.actual / part.planned.value
    return ratio if _LEAST <= ratio <= _MOST else None


def _difference(part: Part | None) -> float | None:
    if part is None or part.actual is None or part.planned is None:
        return None
    return part.actual - part.planned.value


def _unsplit(figures: Mapping[str, Part]) -> float | None:
    """Where a version prints only weights and pool: what the pool misses beyond what the weights explain."""
    pool, weights = _difference(figures.get("kv_cache")), _difference(figures.get("weights"))
    if pool is None:
        return None
    beside = -pool - (weights or 0.0)
    return beside if abs(beside) <= _MOST_BYTES else None


def _key(row: SiteRow) -> tuple[Any, ...]:
    return row.engine, tuple(row.release), row.accelerator, row.ranks
