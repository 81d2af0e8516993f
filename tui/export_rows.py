"""Targets and their files as rows of a checklist."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from tui.export_bundle import DOCUMENT, Rendered, TargetFiles, state_of
from tui.export_file import DEFAULT_NAME
from tui.rows import Column, Row

COLUMNS = (
    Column("mark", "", 4),
    Column("name", "Target", 22, elastic=True),
    Column("state", "On disk", 9),
    Column("about", "Checked by", 34, need=1),
)
TARGET, FILE = "target:", "file:"


def rows_of(found: Rendered, chosen: Collection[str], files: Mapping[str, str], place: Path) -> Iterator[Row]:
    """Every target; below those that are chosen their files; then the files of the bundle itself."""
    single, listed = set(chosen) <= {DOCUMENT}, set()
    for target in found.targets:
        alone = files.get(DEFAULT_NAME) if single and target.name in chosen else None
        state = state_of(place, DEFAULT_NAME, alone, single=True)[0] if alone is not None else ""
        yield _target_row(target, target.name in chosen, state)
        for path in target.files if target.name in chosen and not single else ():
            whole = path if target.name == DOCUMENT else f"{target.name}/{path}"
            listed.add(whole)
            yield _file_row(whole, path, files, place, single)
    for path in files:
        if path not in listed and not single:
            yield _file_row(path, path, files, place, single)


def _target_row(target: TargetFiles, chosen: bool, state: str) -> Row:
    if target.reason:
        cells = {"mark": " –", "name": target.name, "about": target.reason}
        return Row(TARGET + target.name, cells, f"{target.name}: {target.reason}", dim=True)
    cells = {"mark": "[x]" if chosen else "[ ]", "name": target.name, "state": state, "about": target.checked_by}
    checked = f"; checked by {target.checked_by}" if target.checked_by else ""
    about = f"{target.name}: {target.about}{checked}"
    return Row(TARGET + target.name, cells, about)


def _file_row(path: str, name: str, files: Mapping[str, str], place: Path, single: bool) -> Row:
    text = files.get(path, "")
    state, _ = state_of(place, path, text, single=single)
    count = text.count("\n")
    cells = {"name": f"  {name}", "state": state, "about": f"{count:,} lines"}
    return Row(FILE + path, cells, f"{path}: {count:,} lines, {state}")
