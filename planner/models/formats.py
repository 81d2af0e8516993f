"""True bytes of a tensor in a format: weights, scales and zero points."""

from __future__ import annotations

from functools import lru_cache
from math import ceil, prod

from planner.memo import kept
from planner.models.architecture import Architecture, Quantization, Tensor
from planner.models.gguf_layout import gguf_layout
from planner.models.gguf_mix import kept_mix, place_at, tensor_type, type_bits
from planner.models.parameters import all_tensors
from planner.models.quantization import weight_scheme
from planner.models.quantization_patterns import matches

__all__ = ["BASE_BYTES", "model_bytes", "scheme_of", "tensor_bytes", "weight_scheme"]

BASE_BYTES = {"bf16": 2.0, "fp16": 2.0, "fp32": 4.0}
MIDDLE = place_at(index=4, count=12, moe=0, gqa=1.0)
"""A layer that no rule of a GGUF mix favours."""


@lru_cache(maxsize=8192)
def scheme_of(tensor: Tensor, quantization: Quantization) -> Quantization | None:
    """The scheme that applies to this tensor; None keeps it in the base dtype."""
    if quantization.scheme.startswith("gguf:"):
        return quantization
    wanted = tensor.quantized or (tensor.part == "head" and quantization.quantize_head)
    wanted = wanted or (tensor.part == "embedding" and quantization.quantize_embedding)
    if not wanted or (quantization.scheme == "none" and not quantization.overrides):
        return None
    if any(matches(pattern, tensor.module, tensor.part) for pattern in quantization.ignore):
        return None
    for pattern, scheme in quantization.overrides:
        if matches(pattern, tensor.module, tensor.part):
            return scheme
    return None if quantization.scheme == "none" else quantization


@lru_cache(maxsize=8192)
def tensor_bytes(tensor: Tensor, quantization: Quantization) -> float:
    """Bytes of the whole tensor as stored and loaded, before any sharding."""
    scheme = scheme_of(tensor, quantization)
    if scheme is None:
        return tensor.numel * BASE_BYTES.get(quantization.base_dtype, 2.0)
    if scheme.scheme.startswith("gguf:"):
        return tensor.numel * type_bits()[tensor_type(tensor, kept_mix(scheme.scheme, ""), MIDDLE)] / 8
    return tensor.numel * scheme.bits / 8 + scale_bytes(tensor.shape, scheme)


def scale_bytes(shape: tuple[int, ...], scheme: Quantization) -> float:
    """Bytes of scales and zero points of a weight (…, out, in)."""
    if len(shape) < 2:
        return 0.0
    out, into, stack = shape[-2], shape[-1], prod(shape[:-2])
    if scheme.block:
        scales = ceil(out / scheme.block[0]) * ceil(into / scheme.block[1])
    elif scheme.group:
        scales = out * ceil(into / scheme.group)
    else:
        scales = 1 if scheme.scheme.endswith("-tensor") else out
    return stack * scales * (scheme.scale_bits + scheme.zero_bits) / 8


@kept
def model_bytes(architecture: Architecture, quantization: Quantization) -> float:
    """Bytes of the whole model without prediction layers (and, for GGUF, without the vision tower's own file)."""
    if quantization.scheme.startswith("gguf:"):
        return gguf_layout(architecture, quantization.scheme).file_bytes
    return sum(tensor_bytes(tensor, quantization) * count for tensor, count in all_tensors(architecture))
