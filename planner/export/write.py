"""Bundles on disk: all of a bundle or none of it.

The whole bundle is written beside its place and put there by one rename. A kill at any moment leaves either the old
folder or the new one, and at worst a hidden folder ``.NAME.…`` beside them.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath

from planner.documents.files import reason_of
from planner.errors import BadInput
from planner.export.bundle import MANIFEST, Bundle, mode_of
from planner.units import MIB

_MOST_BYTES = 64 * MIB
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_FIX_NEW = "name a new folder with -o"


def write_bundle(folder: Path, bundle: Bundle, *, overwrite: bool = False) -> tuple[Path, ...]:
    """Write a bundle into a new or empty folder, or over an earlier bundle with ``overwrite``.

    Raises BadInput when the folder holds anything else, or cannot be written. Returns the paths written.
    """
    if sum(len(text) for text in bundle.files.values()) > _MOST_BYTES:
        raise BadInput(str(folder), f"the bundle is larger than {_MOST_BYTES // MIB} MiB")
    try:
        return _write(_place(folder), bundle.files, overwrite)
    except (OSError, ValueError) as error:
        raise BadInput(str(folder), f"cannot be written: {reason_of(error)}", "choose another folder") from None


def _place(folder: Path) -> Path:
    """The folder's absolute path; its last part is not followed when it is a link."""
    if folder.name in ("", "..") or folder.resolve() == Path.cwd().resolve():
        raise BadInput(str(folder), "is the current folder or one above it", _FIX_NEW)
    return folder.parent.resolve() / folder.name


def _write(folder: Path, files: Mapping[str, str], overwrite: bool) -> tuple[Path, ...]:
    _check_place(folder, overwrite)
    folder.parent.mkdir(parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name[:100]}."))
    try:
        new = stage / "new"
        for path, text in files.items():
            _write_file(new, path, text)
        _put_in_place(new, folder)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    _sync(folder.parent)
    return tuple(folder / path for path in files)


def _check_place(folder: Path, overwrite: bool) -> None:
    """The place is free, empty, or holds an earlier bundle and nothing else."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise BadInput(str(folder), "exists and is no folder", _FIX_NEW)
    if not folder.exists() or not any(folder.iterdir()):
        return
    strangers = sorted(_present(folder) - listed_files(folder))
    if strangers:
        some = ", ".join(strangers[:3]) + (" …" if len(strangers) > 3 else "")
        raise BadInput(str(folder), f"holds files that are no part of a bundle: {some}", _FIX_NEW)
    if not overwrite:
        raise BadInput(str(folder), "holds a bundle already", f"{_FIX_NEW} or pass --force")


def _present(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_symlink() or not p.is_dir()}


def listed_files(folder: Path) -> set[str]:
    """Files of an earlier bundle, as its manifest names them; nothing outside the folder. Empty where none is."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8")[:_MOST_BYTES])
        named = {MANIFEST, *(str(entry["path"]) for entry in manifest["files"])}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return set()
    return {path for path in named if not PurePosixPath(path).is_absolute() and ".." not in PurePosixPath(path).parts}


def refusal(folder: Path, *, overwrite: bool = False) -> str | None:
    """Why a bundle would not be written there; None when it would."""
    try:
        _check_place(_place(folder), overwrite)
    except (BadInput, OSError, ValueError) as error:
        return str(error)
    return None


def _write_file(root: Path, path: str, text: str) -> None:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts:
        raise ValueError(f"{path!r} lies outside the bundle")
    place = root / pure
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    place.chmod(mode_of(path))


def _put_in_place(new: Path, folder: Path) -> None:
    """One rename: onto nothing, onto an empty folder, or in exchange for the earlier bundle."""
    if not folder.exists() or not any(folder.iterdir()):
        new.rename(folder)
    elif not _exchange(new, folder):
        old = new.with_name("old")
        folder.rename(old)
        try:
            new.rename(folder)
        except OSError:
            old.rename(folder)
            raise


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step, where the system can (Linux renameat2)."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    return bool(rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0)


def _sync(folder: Path) -> None:
    """Make the rename last through a power cut, where folders can be synced."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
