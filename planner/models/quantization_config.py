"""The many ways in which configs say how a checkpoint is quantised, read into one form.

``quantization_config`` of ``config.json`` and the side file ``hf_quant_config.json`` of ModelOpt. Everything here comes
from outside: sizes are bounded, words compared and never run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from planner.errors import BadInput
from planner.models.architecture import Quantization
from planner.models.config_keys import shown
from planner.models.quantization_schemes import WHERE, blocked, from_algorithm, from_weights, grouped, scheme

MAX_MODULES = 1 << 20
MAX_NAME = 300
LISTS = ("modules_to_not_convert", "ignore", "exclude_modules", "ignored_layers", "exclude", "llm_int8_skip_modules")
Groups = tuple[tuple[str, Quantization], ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """A checkpoint's scheme before it meets an architecture."""

    main: Quantization
    overrides: Groups = ()
    """(module pattern, scheme) of modules that differ."""
    ignore: tuple[str, ...] = ()
    complete: bool = False
    """``ignore`` is all there is: lists of the config mean another, outer scheme."""
    listed_only: bool = False
    """Modules that no override names stay unquantised."""
    kv_cache: str | None = None


def read_table(config: Mapping[str, Any]) -> Reading | None:
    """What a config (or a side file) says; None for plain weights. An unknown method raises ``BadInput``."""
    table = _table(config)
    if table is None:
        return None
    method = str(table.get("quant_method") or table.get("quant_type") or "").lower()[:60]
    reading = _by_method(method, table) or _modelopt(table) or _groups(table) or _mlx(method, table)
    if reading is None:
        raise BadInput(WHERE, f"unknown quantization method {shown(method)}", "name the format in model.weights")
    experts = _expert_dtype(config, table)
    ignore = reading.ignore if reading.complete else (*reading.ignore, *_names(table))
    overrides = (*reading.overrides, *experts)
    return replace(reading, ignore=tuple(dict.fromkeys(ignore)), overrides=overrides, kv_cache=_kv(table))


def _table(config: Mapping[str, Any]) -> Mapping[str, Any] | None:
    nested = [config.get(name) for name in ("text_config", "llm_config")]
    for source in (config, *(n for n in nested if isinstance(n, dict))):
        for name in ("quantization_config", "quantization", "compression_config"):
            found = source.get(name)
            if isinstance(found, dict) and found:
                return found
    return None


def _names(table: Mapping[str, Any]) -> Iterator[str]:
    """Modules kept in 16 bits, from whichever list the config has."""
    for key in LISTS:
        names = table.get(key)
        if names is None:
            continue
        if not isinstance(names, list) or len(names) > MAX_MODULES:
            raise BadInput(f"{WHERE}: {key}", f"expected a list of module names, got {shown(names)}")
        yield from (n for n in names if isinstance(n, str) and 0 < len(n) <= MAX_NAME)
    dynamic = table.get("dynamic")
    if isinstance(dynamic, dict) and len(dynamic) <= MAX_MODULES:
        yield from (f"re:{k[2:]}" for k in dynamic if isinstance(k, str) and k.startswith("-:") and len(k) < MAX_NAME)


def _by_method(method: str, table: Mapping[str, Any]) -> Reading | None:
    reader = METHODS.get(method)
    return reader(table) if reader else None


def _fp8(table: Mapping[str, Any]) -> Reading:
    """Per 128-block where the config names a block, else per tensor; ModelOpt may lay other experts over it."""
    block = table.get("weight_block_size")
    main = blocked(block) if block else scheme("fp8-tensor")
    listed = tuple(_listed(table))
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


def _mlx(method: str, table: Mapping[str, Any]) -> Reading | None:
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


def _modelopt(table: Mapping[str, Any]) -> Reading | None:
    """One algorithm for all linear modules, or a list of modules with an algorithm each."""
    algorithm = table.get("quant_algo")
    if not isinstance(algorithm, str):
        return None
    listed = tuple(_listed(table))
    if algorithm.upper() == "MIXED_PRECISION":
        return Reading(scheme("none"), listed, listed_only=True) if listed else None
    main = from_algorithm(algorithm, table.get("group_size"))
    return Reading(main, listed) if main else None


def _listed(table: Mapping[str, Any]) -> Iterator[tuple[str, Quantization]]:
    layers = table.get("quantized_layers")
    if not isinstance(layers, dict) or len(layers) > MAX_MODULES:
        return
    seen: dict[tuple[str, str], Quantization | None] = {}
    for name, row in layers.items():
        if not isinstance(name, str) or len(name) > MAX_NAME or not isinstance(row, dict):
            continue
        algorithm, group = row.get("quant_algo"), row.get("group_size")
        key = (str(algorithm)[:60], str(group)[:20])
        if key not in seen:
            seen[key] = from_algorithm(algorithm, group)
        found = seen[key]
        if found is not None:
            yield name, found


def _groups(table: Mapping[str, Any]) -> Reading | None:
    """compressed-tensors: groups of targets with a scheme each."""
    groups = table.get("config_groups")
    if not isinstance(groups, dict) or len(groups) > 256:
        return None
    found = [entry for group in groups.values() if isinstance(group, dict) for entry in _group(group)]
    if not found:
        return None
    plain = [scheme for target, scheme in found if target in ("Linear", "")]
    named = tuple((target, scheme) for target, scheme in found if target not in ("Linear", ""))
    return Reading(plain[0], named) if plain else Reading(scheme("none"), named, listed_only=True)


def _group(group: Mapping[str, Any]) -> Iterator[tuple[str, Quantization]]:
    weights = group.get("weights")
    found = from_weights(weights, group.get("input_activations")) if isinstance(weights, dict) else None
    targets = group.get("targets") or ["Linear"]
    if found is not None and isinstance(targets, list) and len(targets) <= MAX_MODULES:
        yield from ((t, found) for t in targets if isinstance(t, str) and len(t) <= MAX_NAME)


def _expert_dtype(config: Mapping[str, Any], table: Mapping[str, Any]) -> Groups:
    """``expert_dtype``: routed experts in another format than the rest (DeepSeek-V4: fp4 with a scale per 32)."""
    word = config.get("expert_dtype") or table.get("expert_dtype")
    return (("part:experts", scheme("mxfp4")),) if word == "fp4" and not table.get("quantized_layers") else ()


def _kv(table: Mapping[str, Any]) -> str | None:
    """The KV cache's format, where the checkpoint holds scales for one."""
    named = table.get("kv_cache_quant_algo") or table.get("kv_cache_scheme") or table.get("kv_cache_quant_config")
    if isinstance(named, str):
        return {"FP8": "fp8", "INT8": "int8", "NVFP4": "nvfp4"}.get(named.upper()[:20])
    if not isinstance(named, dict) or not named:
        return None
    if named.get("num_bits") == 8 or "weight" in named or any(isinstance(v, dict) for v in named.values()):
        return "fp8" if named.get("type", "float") == "float" else "int8"
    return None
