"""Tables of configs that name their method: a reader per method."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from planner.errors import BadInput
from planner.models.architecture import Quantization
from planner.models.config_keys import shown
from planner.models.quantization_lists import listed_modules
from planner.models.quantization_reading import MAX_MODULES, Reading
from planner.models.quantization_schemes import WHERE, blocked, grouped, scheme


def by_method(method: str, table: Mapping[str, Any]) -> Reading | None:
    """What a table of this method says; None for a method that no reader knows."""
    reader = METHODS.get(method)
    return reader(table) if reader else None


def _fp8(table: Mapping[str, Any]) -> Reading:
    """Per 128-block where the config names a block, else per tensor; ModelOpt may lay other experts over it."""
    block = table.get("weight_block_size")
    main = blocked(block) if block else scheme("fp8-tensor")
    listed = tuple(listed_modules(table))
    if not listed:
        return Reading(main)
    return Reading(main, listed, ignore=("head", "lm_head", "mtp.*"), complete=True)


def _int(name: str) -> Callable[[Mapping[str, Any]], Reading]:
    """Integer weights with scales (and zero points) per group."""

    def read(table: Mapping[str, Any]) -> Reading:
        bits = table.get("bits", table.get("w_bit", table.get("nbits", 4)))
        base = grouped(name, table.get("group_size", table.get("q_group_size")))
        if bits == 8:
            base = replace(grouped("w8a16", table.get("group_size")), zero_bits=base.zero_bits and 8.0)
        elif bits in (2, 3, 4):
            base = replace(base, bits=float(bits), zero_bits=base.zero_bits and float(bits))
        else:
            raise BadInput(f"{WHERE}: bits", f"expected 2, 3, 4 or 8, got {shown(bits)}")
        if table.get("zero_point") is False:
            base = replace(base, zero_bits=0.0)
        return Reading(replace(base, quantize_head=table.get("lm_head") is True))

    return read


def _bitsandbytes(table: Mapping[str, Any]) -> Reading:
    if table.get("load_in_4bit") or table.get("_load_in_4bit"):
        double = table.get("bnb_4bit_use_double_quant") is True
        return Reading(replace(scheme("bnb-nf4"), scale_bits=8.125 if double else 32.0), ignore=("lm_head",))
    return Reading(scheme("bnb-int8"), ignore=("lm_head",))


def _mxfp4(table: Mapping[str, Any]) -> Reading:
    """Experts alone, as gpt-oss is published."""
    return Reading(scheme("mxfp4"), ignore=("part:attention", "part:mlp", "part:shared_experts", "part:recurrent"))


def mlx(method: str, table: Mapping[str, Any]) -> Reading | None:
    """mlx-lm writes bits and group size without a method; modules of other bits stand beside them by name."""
    bits = table.get("bits")
    if method or bits not in (4, 8) or "group_size" not in table:
        return None
    return Reading(replace(grouped(f"mlx-{bits}bit", table["group_size"]), zero_bits=16.0), ignore=("part:router",))


def _fixed(name: str) -> Callable[[Mapping[str, Any]], Reading]:
    return lambda table: Reading(scheme(name))


def _quark(table: Mapping[str, Any]) -> Reading | None:
    """AMD Quark: one global scheme, others by layer."""
    whole = table.get("global_quant_config")
    weight = whole.get("weight") if isinstance(whole, dict) else None
    main = _quark_weight(weight) if isinstance(weight, dict) else None
    if main is None or not isinstance(whole, dict):
        return None
    main = main if whole.get("input_tensors") else replace(main, compute="bf16")
    layers = table.get("layer_quant_config")
    others = layers.items() if isinstance(layers, dict) and len(layers) <= MAX_MODULES else ()
    found = ((k, _quark_weight(v.get("weight") or {})) for k, v in others if isinstance(k, str) and isinstance(v, dict))
    return Reading(main, tuple((k, v) for k, v in found if v is not None))


def _quark_weight(weight: Mapping[str, Any]) -> Quantization | None:
    dtype, strategy = str(weight.get("dtype", "")), str(weight.get("qscheme", ""))
    if dtype == "fp4":
        return grouped("mxfp4", weight.get("group_size"))
    if dtype.startswith("fp8"):
        return scheme("fp8-channel" if "channel" in strategy else "fp8-tensor")
    if dtype in ("int4", "uint4"):
        return grouped("awq", weight.get("group_size"))
    return scheme("w8a8-int8") if dtype == "int8" else None


def _torchao(table: Mapping[str, Any]) -> Reading | None:
    """The names of torchao's configurations say what they do."""
    word = str(table.get("quant_type", "")).lower()[:4096]
    names = (("int4", "w4a16"), ("float8", "fp8-channel"), ("nvfp4", "nvfp4"), ("mxfp4", "mxfp4"), ("mx", "mxfp8"))
    name = next((scheme_name for part, scheme_name in names if part in word), None)
    if name is None and "int8" in word:
        name = "w8a8-int8" if "dynamic" in word else "w8a16"
    return Reading(scheme(name)) if name else None


METHODS: Mapping[str, Callable[[Mapping[str, Any]], Reading | None]] = {
    "fp8": _fp8,
    "fbgemm_fp8": _fixed("fp8-channel"),
    "ptpc_fp8": _fixed("fp8-channel"),
    "w8a8_fp8": _fixed("fp8-channel"),
    "w8a8_int8": _fixed("w8a8-int8"),
    "blockwise_int8": _fixed("w8a8-int8"),
    "experts_int8": _fixed("w8a16"),
    "eetq": _fixed("w8a16"),
    "awq": _int("awq"),
    "awq_marlin": _int("awq"),
    "gptq": _int("gptq"),
    "gptq_marlin": _int("gptq"),
    "gptqmodel": _int("gptq"),
    "auto-round": _int("gptq"),
    "intel/auto-round": _int("gptq"),
    "auto_round": _int("gptq"),
    "moe_wna16": _int("w4a16"),
    "hqq": lambda table: _int("awq")(_hqq(table)),
    "bitsandbytes": _bitsandbytes,
    "mxfp4": _mxfp4,
    "quark": _quark,
    "torchao": _torchao,
}


def _hqq(table: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = table.get("quant_config")
    weights = inner.get("weight_quant_params") if isinstance(inner, dict) else None
    return weights if isinstance(weights, dict) else table
