"""How checkpoints say that they are quantised: ``quantization_config`` and ``hf_quant_config.json`` → ``Quantization``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from planner.models.architecture import Architecture, Quantization

NONE = Quantization("none")
DEFAULT_IGNORE = ("lm_head",)

SCHEMES: Mapping[str, Quantization] = {
    "bf16": NONE,
    "fp16": replace(NONE, base_dtype="fp16", compute="fp16"),
    "fp32": replace(NONE, bits=32, base_dtype="fp32", compute="fp32"),
    "fp8": Quantization("fp8-channel", 8, scale_bits=32, compute="fp8", ignore=DEFAULT_IGNORE),
    "fp8-block": Quantization("fp8-block", 8, scale_bits=32, block=(128, 128), compute="fp8", ignore=DEFAULT_IGNORE),
    "nvfp4": Quantization("nvfp4", 4, group=16, scale_bits=8, compute="fp4", ignore=DEFAULT_IGNORE),
    "mxfp4": Quantization("mxfp4", 4, group=32, scale_bits=8, compute="bf16", ignore=DEFAULT_IGNORE),
    "awq-int4": Quantization("awq", 4, group=128, scale_bits=16, zero_bits=4, ignore=DEFAULT_IGNORE),
    "gptq-int4": Quantization("gptq", 4, group=128, scale_bits=16, zero_bits=4, ignore=DEFAULT_IGNORE),
    "w4a16-int4": Quantization("w4a16", 4, group=128, scale_bits=16, ignore=DEFAULT_IGNORE),
    "w8a8-int8": Quantization("w8a8-int8", 8, scale_bits=32, compute="int8", ignore=DEFAULT_IGNORE),
    "bnb-nf4": Quantization("bnb-nf4", 4, group=64, scale_bits=8.5, ignore=DEFAULT_IGNORE),
    "bnb-int8": Quantization("bnb-int8", 8, scale_bits=32, compute="int8", ignore=DEFAULT_IGNORE),
}


def read_quantization(config: Mapping[str, Any]) -> Quantization | None:
    """The scheme that a config names; None for plain weights."""
    table = config.get("quantization_config")
    if not isinstance(table, dict):
        return None
    if table.get("quant_method") == "fp8" and table.get("weight_block_size"):
        return SCHEMES["fp8-block"]
    return None


def weight_scheme(name: str, architecture: Architecture, checkpoint: str | None = None) -> Quantization:
    """The scheme behind a deployment's ``model.weights``."""
    if name.startswith("gguf:"):
        return Quantization(name)
    own = architecture.quantization
    scheme = SCHEMES[name]
    if own is not None and own.scheme.split("-")[0] == scheme.scheme.split("-")[0]:
        return own
    return scheme
