"""Reads the header of one GGUF file: metadata and tensor list. Nothing is allocated by a number that the file claims.

Layout (ggml-org/ggml docs/gguf.md): magic "GGUF", version u32, tensor count u64, metadata count u64, metadata
(key, type, value), tensors (name, dimensions, type, offset), then the data, aligned. Little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

from planner.data import read_toml
from planner.errors import BadInput
from planner.models.names import shown
from planner.units import MIB

MAX_HEADER_BYTES = 512 * MIB
MAX_TENSORS = 1_000_000
MAX_KEYS = 65_536
MAX_KEPT_ITEMS = 8192
"""Longer arrays (vocabularies, merges) are counted and not kept."""
MAX_TEXT_KEPT = 16 * 1024
MAX_DIMENSIONS = 8
CHUNK = MIB
_SCALARS: Mapping[int, struct.Struct] = {
    0: struct.Struct("<B"), 1: struct.Struct("<b"), 2: struct.Struct("<H"), 3: struct.Struct("<h"),
    4: struct.Struct("<I"), 5: struct.Struct("<i"), 6: struct.Struct("<f"), 7: struct.Struct("<?"),
    10: struct.Struct("<Q"), 11: struct.Struct("<q"), 12: struct.Struct("<d"),
}  # fmt: skip
_STRING, _ARRAY = 8, 9
_U64 = _SCALARS[10]


@dataclass(frozen=True, slots=True)
class GgufTensor:
    """One tensor of a GGUF file. ``shape`` is in ggml order, the contiguous dimension first."""

    name: str
    type: str
    shape: tuple[int, ...]
    bytes: int

    @property
    def numel(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class LongArray:
    """An array of metadata that was counted and not kept, e.g. a vocabulary."""

    count: int


@dataclass(frozen=True, slots=True)
class Header:
    """What one file says of itself."""

    version: int
    metadata: Mapping[str, Any]
    tensors: tuple[GgufTensor, ...]
    file_bytes: int


class _Cursor:
    """A bounded reader: bytes come from the file in chunks, never more than are there."""

    def __init__(self, file: BinaryIO, size: int, where: str) -> None:
        self._file, self._buffer, self.position, self.where = file, bytearray(), 0, where
        self.limit = min(size, MAX_HEADER_BYTES)

    @property
    def left(self) -> int:
        """Bytes that the header may still take."""
        return self.limit - self.position

    def _need(self, count: int) -> int:
        """Make ``count`` bytes available; returns where they start."""
        start = self.position
        if count > self.left:
            raise BadInput(self.where, "is cut short or claims more than it holds", "download the file again")
        while len(self._buffer) < start + count:
            chunk = self._file.read(min(CHUNK, self.limit - len(self._buffer)))
            if not chunk:
                raise BadInput(self.where, "is cut short", "download the file again")
            self._buffer += chunk
        self.position = start + count
        return start

    def take(self, count: int) -> bytes:
        start = self._need(count)
        return bytes(self._buffer[start : start + count])

    def scalar(self, form: struct.Struct) -> Any:
        start = self._need(form.size)
        return form.unpack_from(self._buffer, start)[0]

    def text(self) -> str:
        length: int = self.scalar(_U64)
        return self.take(length).decode("utf-8", "replace")

    def skip_texts(self, count: int) -> None:
        """Step over an array of strings."""
        for _ in range(count):
            start = self._need(8)
            self._need(_U64.unpack_from(self._buffer, start)[0])


def read_header(path: Path) -> Header:
    """The header of one GGUF file. Raises ``BadInput`` for anything else."""
    try:
        if not path.is_file():
            raise BadInput(shown(str(path)), "is not a regular file")
        size = path.stat().st_size
        with path.open("rb") as file:
            return _read(_Cursor(file, size, shown(str(path))), size)
    except OSError as error:
        raise BadInput(shown(str(path)), f"cannot be read: {error.strerror}") from error


def _read(cursor: _Cursor, size: int) -> Header:
    if cursor.take(4) != b"GGUF":
        raise BadInput(cursor.where, "is not a GGUF file: it does not begin with GGUF")
    version = _version(cursor)
    tensor_count: int = cursor.scalar(_U64)
    key_count: int = cursor.scalar(_U64)
    if tensor_count > MAX_TENSORS or key_count > MAX_KEYS:
        raise BadInput(cursor.where, f"claims {tensor_count:,} tensors and {key_count:,} keys")
    metadata: dict[str, Any] = {}
    for _ in range(key_count):
        key = cursor.text()
        if key in metadata:
            raise BadInput(cursor.where, f"has the key {shown(key)} twice")
        metadata[key] = _value(cursor, cursor.scalar(_SCALARS[4]), 0)
    return Header(version, metadata, _tensors(cursor, tensor_count, metadata, size), size)


def _version(cursor: _Cursor) -> int:
    version: int = cursor.scalar(_SCALARS[4])
    if version in {2, 3}:
        return version
    if version & 0xFFFF == 0 and version:
        raise BadInput(cursor.where, "is a big-endian GGUF file", "use the little-endian one")
    advice = "convert the model again" if version == 1 else "a newer format than this planner knows"
    raise BadInput(cursor.where, f"has GGUF version {version}; 2 and 3 are read", advice)


def _value(cursor: _Cursor, kind: int, depth: int) -> Any:
    if kind in _SCALARS:
        return cursor.scalar(_SCALARS[kind])
    if kind == _STRING:
        return cursor.text()[:MAX_TEXT_KEPT]
    if kind != _ARRAY or depth > 2:
        raise BadInput(cursor.where, f"has metadata of the unknown type {kind}")
    return _array(cursor, depth)


def _array(cursor: _Cursor, depth: int) -> Any:
    kind: int = cursor.scalar(_SCALARS[4])
    count: int = cursor.scalar(_U64)
    form = _SCALARS.get(kind)
    if count * (form.size if form else 8) > cursor.left:
        raise BadInput(cursor.where, f"claims an array of {count:,} entries", "download the file again")
    if form and count > MAX_KEPT_ITEMS:
        cursor._need(count * form.size)
        return LongArray(count)
    if kind == _STRING and count > MAX_KEPT_ITEMS:
        cursor.skip_texts(count)
        return LongArray(count)
    if count > MAX_KEPT_ITEMS:
        raise BadInput(cursor.where, f"has a nested array of {count:,} entries")
    return tuple(_value(cursor, kind, depth + 1) for _ in range(count))


def _tensors(cursor: _Cursor, count: int, metadata: Mapping[str, Any], size: int) -> tuple[GgufTensor, ...]:
    types = read_toml("models/gguf.toml")["types"]
    found: dict[str, GgufTensor] = {}
    spans: list[tuple[int, int, str]] = []
    for _ in range(count):
        tensor, offset = _tensor(cursor, types)
        if tensor.name in found:
            raise BadInput(cursor.where, f"has the tensor {shown(tensor.name)} twice")
        found[tensor.name] = tensor
        spans.append((offset, offset + tensor.bytes, tensor.name))
    _check_spans(cursor, spans, _data_start(cursor, metadata), size)
    return tuple(found.values())


def _tensor(cursor: _Cursor, types: Mapping[str, Any]) -> tuple[GgufTensor, int]:
    name = cursor.text()
    where = f"{cursor.where}: {shown(name)}"
    dimensions: int = cursor.scalar(_SCALARS[4])
    if dimensions > MAX_DIMENSIONS:
        raise BadInput(where, f"claims {dimensions:,} dimensions")
    shape = tuple(int(cursor.scalar(_U64)) for _ in range(dimensions))
    kind: int = cursor.scalar(_SCALARS[4])
    offset: int = cursor.scalar(_U64)
    if str(kind) not in types:
        raise BadInput(where, f"has the unknown tensor type {kind}", "this planner is older than the file")
    type_name, block, block_bytes = types[str(kind)]
    if (shape and shape[0] % block) or prod(shape) >= 1 << 60:
        raise BadInput(where, f"has a shape that {type_name} cannot hold")
    return GgufTensor(name, type_name, shape, prod(shape) // block * block_bytes), offset


def _data_start(cursor: _Cursor, metadata: Mapping[str, Any]) -> int:
    alignment = metadata.get("general.alignment", 32)
    if not isinstance(alignment, int) or not 1 <= alignment <= MIB:
        raise BadInput(f"{cursor.where}: general.alignment", "is not a sensible alignment")
    return -(-cursor.position // alignment) * alignment


def _check_spans(cursor: _Cursor, spans: list[tuple[int, int, str]], start: int, size: int) -> None:
    covered = 0
    for begin, end, name in sorted(spans):
        if begin < covered:
            raise BadInput(cursor.where, f"tensor {shown(name)} overlaps the one before it")
        if start + end > size:
            raise BadInput(cursor.where, f"tensor {shown(name)} ends beyond the file", "download the file again")
        covered = end
