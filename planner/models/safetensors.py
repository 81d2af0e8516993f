"""Reads the headers of safetensors files: what is stored, in exact bytes. No tensor is loaded.

Format: 8 bytes little-endian length, that many bytes of JSON {name: {dtype, shape, data_offsets}}, then the data
(github.com/huggingface/safetensors, README "Format"). The length is checked against the file before anything is read.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from planner.errors import BadInput
from planner.units import MIB

MAX_HEADER_BYTES = 100_000_000
"""The reference implementation's own limit."""
MAX_INDEX_BYTES = 256 * MIB
MAX_SHARDS = 10_000
DTYPE_BITS: Mapping[str, int] = {
    "F64": 64, "I64": 64, "U64": 64, "C64": 64, "F32": 32, "I32": 32, "U32": 32, "F16": 16, "BF16": 16, "I16": 16,
    "U16": 16, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I8": 8, "U8": 8,
    "BOOL": 8, "F6_E2M3": 6, "F6_E3M2": 6, "F4": 4,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """One tensor as the header lists it."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    bytes: int
    file: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All safetensors files of a directory."""

    directory: Path
    tensors: tuple[StoredTensor, ...]
    files: tuple[str, ...]
    missing: tuple[str, ...] = ()
    """Shards that the index names and the directory lacks."""
    absent_tensors: tuple[str, ...] = ()
    """Tensors that the index names and no present shard holds; those of missing shards are not counted."""

    @property
    def total_bytes(self) -> int:
        """Of all tensors present."""
        return sum(t.bytes for t in self.tensors)

    @property
    def bytes_by_dtype(self) -> dict[str, int]:
        """Exact bytes per dtype, largest first."""
        totals: dict[str, int] = {}
        for tensor in self.tensors:
            totals[tensor.dtype] = totals.get(tensor.dtype, 0) + tensor.bytes
        return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))


def read_safetensors(directory: Path | str) -> Checkpoint:
    """The headers of a directory's safetensors files, or of one file. Raises ``BadInput`` for anything else."""
    root = Path(directory)
    if root.is_file():
        return Checkpoint(root.parent, tuple(read_header(root)), (root.name,))
    index = root / "model.safetensors.index.json"
    if index.is_file():
        return _read_sharded(root, index)
    names = sorted(p.name for p in root.glob("*.safetensors") if p.is_file())
    if not names:
        raise BadInput(str(root), "holds no .safetensors file", "download the weights, or name a config.json")
    if len(names) > MAX_SHARDS:
        raise BadInput(str(root), f"holds more than {MAX_SHARDS:,} safetensors files")
    preferred = ["model.safetensors"] if "model.safetensors" in names else names
    return _collect(root, preferred)


def _read_sharded(root: Path, index: Path) -> Checkpoint:
    weight_map = _weight_map(index)
    names = sorted(set(weight_map.values()))
    if len(names) > MAX_SHARDS:
        raise BadInput(str(index), f"names more than {MAX_SHARDS:,} files")
    for name in names:
        if not name.endswith(".safetensors") or "\0" in name or Path(name).name != name or "\\" in name:
            raise BadInput(f"{index}: weight_map", f"{name[:200]!r} is not the name of a file beside the index")
    found = _collect(root, [n for n in names if (root / n).is_file()])
    missing = tuple(n for n in names if not (root / n).is_file())
    held = {t.name for t in found.tensors}
    absent = tuple(sorted(t for t, f in weight_map.items() if f not in missing and t not in held))
    return Checkpoint(root, found.tensors, found.files, missing, absent)


def _weight_map(index: Path) -> dict[str, str]:
    if index.stat().st_size > MAX_INDEX_BYTES:
        raise BadInput(str(index), "is larger than 256 MiB, which no index is")
    try:
        parsed = json.loads(index.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(str(index), f"cannot be read as JSON: {error}") from error
    weight_map = parsed.get("weight_map") if isinstance(parsed, dict) else None
    if not isinstance(weight_map, dict) or not all(isinstance(v, str) for v in weight_map.values()):
        raise BadInput(f"{index}: weight_map", "must map tensor names to file names")
    return weight_map


def _collect(root: Path, names: list[str]) -> Checkpoint:
    tensors: dict[str, StoredTensor] = {}
    for name in names:
        for tensor in read_header(root / name):
            if tensor.name in tensors:
                other = tensors[tensor.name].file
                raise BadInput(str(root / name), f"tensor {tensor.name!r} is in {other} as well")
            tensors[tensor.name] = tensor
    return Checkpoint(root, tuple(tensors.values()), tuple(names))


def read_header(path: Path) -> Iterator[StoredTensor]:
    """The tensors of one file; checked against the size of the file."""
    header, data_bytes = _header_json(path)
    covered = 0
    spans: list[tuple[int, int, str]] = []
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        tensor, start = _tensor(path, name, entry)
        if start + tensor.bytes > data_bytes:
            raise BadInput(str(path), f"tensor {name[:200]!r} ends beyond the file", "download the file again")
        spans.append((start, start + tensor.bytes, name))
        yield tensor
    for start, end, name in sorted(spans):
        if start < covered:
            raise BadInput(str(path), f"tensor {name[:200]!r} overlaps the one before it")
        covered = end


def _header_json(path: Path) -> tuple[dict[str, Any], int]:
    """The header's object and the bytes of data behind it."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            prefix = file.read(8)
            if len(prefix) < 8:
                raise BadInput(str(path), "is too short for a safetensors file", "download the file again")
            (length,) = struct.unpack("<Q", prefix)
            if length > MAX_HEADER_BYTES or length > size - 8:
                raise BadInput(str(path), f"claims a header of {length:,} bytes in a file of {size:,} bytes")
            text = file.read(length)
    except OSError as error:
        raise BadInput(str(path), f"cannot be read: {error.strerror}") from error
    if len(text) < length:
        raise BadInput(str(path), "ends inside its header", "download the file again")
    try:
        header = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise BadInput(str(path), f"has a header that is not JSON: {error}") from error
    if not isinstance(header, dict):
        raise BadInput(str(path), "has a header that is not a JSON object")
    return header, size - 8 - length


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _tensor(path: Path, name: str, entry: Any) -> tuple[StoredTensor, int]:
    """A tensor of the header and where its data starts."""
    where = f"{path}: {name[:200]}"
    dtype = entry.get("dtype") if isinstance(entry, dict) else None
    if not isinstance(dtype, str) or dtype not in DTYPE_BITS:
        raise BadInput(where, f"has the unknown dtype {str(dtype)[:40]!r}")
    shape, offsets = entry.get("shape"), entry.get("data_offsets")
    if not _whole_numbers(shape) or not _whole_numbers(offsets) or len(offsets) != 2 or len(shape) > 32:
        raise BadInput(where, "needs a shape and two data_offsets of whole numbers")
    start, end = offsets
    bits = prod(shape) * DTYPE_BITS[dtype]
    if end < start or bits != (end - start) * 8:
        raise BadInput(where, "has a shape and dtype that do not match its data_offsets")
    return StoredTensor(name, dtype, tuple(shape), end - start, path.name), start


def _whole_numbers(value: Any) -> bool:
    """A list of whole numbers that fit 63 bits."""
    return isinstance(value, list) and all(type(v) is int and 0 <= v < 1 << 63 for v in value)
