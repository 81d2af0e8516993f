"""Rules of number formats: what weights and KV cache may be stored in on this chip with this engine."""

from __future__ import annotations

from collections.abc import Iterator

from planner.documents.result import Finding
from planner.legality.support import Abilities, Chip
from planner.models.architecture import Quantization
from planner.resolved import Resolved

_SCHEMES = {
    "fp8": "fp8-channel", "w8a8-int8": "w8a8-int8", "awq-int4": "awq", "gptq-int4": "gptq", "w4a16-int4": "w4a16",
    "nvfp4": "nvfp4", "mxfp4": "mxfp4",
}  # fmt: skip
"""``model.weights`` → the scheme that it stands for."""
_NEAREST = {
    "fp8": ("w8a8-int8", "awq-int4", "gptq-int4"),
    "int8": ("fp8", "awq-int4", "gptq-int4"),
    "fp4": ("awq-int4", "gptq-int4", "fp8", "w8a8-int8"),
    "int4": ("gptq-int4", "w4a16-int4", "awq-int4", "nvfp4", "fp8", "w8a8-int8"),
    "w8a16": ("fp8", "w8a8-int8"),
    "nf4": ("awq-int4", "gptq-int4", "fp8"),
}
_KV_16 = ("bf16", "fp16", "fp32", "f16", "f32", "auto")


def weight_rules(quantization: Quantization, abilities: Abilities) -> Iterator[Finding]:
    """Weights against the engine's kernels on this chip."""
    scheme, chip = quantization.scheme, abilities.chip
    path = abilities.path(scheme)
    if path is None:
        weights = nearest_weights(scheme, abilities)
        change = {"model.weights": weights}
        message = f"no kernels for {label(scheme)} weights on {chip.title} in this engine and release"
        yield Finding("weights-format-on-chip", message, f"take {weights} weights", "error", change)
    elif path == "weight-only":
        kind = abilities.format_class(scheme)
        message = (
            f"{chip.title} has no {kind.upper()} units: {label(scheme)} weights are widened to 16 bit in the kernel "
            "(memory is saved, prefill is not faster)"
        )
        yield Finding("weights-format-emulated", message, "", "warning")
    yield from _base_rules(quantization, chip)


def checkpoint_rules(resolved: Resolved, abilities: Abilities) -> Iterator[Finding]:
    """Packings of one format differ: each engine reads those of some tools."""
    repo, scheme = resolved.deployment.model.checkpoint, resolved.quantization.scheme
    if repo is None or resolved.deployment.model.path is not None or abilities.path(scheme) is None:
        return
    refused = abilities.refused(scheme, repo)
    if refused is not None:
        message = (
            f"{resolved.engine.name} {resolved.engine.version} does not read the {label(scheme)} weights of {repo}"
        )
        fix = f"take {refused.reads}, or another engine"
        yield Finding("checkpoint-of-engine", message, fix, "error", {"model.checkpoint": None})


def _base_rules(quantization: Quantization, chip: Chip) -> Iterator[Finding]:
    if quantization.scheme.startswith("gguf") or quantization.base_dtype != "bf16" or "bf16" in chip.native:
        return
    message = f"{chip.title} has no bf16"
    if quantization.scheme == "none":
        change = {"model.weights": "fp16"}
        yield Finding("bf16-on-chip", message, "take fp16 weights", "error", change)
    else:
        yield Finding("bf16-on-chip", f"{message}: the layers outside the format run in fp16", "", "warning")


def nearest_weights(scheme: str, abilities: Abilities) -> str:
    """The closest format that this engine runs on this chip."""
    for weights in _NEAREST.get(abilities.format_class(scheme), ()):
        if abilities.path(_SCHEMES[weights]) is not None and _SCHEMES[weights] != scheme:
            return weights
    if abilities.path("none") is None:
        return "gguf:Q4_K_M"
    return "bf16" if "bf16" in abilities.chip.native else "fp16"


def kv_rules(dtype: str, abilities: Abilities) -> Iterator[Finding]:
    """The KV cache's format against chip and engine."""
    chip = abilities.chip
    if dtype.startswith("fp8") and "fp8_ds" not in dtype and dtype not in chip.fp8_kv:
        legal = [d for d in abilities.kv_dtypes if d in chip.fp8_kv]
        take = legal[0] if legal else "bf16" if "bf16" in chip.native else "fp16"
        message = f"{chip.title} cannot read a KV cache in {dtype} (e4m3 needs FP8 units)"
        change = {"serving.kv_cache_dtype": take}
        yield Finding("kv-dtype-on-chip", message, f"set kv_cache_dtype {take}", "error", change)
    elif abilities.kv_dtypes and dtype not in abilities.kv_dtypes and dtype not in _KV_16:
        message = f"this engine and release has no KV cache in {dtype} on {chip.title}"
        change = {"serving.kv_cache_dtype": "auto"}
        yield Finding("kv-dtype-of-engine", message, "set kv_cache_dtype auto", "error", change)


def label(scheme: str) -> str:
    """A scheme as people write it."""
    return "16-bit" if scheme == "none" else scheme.removeprefix("gguf:") if scheme.startswith("gguf:") else scheme
