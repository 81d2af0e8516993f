"""Writers of model files: safetensors by hand, GGUF by the reference package."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest


def safetensors_bytes(header: Any, data: int, length: int | None = None) -> bytes:
    """A safetensors file; ``length`` overrides the claimed size of the header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + b"\0" * data


def entry(dtype: str, shape: list[int], start: int, end: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


@pytest.fixture
def write_safetensors(tmp_path: Path) -> Callable[..., Path]:
    def write(tensors: Mapping[str, tuple[str, list[int], int]], name: str = "model.safetensors") -> Path:
        header, at = {}, 0
        for key, (dtype, shape, size) in tensors.items():
            header[key] = entry(dtype, shape, at, at + size)
            at += size
        path = tmp_path / name
        path.write_bytes(safetensors_bytes({"__metadata__": {"format": "pt"}, **header}, at))
        return path

    return write


def write_gguf(path: Path, architecture: str, metadata: Mapping[str, Any], tensors: Mapping[str, Any]) -> Path:
    """A GGUF file by the reference writer. ``tensors``: name → (shape in numpy order, quantisation type)."""
    writer = gguf.GGUFWriter(path, architecture)
    for key, value in metadata.items():
        add(writer, key, value)
    for name, (shape, kind) in tensors.items():
        if kind in (gguf.GGMLQuantizationType.F32, gguf.GGMLQuantizationType.F16):
            dtype = np.float32 if kind == gguf.GGMLQuantizationType.F32 else np.float16
            writer.add_tensor(name, np.zeros(shape, dtype=dtype))
        else:
            block, size = gguf.GGML_QUANT_SIZES[kind]
            raw = np.zeros((*shape[:-1], shape[-1] // block * size), dtype=np.uint8)
            writer.add_tensor(name, raw, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def add(writer: gguf.GGUFWriter, key: str, value: Any) -> None:
    if isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, int):
        writer.add_uint32(key, value)
    elif isinstance(value, float):
        writer.add_float32(key, value)
    elif isinstance(value, str):
        writer.add_string(key, value)
    else:
        writer.add_array(key, value)
