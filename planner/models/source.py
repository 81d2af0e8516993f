"""A model opened for planning, and the small readers that every way of opening one shares."""

from __future__ import annotations

import json
import marshal
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.errors import BadInput
from planner.memo import WeighedMemo
from planner.models.architecture import Architecture, Quantization
from planner.models.catalogue_row import CatalogueModel
from planner.models.hf_config import architecture_from_config
from planner.units import MIB

if TYPE_CHECKING:
    from planner.models.gguf import GgufFile
    from planner.models.safetensors import Checkpoint

MAX_CONFIG_BYTES = 64 * MIB
NO_FILES = "no weight files here: sizes are computed from config.json"
_WITHOUT_REFERENCES = 2
"""The version of the marshal format in which equal values have equal bytes, however they share objects."""


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A model opened for planning."""

    id: str
    architecture: Architecture
    own_config: Mapping[str, Any] | None = field(default=None, repr=False)
    """From a file or the document; the catalogue's own is in ``row``."""
    path: Path | None = None
    """Directory or file it was read from; None for the catalogue and inline configs."""
    quantization: Quantization | None = None
    """What the files themselves say; None for plain weights or unknown."""
    exact_bytes: float | None = None
    """Of all tensors, from safetensors or GGUF headers, multi-token-prediction layers included."""
    gguf: GgufFile | None = field(default=None, repr=False)
    checkpoint: Checkpoint | None = field(default=None, repr=False)
    row: CatalogueModel | None = None
    """The catalogue's row, when the reference names one."""
    problems: tuple[str, ...] = ()
    """What is wrong with the files without making them unusable, e.g. missing shards."""

    @property
    def incomplete(self) -> bool:
        """Files or tensors that belong to the model are not there."""
        parts = self.checkpoint or self.gguf
        return bool(parts and parts.missing) or bool(self.checkpoint and self.checkpoint.absent_tensors)

    @property
    def config(self) -> dict[str, Any] | None:
        """The config keys it was built from; None for GGUF files."""
        if self.own_config is not None:
            return dict(self.own_config)
        return self.row.config if self.row else None


def cached_architecture(config: Mapping[str, Any], where: str = "config.json", *, stated: bool = False) -> Architecture:
    """The architecture of a config, built once per content; problems name the file that it came from.

    With ``stated`` the weight format was said beside it, so that a scheme nobody knows here is passed over.
    """
    try:
        content = _content(config)
        return _read.get(sha256(content).digest(), lambda: architecture_from_config(marshal.loads(content)))
    except BadInput as error:
        problem = error.problems[0]
        if stated and "quantization_config" in problem.where and "quantization_config" in config:
            plain = {key: value for key, value in config.items() if key != "quantization_config"}
            return cached_architecture(plain, where)
        raise BadInput(problem.where.replace("config.json", where, 1), problem.message, problem.fix) from None


def _content(config: Mapping[str, Any]) -> bytes:
    """The config as bytes. Raises ``BadInput`` for values that JSON has not."""
    try:
        return marshal.dumps(dict(config), _WITHOUT_REFERENCES)
    except ValueError:
        raise BadInput("config.json", "holds values that JSON has not", "quote dates and times") from None


def _size(architecture: Architecture) -> int:
    """What a model takes in memory with everything worked out of it, about: distinct tensors, layers and patterns."""
    kinds = (*architecture.layer_kinds, *architecture.mtp)
    tensors = sum(len(kind.tensors) for kind in kinds) + len(architecture.vision) + len(architecture.embeddings)
    own = architecture.quantization
    return tensors + architecture.num_layers + (len(own.ignore) + len(own.overrides) if own else 0)


_read: WeighedMemo[Architecture] = WeighedMemo(20_000, _size)


def read_json_file(path: Path) -> dict[str, Any]:
    """A JSON object from a file of bounded size. Raises ``BadInput``."""
    try:
        if not path.is_file():
            raise BadInput(str(path), "is not a regular file")
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise BadInput(str(path), "is larger than 64 MiB, which no config is")
        parsed = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(str(path), f"cannot be read as JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise BadInput(str(path), "is not a JSON object with the keys of a config.json")
    return parsed
