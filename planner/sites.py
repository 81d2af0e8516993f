"""Hardware kept under names: one inventory a file, ``sites/NAME.json`` in the user's configuration folder."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from planner.documents.files import remove
from planner.errors import BadInput, UnknownName
from planner.overlays import user_folder

if TYPE_CHECKING:
    from hwdb.database import Database
    from planner.documents.inventory import Inventory

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
_ENDING = ".json"
MOST_SITES = 1000


@dataclass(frozen=True, slots=True)
class Site:
    """One saved site; its hardware is read when it is wanted."""

    name: str
    path: Path


def sites_folder(environment: Mapping[str, str] | None = None) -> Path:
    """Where sites are kept. Raises BadInput without a home directory."""
    folder = user_folder(os.environ if environment is None else environment)
    if folder is None:
        raise BadInput("sites", "there is no home directory to keep them in", "set XDG_CONFIG_HOME")
    return folder / "sites"


def saved_sites(folder: Path) -> tuple[Site, ...]:
    """Every site by name; what is no site's file is passed over."""
    try:
        names = sorted(path.name for path in folder.iterdir() if path.name.endswith(_ENDING))[:MOST_SITES]
    except OSError:
        return ()
    stems = (name.removesuffix(_ENDING) for name in names)
    return tuple(Site(stem, folder / f"{stem}{_ENDING}") for stem in stems if _NAME.fullmatch(stem))


def site_path(name: str, folder: Path) -> Path:
    """The file of a name. Raises BadInput for a name that is none: nothing leads out of the folder."""
    if not _NAME.fullmatch(name):
        fix = "1 to 64 letters, digits, dots, dashes, underscores"
        raise BadInput("site", f"{name[:60]!r} is no name", fix)
    return folder / f"{name}{_ENDING}"


def save_site(name: str, inventory: Inventory, folder: Path, *, overwrite: bool = False) -> Path:
    """Keep hardware under a name, whole or not at all. Raises BadInput when the name is taken."""
    from planner.documents.encode import to_json
    from planner.documents.files import write_whole

    path = site_path(name, folder)
    write_whole(path, to_json(inventory) + "\n", overwrite=overwrite)
    return path


def load_site(name: str, folder: Path, db: Database) -> Inventory:
    """The hardware of a site. Raises UnknownName with the nearest, BadInput for a file that is none."""
    from planner.detect.recorded import read_recorded

    path = site_path(name, folder)
    if not path.is_file():
        known = [site.name for site in saved_sites(folder)]
        raise UnknownName("site", name, tuple((near, 0.4) for near in get_close_matches(name, known, 3, 0.4)))
    return read_recorded([path], db)


def remove_site(name: str, folder: Path) -> bool:
    """Whether there was one."""
    return remove(site_path(name, folder))
