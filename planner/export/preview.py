"""Exports before they are written: what suits, what each file holds, what would change in a folder.

For front ends: ``offers`` for the choice, ``rendered`` for the files, ``changes`` for the difference, then
``planner.export.write.write_bundle``.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from planner.documents.deployment import Deployment
from planner.errors import BadInput
from planner.export.bundle import MANIFEST, Bundle, render_bundle
from planner.export.checks import checked_by
from planner.export.prepare import model_files, prepare
from planner.export.registry import targets
from planner.export.target import Context, Options, Target, unsuitable

if TYPE_CHECKING:
    from planner.library import Library

ChangeKind = Literal["new", "same", "changed", "gone"]
_MOST_BYTES = 1 << 20
"""Of a present file that is compared line by line."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One target, for a choice."""

    target: Target
    reason: str | None
    """Why it does not suit; None when it does."""
    checked_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One file of a folder, as it is and as it would be."""

    path: str
    kind: ChangeKind
    diff: str = ""
    """Unified; empty for what stays the same."""


def offers(context: Context) -> tuple[Offer, ...]:
    """Every target in the registry's order: whether it suits, and what checked it. Raises nothing."""
    return tuple(Offer(target, _reason(target, context), checked_by(target)) for target in targets())


def _reason(target: Target, context: Context) -> str | None:
    """Also what only shows when it is rendered: an image that nobody knows, a path that cannot be data."""
    reason = unsuitable(target, context)
    if reason is not None or not target.needs_image:
        return reason
    try:
        _ = context.image
    except BadInput as error:
        return str(error)
    return None


def rendered(deployment: Deployment, library: Library, names: Sequence[str], options: Options | None = None) -> Bundle:
    """The bundle of the chosen targets: path → text, and what could not be expressed. Raises BadInput."""
    context = prepare(deployment, library, options)
    return render_bundle(context, names, model_files(context))


def changes(folder: Path, bundle: Bundle) -> tuple[Change, ...]:
    """What writing a bundle into a folder would do to each file, in the order of paths."""
    present = _present(folder)
    found = [_change(path, present.get(path), text) for path, text in bundle.files.items()]
    found += [Change(path, "gone", _diff(path, old, "")) for path, old in present.items() if path not in bundle.files]
    return tuple(sorted(found, key=lambda change: change.path))


def _change(path: str, old: str | None, new: str) -> Change:
    if old is None:
        return Change(path, "new", _diff(path, "", new))
    return Change(path, "same") if old == new else Change(path, "changed", _diff(path, old, new))


def _diff(path: str, old: str, new: str) -> str:
    names = (path if old else "/dev/null", path if new else "/dev/null")
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), *names, lineterm="")
    return "\n".join(lines)


def _present(folder: Path) -> dict[str, str]:
    """Text of the files that an earlier bundle's manifest names; of others nothing is read."""
    from planner.export.write import listed_files

    found: dict[str, str] = {}
    for path in sorted(listed_files(folder)):
        place = folder / path
        if place.is_file() and not place.is_symlink():
            with place.open(encoding="utf-8", errors="replace", newline="") as stream:
                found[path] = stream.read(_MOST_BYTES)
    return found if MANIFEST in found else {}
