"""The many ways in which configs say how a checkpoint is quantised, read into one form.

``quantization_config`` of ``config.json`` and the side file ``hf_quant_config.json`` of ModelOpt. Everything here comes
from outside: sizes are bounded, words compared and never run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from planner.errors import BadInput
from planner.models.config_keys import shown
from planner.models.quantization_lists import compressed, modelopt
from planner.models.quantization_methods import by_method, mlx
from planner.models.quantization_reading import MAX_MODULES, MAX_NAME, Groups, Reading
from planner.models.quantization_schemes import WHERE, scheme

LISTS = ("modules_to_not_convert", "ignore", "exclude_modules", "ignored_layers", "exclude", "llm_int8_skip_modules")


def read_table(config: Mapping[str, Any]) -> Reading | None:
    """What a config (or a side file) says; None for plain weights. An unknown method raises ``BadInput``."""
    table = _table(config)
    if table is None:
        return None
    method = str(table.get("quant_method") or table.get("quant_type") or "").lower()[:60]
    reading = by_method(method, table) or modelopt(table) or compressed(table) or mlx(method, table)
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
