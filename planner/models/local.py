"""Models on this machine's disk: config.json with safetensors, ModelOpt's hf_quant_config.json, GGUF files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from planner.errors import BadInput
from planner.models.architecture import Architecture, Quantization
from planner.models.gguf import read_gguf
from planner.models.quantization import weight_scheme
from planner.models.safetensors import Checkpoint, read_safetensors
from planner.models.source import NO_FILES, ModelSource, cached_architecture, read_json_file

_FIX = "a model directory holds config.json and *.safetensors, or a .gguf file"
_PLAIN = {"BF16": "bf16", "F16": "fp16", "F32": "fp32"}
_WIDE = frozenset({*_PLAIN, "F64", "I64", "BOOL"})
"""Dtypes that no quantised weight is stored in."""


def open_directory(path: Path, id_: str | None, *, stated: bool = False) -> ModelSource:
    """The model of a directory with a config.json. ``exact_bytes`` only when no shard is missing."""
    config = _with_quantization(path, read_json_file(path / "config.json"))
    architecture = cached_architecture(config, str(path / "config.json"), stated=stated)
    checkpoint = _checkpoint(path)
    return ModelSource(
        id_ or path.resolve().name,
        architecture,
        config,
        path,
        _stored_scheme(architecture, checkpoint),
        exact_bytes=float(checkpoint.total_bytes) if checkpoint and not checkpoint.missing else None,
        checkpoint=checkpoint,
        problems=_problems(architecture, checkpoint),
    )


def _stored_scheme(architecture: Architecture, checkpoint: Checkpoint | None) -> Quantization | None:
    """The scheme of the config; that of the files where they hold nothing but wide numbers (a converted checkpoint)."""
    own = architecture.quantization
    if own is None or own.scheme == "none" or checkpoint is None or not _only_wide(checkpoint):
        return own
    largest = next((_PLAIN[dtype] for dtype in checkpoint.bytes_by_dtype if dtype in _PLAIN), architecture.dtype)
    return weight_scheme(largest, architecture)


def _only_wide(checkpoint: Checkpoint) -> bool:
    return not checkpoint.missing and bool(checkpoint.tensors) and set(checkpoint.bytes_by_dtype) <= _WIDE


def open_gguf(path: Path, id_: str | None) -> ModelSource:
    """The model of a GGUF file; ``exact_bytes`` only when no part is missing."""
    file = read_gguf(path)
    return ModelSource(
        id_ or file.name or path.stem,
        file.architecture,
        path=path,
        quantization=file.quantization,
        exact_bytes=None if file.missing else float(file.tensor_bytes),
        gguf=file,
        problems=tuple(f"{name} is missing" for name in file.missing),
    )


def _with_quantization(path: Path, config: dict[str, Any]) -> dict[str, Any]:
    """Older ModelOpt exports keep the scheme in a file of its own."""
    beside = path / "hf_quant_config.json"
    if "quantization_config" in config or not beside.is_file():
        return config
    scheme = read_json_file(beside).get("quantization")
    if not isinstance(scheme, dict):
        raise BadInput(f"{beside}: quantization", "must be a table")
    return {**config, "quantization_config": {"quant_method": "modelopt", **scheme}}


def _checkpoint(path: Path) -> Checkpoint | None:
    has_files = any(path.glob("*.safetensors")) or (path / "model.safetensors.index.json").is_file()
    return read_safetensors(path) if has_files else None


def _problems(architecture: Architecture, checkpoint: Checkpoint | None) -> tuple[str, ...]:
    if checkpoint is None:
        return (NO_FILES,)
    absent = checkpoint.absent_tensors
    lost = (f"{len(absent)} tensors of the index are in no file",) if absent else ()
    return (*(f"{name} is missing" for name in checkpoint.missing), *lost, *_disagreement(architecture, checkpoint))


def _disagreement(architecture: Architecture, checkpoint: Checkpoint) -> tuple[str, ...]:
    """What config.json says of the format against what the files hold."""
    own, narrow = architecture.quantization, [d for d in checkpoint.bytes_by_dtype if d not in _WIDE]
    if own is not None and own.scheme != "none" and _only_wide(checkpoint):
        held = " and ".join(checkpoint.bytes_by_dtype)
        return (f"config.json names {own.scheme} weights, the files hold only {held}",)
    if own is None and narrow:
        return (f"the files hold {', '.join(narrow[:3])}, config.json names no quantization_config",)
    return ()


def single_gguf(path: Path) -> Path:
    """The GGUF model of a directory: its only file, or the first part of a split one. Projectors are no models."""
    try:
        files = sorted(p for p in path.iterdir() if p.suffix.lower() == ".gguf" and "mmproj" not in p.name.lower())
    except OSError as error:
        raise BadInput(str(path), f"cannot be read: {error.strerror}") from error
    heads = [p for p in files if "-of-" not in p.stem or p.stem.rpartition("-of-")[0].endswith("-00001")]
    if not heads:
        raise BadInput(str(path), "holds no model", _FIX)
    if len(heads) > 1:
        listed = ", ".join(p.name for p in heads[:5])
        raise BadInput(str(path), f"holds {len(heads)} GGUF models ({listed} …)", "name one of the files")
    return heads[0]
