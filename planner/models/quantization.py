"""The scheme behind a deployment's ``model.weights``, and a checkpoint's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from planner.errors import UnknownName
from planner.memo import kept
from planner.models.architecture import Architecture, LatentAttention, Quantization, Recurrent
from planner.models.gguf_layout import gguf_layout
from planner.models.names import nearest, squeeze
from planner.models.quantization_config import read_table
from planner.models.quantization_fit import fit
from planner.models.quantization_schemes import grouped, scheme
from planner.models.tables import table

__all__ = ["known_format", "quantized", "stated_scheme", "weight_scheme"]


def quantized(architecture: Architecture, config: Mapping[str, Any]) -> Architecture:
    """The architecture with the scheme of a ``config.json`` or of a ``hf_quant_config.json`` beside it."""
    reading = read_table(config)
    if reading is None:
        return architecture
    (kinds, order), own = fit(reading, architecture.layer_kinds, architecture.layer_order, architecture.dtype)
    return replace(architecture, layer_kinds=kinds, layer_order=order, quantization=own)


def weight_scheme(name: str, architecture: Architecture, checkpoint: str | None = None) -> Quantization:
    """The scheme that a name of ``model.weights`` stands for, on this model and (as a hint) in this repack.

    The checkpoint's own scheme is taken where it is of the family named: "fp8" on DeepSeek-R1 is its 128-block.
    """
    return _named(architecture, name, checkpoint)


@kept
def _named(architecture: Architecture, name: str, checkpoint: str | None) -> Quantization:
    if name.lower().startswith("gguf:"):
        return _gguf(name, architecture)
    row = table("quantization")["weights"][known_format(name).lower()]
    own = architecture.quantization
    if own is not None and name.lower() == "auto":
        return own
    hint = _hint(row["family"], checkpoint)
    if own is not None and row["family"] != "plain" and _is_of(own, row["family"]) and not hint:
        return own
    return _repack(row, hint, architecture)


def known_format(name: str) -> str:
    """The name as it is, where it is one of ``model.weights``. Raises UnknownName with the nearest."""
    known = table("quantization")["weights"]
    if name.lower() in known:
        return name
    raise UnknownName("weights format", name[:60], nearest(name[:60], {squeeze(n): n for n in known}, 3))


def stated_scheme(
    base: Quantization, *, bits: float | None, group: int | None, ignore: tuple[str, ...]
) -> Quantization:
    """A scheme with what a person states otherwise: bits, group size, modules left alone."""
    return replace(base, bits=bits or base.bits, group=group or base.group, ignore=ignore or base.ignore)


def _is_of(own: Quantization, family: str) -> bool:
    """A scheme's family; a mixed scheme is also of the family of its parts."""
    names = table("quantization")["families"][family]
    return own.scheme in names or any(part.scheme in names for _, part in own.overrides)


def _hint(family: str, checkpoint: str | None) -> Mapping[str, Any]:
    """What the name of a repack says about its scheme."""
    wanted = (checkpoint or "").lower()[:200]
    for row in table("quantization")["hint"]:
        if wanted and row["family"] == family and fnmatchcase(wanted, row["pattern"]):
            found: Mapping[str, Any] = row
            return found
    return {}


def _repack(row: Mapping[str, Any], hint: Mapping[str, Any], architecture: Architecture) -> Quantization:
    base = scheme(hint.get("scheme", row["scheme"]))
    if "group" in row:
        base = replace(grouped(base.scheme, row["group"]), zero_bits=float(row.get("zero_bits", 0)))
    dtype = row.get("base") or architecture.dtype
    if base.scheme == "none":
        bits = 32.0 if dtype == "fp32" else 16.0
        return replace(base, bits=bits, base_dtype=dtype, compute=dtype)
    ignore = tuple(hint.get("ignore") or _default_ignore(base.scheme, architecture))
    others = tuple(
        (pattern, replace(scheme(name), base_dtype=dtype)) for pattern, name in hint.get("others", {}).items()
    )
    return replace(
        base,
        ignore=ignore,
        overrides=others,
        base_dtype=dtype,
        kv_cache=hint.get("kv_cache"),
        quantize_head=bool(hint.get("head", base.quantize_head)),
        compute=hint.get("compute", base.compute),
    )


def _default_ignore(name: str, architecture: Architecture) -> tuple[str, ...]:
    """What repacks of this scheme usually leave alone on such a model."""
    lists = table("quantization")["ignore"]
    mixers = [m for layer in architecture.layer_kinds for m in layer.mixers]
    latent = any(isinstance(m, LatentAttention) for m in mixers)
    recurrent = any(isinstance(m, Recurrent) for m in mixers)
    forms = [f"{name}_latent"] * latent + [f"{name}_recurrent"] * recurrent + [name, "default"]
    return tuple(next(lists[form] for form in forms if form in lists))


def _gguf(name: str, architecture: Architecture) -> Quantization:
    """A GGUF mix, with its mean bits per weight on this model."""
    layout = gguf_layout(architecture, name)
    held = [*architecture.embeddings, *architecture.head]
    weights = sum(t.numel for t in held) + sum(t.numel for layer in architecture.layers for t in layer.tensors)
    return Quantization(name, bits=8 * layout.file_bytes / max(weights, 1), compute="bf16")
