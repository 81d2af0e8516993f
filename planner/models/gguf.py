"""A GGUF model: one file or all parts of a split one, read by headers alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from planner.data import read_toml
from planner.errors import BadInput
from planner.models.architecture import Architecture, Quantization
from planner.models.gguf_header import GgufTensor, Header, read_header
from planner.models.names import shown

__all__ = ["GgufFile", "GgufTensor", "read_gguf"]

MAX_PARTS = 1000
_PART = re.compile(r"^(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf$", re.IGNORECASE)


@dataclass(frozen=True)
class GgufFile:
    """What the headers of a model's file or files say."""

    path: Path
    """The first part."""
    version: int
    metadata: Mapping[str, Any]
    """Of the first part. Long arrays (vocabulary) are ``LongArray`` with their count."""
    tensors: tuple[GgufTensor, ...]
    file_bytes: int
    """Of all present parts."""
    files: tuple[str, ...]
    missing: tuple[str, ...] = ()
    """Parts that should lie beside the first and do not."""

    @property
    def name(self) -> str | None:
        """As the model calls itself."""
        name = self.metadata.get("general.name")
        return shown(name) if isinstance(name, str) and name.strip() else None

    @property
    def architecture_name(self) -> str:
        """llama.cpp's name of the architecture."""
        name = self.metadata.get("general.architecture")
        return name if isinstance(name, str) else ""

    @property
    def tensor_bytes(self) -> int:
        """Of all tensors present, without padding."""
        return sum(t.bytes for t in self.tensors)

    @property
    def bytes_by_type(self) -> dict[str, int]:
        """Exact bytes per tensor type, largest first."""
        totals: dict[str, int] = {}
        for tensor in self.tensors:
            totals[tensor.type] = totals.get(tensor.type, 0) + tensor.bytes
        return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))

    @property
    def mix(self) -> str:
        """Name of the quantisation mix: what the file says, else the type that holds most bytes."""
        kind = self.metadata.get("general.file_type")
        names: Mapping[str, str] = read_toml("models/gguf.toml")["file_types"]
        return names.get(str(kind)) or next(iter(self.bytes_by_type), "F16")

    @cached_property
    def architecture(self) -> Architecture:
        """Raises ``UnknownArchitecture`` with what is known when llama.cpp's name for it has no translation."""
        from planner.models.gguf_config import architecture_of

        return architecture_of(self)

    @cached_property
    def quantization(self) -> Quantization:
        """The scheme of the mix, as for ``weights = "gguf:…"``."""
        from planner.models.formats import weight_scheme

        return weight_scheme(f"gguf:{self.mix}", self.architecture)

    def tensor(self, name: str) -> GgufTensor | None:
        return self._by_name.get(name)

    @cached_property
    def _by_name(self) -> Mapping[str, GgufTensor]:
        return {t.name: t for t in self.tensors}


def read_gguf(path: Path | str) -> GgufFile:
    """The header of a GGUF file and of the parts that belong to it. Any part may be named. Raises ``BadInput``."""
    given = Path(path)
    part = _PART.match(given.name)
    if part is None:
        header = read_header(given)
        _refuse_lone_part(given, header)
        return _joined(given, {given.name: header}, ())
    count = int(part["count"])
    if not 1 <= count <= MAX_PARTS or not 1 <= int(part["number"]) <= count:
        raise BadInput(shown(str(given)), f"is named as part {part['number']} of {part['count']}")
    names = [f"{part['stem']}-{n:05}-of-{count:05}.gguf" for n in range(1, count + 1)]
    present = [n for n in names if (given.parent / n).is_file()]
    if names[0] not in present:
        raise BadInput(shown(str(given)), "is a part of a split model whose first part is missing", f"add {names[0]}")
    headers = {n: read_header(given.parent / n) for n in present}
    return _joined(given.parent / names[0], headers, tuple(n for n in names if n not in present))


def _refuse_lone_part(path: Path, header: Header) -> None:
    count = header.metadata.get("split.count")
    if isinstance(count, int) and count > 1:
        raise BadInput(
            shown(str(path)), f"is one of {count} parts and is not named as such", "keep the published names"
        )


def _joined(first: Path, headers: Mapping[str, Header], missing: tuple[str, ...]) -> GgufFile:
    tensors: dict[str, GgufTensor] = {}
    for name, header in headers.items():
        for tensor in header.tensors:
            if tensor.name in tensors:
                raise BadInput(shown(name), f"holds the tensor {shown(tensor.name)} of another part as well")
            tensors[tensor.name] = tensor
    head = headers[first.name]
    return GgufFile(
        path=first,
        version=head.version,
        metadata=head.metadata,
        tensors=tuple(tensors.values()),
        file_bytes=sum(h.file_bytes for h in headers.values()),
        files=tuple(headers),
        missing=missing,
    )
