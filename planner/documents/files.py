"""Deployment documents on disk: read with every problem named, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

from planner.documents.deployment import Deployment
from planner.documents.encode import to_plain
from planner.errors import BadInput
from planner.units import MIB

MAX_DOCUMENT_BYTES = 16 * MIB
"""A deployment is a page of text; more than this is another kind of file."""


def reason_of(error: Exception) -> str:
    """Why a file could not be had, in the system's words: without numbers and names of temporary files."""
    return getattr(error, "strerror", None) or str(error)


def read_bounded(path: Path, limit: int = MAX_DOCUMENT_BYTES) -> bytes:
    """A file's bytes. Raises BadInput when it is missing, unreadable, no file or larger than ``limit``."""
    try:
        if not path.is_file():
            there = "is a directory" if path.is_dir() else "is no regular file"
            reason = there if path.exists() else "no such file"
            raise BadInput(str(path), reason, "check the path")
        with path.open("rb") as stream:
            content = stream.read(limit + 1)
    except (OSError, ValueError) as error:
        raise BadInput(
            repr(str(path)), f"cannot be read: {reason_of(error)}", "check the path and its permissions"
        ) from None
    if len(content) > limit:
        raise BadInput(str(path), f"is larger than {limit // MIB} MiB", "this is not a document of the planner")
    return content


def parse_deployment(data: object, where: str) -> Deployment:
    """A deployment from parsed TOML or JSON. Raises BadDocument with every problem."""
    if not isinstance(data, dict):
        raise BadInput(where, "is not a table of keys", "expected [model], [hardware], …")
    from planner.documents.validate import valid_deployment

    return valid_deployment(data, where)


def read_deployment(path: Path) -> Deployment:
    """A deployment document from a TOML (or JSON) file."""
    text = _decode(read_bounded(path), path)
    try:
        data = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(str(path), f"is not valid {'JSON' if path.suffix == '.json' else 'TOML'}: {error}") from None
    return parse_deployment(data, str(path))


def _decode(content: bytes, path: Path) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(str(path), f"is not UTF-8 text: {error.reason} at byte {error.start}") from None


def plain_deployment(deployment: Deployment) -> dict[str, Any]:
    """The document as nested plain values, without what is absent."""
    plain: dict[str, Any] = to_plain(deployment)
    return plain


def deployment_hash(deployment: Deployment) -> str:
    """sha256 over the canonical JSON of everything but the provenance."""
    plain = plain_deployment(deployment)
    plain.pop("provenance", None)
    canonical = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()


def deployment_toml(deployment: Deployment) -> str:
    """The document as TOML text; reading it back gives the identical object."""
    import tomli_w

    return tomli_w.dumps(plain_deployment(deployment))


def write_whole(path: Path, text: str, *, overwrite: bool = False) -> None:
    """Write a file completely or leave everything as it was.

    Raises BadInput when the file exists and ``overwrite`` is not set, or the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.", suffix=".tmp")
    except (OSError, ValueError) as error:
        raise BadInput(str(path), f"cannot be written: {reason_of(error)}", "choose another folder") from None
    temporary = Path(name)
    try:
        _fill(descriptor, temporary, text)
        _put_in_place(temporary, path, overwrite)
    except OSError as error:  # a full disk, most often
        raise BadInput(str(path), f"cannot be written: {reason_of(error)}", "choose another folder") from None
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def _fill(descriptor: int, path: Path, text: str) -> None:
    """The text on the disk, readable by everybody."""
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    path.chmod(0o644)


def remove(path: Path) -> bool:
    """Take a file away; whether there was one. Raises BadInput where it cannot be removed."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise BadInput(str(path), f"cannot be removed: {reason_of(error)}", "check its permissions") from None
    return True


def _put_in_place(temporary: Path, path: Path, overwrite: bool) -> None:
    try:
        if overwrite:
            temporary.replace(path)
        else:
            path.hardlink_to(temporary)
    except FileExistsError:
        raise BadInput(str(path), "exists already", "choose another name or pass --force") from None
