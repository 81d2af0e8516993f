"""The table of weight formats, and reading one format off the words of a config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from planner.errors import BadInput
from planner.models.architecture import Quantization
from planner.models.config_keys import shown, whole_number
from planner.models.tables import table

WHERE = "config.json: quantization_config"
MAX_GROUP = 1 << 20


@cache
def scheme(name: str) -> Quantization:
    """A format of the table, with nothing ignored."""
    row = table("quantization")["scheme"][name]
    block = row.get("block")
    return Quantization(
        scheme=name,
        bits=float(row["bits"]),
        group=row.get("group"),
        scale_bits=float(row.get("scale_bits", 0)),
        zero_bits=float(row.get("zero_bits", 0)),
        block=(block[0], block[1]) if block else None,
        compute=row.get("compute", "bf16"),
        quantize_head=bool(row.get("tables")),
        quantize_embedding=bool(row.get("tables")),
    )


def grouped(name: str, group: object, *, where: str = "group_size") -> Quantization:
    """A format with the group size that a config states; -1 or nothing means one scale per channel."""
    base = scheme(name)
    if group is None:
        return base
    size = -1 if group == -1 else whole_number(group, f"{WHERE}: {where}", 0, MAX_GROUP)
    return replace(base, group=size if size > 0 else None)


def blocked(block: object) -> Quantization:
    """Block-scaled fp8 with the block that a config states."""
    if not isinstance(block, list | tuple) or len(block) != 2:
        raise BadInput(f"{WHERE}: weight_block_size", f"expected two sizes, got {shown(block)}")
    rows, columns = (whole_number(b, f"{WHERE}: weight_block_size", 1, MAX_GROUP) for b in block)
    return replace(scheme("fp8-block"), block=(rows, columns))


def from_weights(weights: Mapping[str, Any], activations: object) -> Quantization | None:
    """One group of compressed-tensors or ModelOpt: bits, type and strategy of weights; none for formats not known."""
    bits, kind, strategy = weights.get("num_bits"), str(weights.get("type", "float")), weights.get("strategy")
    group = weights.get("group_size")
    if kind == "float" and bits == 8:
        return _float8(weights, strategy, group, activations)
    if kind == "float" and bits == 4:
        return grouped("mxfp4" if group == 32 else "nvfp4", group)
    if kind == "int" and bits == 8:
        return scheme("w8a8-int8") if activations else grouped("w8a16", group)
    if kind == "int" and bits in (2, 3, 4):
        symmetric = weights.get("symmetric", True) is not False
        return replace(grouped("w4a16", group), bits=float(bits), zero_bits=0.0 if symmetric else float(bits))
    return None


def _float8(weights: Mapping[str, Any], strategy: object, group: object, activations: object) -> Quantization:
    if strategy == "block" and weights.get("block_structure"):
        return blocked(weights["block_structure"])
    if group == 32:
        return scheme("mxfp8")
    name = "fp8-channel" if strategy in ("channel", "group") else "fp8-tensor"
    return scheme(name) if activations else replace(scheme(name), compute="bf16")


def from_algorithm(name: object, group: object = None) -> Quantization | None:
    """A ModelOpt algorithm (``NVFP4``, ``FP8``, ``W4A16_AWQ`` …)."""
    word = str(name).upper()[:60]
    known = {
        "FP8": "fp8-tensor",
        "FP8_PER_CHANNEL_PER_TOKEN": "fp8-channel",
        "FP8_PB_WO": "fp8-block",
        "FP8_PB_REAL": "fp8-block",
        "MXFP8": "mxfp8",
        "NVFP4": "nvfp4",
        "NVFP4_AWQ": "nvfp4",
        "W4A16_NVFP4": "nvfp4",
        "W4A8_NVFP4_FP8": "nvfp4",
        "MXFP4": "mxfp4",
        "W4A8_MXFP4_FP8": "mxfp4",
        "W4A16_MXFP4": "mxfp4",
        "W4A16": "w4a16",
        "W4A16_AWQ": "awq",
        "W4A8_AWQ": "awq",
        "INT4_AWQ": "awq",
        "INT8_SQ": "w8a8-int8",
        "W8A8_SQ_PER_CHANNEL": "w8a8-int8",
        "INT8": "w8a16",
        "W8A16": "w8a16",
    }.get(word)
    if known is None:
        return None
    found = grouped(known, group) if group and scheme(known).group else scheme(known)
    return replace(found, compute="bf16") if word.startswith("W4A16") else found
