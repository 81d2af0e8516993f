"""What is said of a line while it is typed: hardware in words, paths of files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tui.modals.prompt import Hint
from tui.paths import expanded

if TYPE_CHECKING:
    from planner.library import Library

MOST_ENTRIES = 2000
"""Of a folder that are looked at for completions."""
HARDWARE_ABOUT = (
    "8xH200 · 2x8xH100-SXM (machines × cards) · 8xMI300X · cpu,\n"
    "or a file: an inventory, or saved output of a vendor's tool"
)
FILE_ABOUT = "An inventory, or saved output of nvidia-smi -q -x, rocm-smi --json, xpu-smi, npu-smi info, hl-smi"
SAVE_ABOUT = (
    "The hardware as planned with: a plain name keeps it as a site of\n"
    "yours, a path writes a file. o and --hardware read both again."
)


def hardware_hint(line: str, library: Library) -> Hint:
    """What hardware a line names, and names that continue it."""
    from planner.detect.spec import inventory_from_spec
    from planner.errors import PlannerError
    from tui.hardware_text import summary

    if looks_like_path(line):
        return file_hint(line)
    options = _names(line, library)
    if not line.strip():
        return Hint("", options=options)
    try:
        inventory = inventory_from_spec(line, library.database)
    except PlannerError as error:
        if options:
            return Hint(f"{len(options)} names go on like this: ↓", mark="", options=options)
        return Hint(str(error), mark="✗")
    return Hint(summary(inventory), options=options if len(options) > 1 else ())


def _names(line: str, library: Library) -> list[str]:
    """The counts as typed, with every accelerator whose name has what was typed after them."""
    head, cross, tail = line.rpartition("x") if line[:1].isdigit() else ("", "", line)
    if head and not all(part.strip().isdigit() for part in head.split("x")):
        head, cross, tail = "", "", line
    words = tail.lower().replace(" ", "-").strip("-")
    rows = library.database.accelerators()
    found = [row.id for row in rows if words in row.id or any(words in alias.lower() for alias in row.aliases)]
    return [f"{head}{cross}{id_}" for id_ in sorted(found, key=lambda id_: (not id_.startswith(words), id_))]


def looks_like_path(line: str) -> bool:
    return line.startswith(("/", "./", "../", "~")) or Path(line).suffix in (".json", ".toml", ".xml", ".txt", ".csv")


def site_names() -> list[str]:
    """Hardware that is kept under a name."""
    from planner.errors import BadInput
    from planner.sites import saved_sites, sites_folder

    try:
        return [site.name for site in saved_sites(sites_folder())]
    except BadInput:
        return []


def is_site(line: str) -> bool:
    """Whether a line is a name and no path."""
    from planner.errors import BadInput
    from planner.sites import site_path

    try:
        site_path(line, Path())
    except BadInput:
        return False
    return not looks_like_path(line)


def place_of(line: str) -> Path:
    """The file that a line means: a site by its name, or any other path."""
    from planner.errors import BadInput
    from planner.sites import site_path, sites_folder

    try:
        return site_path(line, sites_folder()) if is_site(line) else expanded(line)
    except BadInput:
        return expanded(line)


def open_hint(line: str) -> Hint:
    """Saved sites that a name may mean, or entries that continue a path."""
    known = site_names()
    names = [name for name in known if name.startswith(line)]
    if line in known:
        return Hint(f"site {line}", options=names if len(names) > 1 else ())
    if not names:
        return file_hint(line)
    return Hint("" if line else "saved sites below; or a path", mark="", options=names)


def file_hint(line: str) -> Hint:
    """Entries that continue a path."""
    path = expanded(line)
    try:
        if path.is_file():
            return Hint(f"{path.stat().st_size:,} bytes")
        folder = path if line.endswith("/") or not line else path.parent
        options = sorted(_entries(folder, "" if folder is path else path.name))
    except OSError as error:
        return Hint(f"{error.strerror or error}", mark="✗")
    return Hint("" if options or not line else "no such file", mark="" if options or not line else "✗", options=options)


def _entries(folder: Path, start: str) -> list[str]:
    """Names in a folder that begin with ``start``, folders with a slash."""
    found = []
    with os.scandir(folder) as entries:
        for _, entry in zip(range(MOST_ENTRIES), entries, strict=False):
            if entry.name.startswith(start) and (start.startswith(".") or not entry.name.startswith(".")):
                found.append(str(folder / entry.name) + ("/" if entry.is_dir() else ""))
    return found


def save_hint(line: str) -> Hint:
    """Whether a file can be written there."""
    if not line.strip():
        return Hint("a file name is needed", mark="✗")
    if is_site(line.strip()):
        known = line.strip() in site_names()
        return Hint(f"the site {line.strip()} is replaced" if known else "kept as a site: o lists it from now on",
                    mark="~" if known else "✓")  # fmt: skip
    path = expanded(line.strip())
    if path.is_dir():
        return Hint(f"{path} is a folder", mark="✗")
    if not path.parent.is_dir():
        return Hint(f"there is no folder {path.parent}", mark="✗")
    return Hint(f"{path} exists: it will be replaced" if path.exists() else "", mark="~")
