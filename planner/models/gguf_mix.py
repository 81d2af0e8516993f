"""Which ggml type each tensor of a GGUF file has, by its quantisation mix; the rules are ``gguf_mixes.toml``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from planner.data import read_toml
from planner.memo import kept
from planner.models.architecture import Architecture, Attention, LatentAttention, Layer, MoE, Tensor

_TABLE = "models/gguf_mixes.toml"
_BLOCK = 256
"""Weights of a K or I block; shorter or odd rows need the fallback types."""
_UNKNOWN_SPREAD = 0.15
"""Share by which a file of a mix that no rule names may differ from the nearest rules."""
_PLAIN = {"none": "BF16", "bf16": "BF16", "fp16": "F16", "fp32": "F32", "mxfp4": "MXFP4", "nvfp4": "NVFP4"}


class Rule(NamedTuple):
    """``type`` for tensors of ``kind`` (or of a group, ending in ``*``) where ``when`` holds."""

    kind: str
    when: str
    type: str


class Mix(NamedTuple):
    """A quantisation mix: first rule that holds, else the base type."""

    name: str
    base: str
    rules: tuple[Rule, ...]
    spread: float
    exact: bool
    """The mix is in the table under this name (or an alias)."""


class Place(NamedTuple):
    """Where a tensor stands: the conditions of rules that hold there. Layers of the same place have the same types."""

    holds: frozenset[str]


@lru_cache(maxsize=1)
def type_bits() -> Mapping[str, float]:
    """Bits per weight of every ggml type."""
    return dict(read_toml(_TABLE)["types"])


@lru_cache(maxsize=512)
def gguf_mix(name: str) -> Mix:
    """The mix behind ``gguf:NAME`` (or a plain dtype); an unknown name takes the nearest of equal bits."""
    table = read_toml(_TABLE)
    wanted = _plain_name(name)
    known = _find(wanted, table)
    found = known or _nearest(wanted, table["mixes"])
    row = table["mixes"][found]
    rules = tuple(_rule(r) for r in (*row["rules"], *table["common"]["rules"]))
    spread = row.get("spread", 0.004)
    return Mix(found, row["base"], rules, spread if known else max(spread, _UNKNOWN_SPREAD), known is not None)


@lru_cache(maxsize=512)
def kept_mix(name: str, model_type: str) -> Mix:
    """The mix for a model family, some of whose tensors every file keeps as they were published."""
    mix = gguf_mix(name)
    rows = [
        row for row in read_toml(_TABLE)["kept"] if row["model_type"] == model_type and mix.base not in row["except"]
    ]
    return mix._replace(rules=(*(_rule(row) for row in rows), *mix.rules))


@lru_cache(maxsize=512)
def host_only(scheme: str) -> bool:
    """Whether no GPU kernel reads the weights as they lie in memory (interleaved rows of the CPU kernels)."""
    name = scheme.removeprefix("gguf:").strip().upper()[:80]
    return any(re.fullmatch(pattern, name) for pattern in read_toml(_TABLE)["host_only"]["patterns"])


def tensor_kind(tensor: Tensor) -> str:
    """The kind that mix rules name, from the tensor's part and module."""
    return "plain" if len(tensor.shape) == 1 else _kind(tensor.part, tensor.module, tensor.quantized)


@lru_cache(maxsize=4096)
def _kind(part: str, module: str, quantized: bool) -> str:
    if part in ("norm", "router") or module.endswith((".bias", "_bias")):
        return "plain"
    if part == "embedding":
        return "token_embd"
    if part == "head":
        return "output"
    if part == "recurrent":
        return _recurrent_kind(module, quantized)
    if part in ("attention", "indexer"):
        return _attention_kind(module)
    prefix = {"experts": "exps", "shared_experts": "shexp"}.get(part, "ffn")
    return f"{prefix}_{_projection(module)}" if part in ("experts", "shared_experts", "mlp") else "other"


def tensor_type(tensor: Tensor, mix: Mix, place: Place) -> str:
    """The ggml type of a tensor at a place."""
    kind = tensor_kind(tensor)
    if kind == "plain":
        return "F32"
    wanted = next((r.type for r in mix.rules if r.when in place.holds and _matches(r.kind, kind)), mix.base)
    if tensor.shape[-1] % _BLOCK:
        return str(read_toml(_TABLE)["fallback"].get(wanted, wanted))
    return wanted


@kept
def places(architecture: Architecture) -> tuple[Place, ...]:
    """The place of every layer."""
    count, moe = architecture.num_layers, _most_experts(architecture)
    return tuple(place_at(i, count, moe, _gqa(layer)) for i, layer in enumerate(architecture.layers))


def outside_layers(architecture: Architecture) -> Place:
    """The place of tables and head: as the first layer, without a ratio of heads."""
    return place_at(0, architecture.num_layers, _most_experts(architecture), 1.0)


def _most_experts(architecture: Architecture) -> int:
    blocks = (layer.feed_forward for layer in architecture.layer_kinds)
    return max((block.num_experts for block in blocks if isinstance(block, MoE)), default=0)


def _gqa(layer: Layer) -> float:
    for mixer in layer.mixers:
        if isinstance(mixer, Attention):
            return mixer.num_q_heads / max(1, mixer.num_kv_heads)
        if isinstance(mixer, LatentAttention):
            return float(mixer.num_q_heads)
    return 1.0


def place_at(index: int, count: int, moe: int, gqa: float) -> Place:
    """What holds for a layer of ``count``, with ``moe`` experts and ``gqa`` query heads per KV head."""
    eighth = count // 8
    conditions = {
        "always": True,
        "more_bits": index < eighth or index >= 7 * count // 8 or (index - eighth) % 3 == 2,
        "first_eighth": index < eighth,
        "first_sixteenth": index < count // 16,
        "first_2": index < 2,
        "first_4": index < 4,
        "middle": eighth <= index < 7 * count // 8,
        "gqa4": gqa >= 4,
        "moe": moe >= 4,
        "moe8": moe == 8,
        "layers80": count == 80 and not moe,
    }
    return Place(frozenset(name for name, holds in conditions.items() if holds))


def _matches(pattern: str, kind: str) -> bool:
    if not pattern.endswith("*"):
        return pattern == kind
    if pattern == "dense*":
        return not kind.startswith("exps")
    if pattern.startswith("ffn_"):
        return kind.partition("_")[2] == pattern[4:-1] and kind.partition("_")[0] in ("ffn", "exps", "shexp")
    return kind.startswith(pattern[:-1])


def _recurrent_kind(module: str, quantized: bool) -> str:
    """Small and convolution weights stay plain; the joint input projection is stored as ``attn_qkv``."""
    if not quantized:
        return "plain"
    return "attn_qkv" if "qkv" in module else "recurrent"


def _attention_kind(module: str) -> str:
    name = module.rpartition(".")[2]
    for part, kind in (("kv_b", "attn_kv_b"), ("_a_proj", "attn_other"), ("q_b", "attn_q"), ("qkv", "attn_qkv")):
        if part in name:
            return kind
    for part, kind in (("q_proj", "attn_q"), ("k_proj", "attn_k"), ("v_proj", "attn_v"), ("o_proj", "attn_output")):
        if name.endswith(part):
            return kind
    if name in ("dense", "out_proj", "wo", "c_proj", "proj"):
        return "attn_output"
    return "attn_qkv" if name in ("query_key_value", "W_pack", "c_attn", "wqkv") else "attn_other"


def _projection(module: str) -> str:
    name = module.rpartition(".")[2].lower()
    if "down" in name or name in ("w2", "fc2", "c_proj", "dense_4h_to_h", "output_linear", "wo"):
        return "down"
    return "up" if name in ("up_proj", "w3", "fc1", "c_fc", "dense_h_to_4h") else "gate"


def _rule(row: Mapping[str, Any]) -> Rule:
    return Rule(row["kind"], row.get("when", "always"), row["type"])


def _plain_name(name: str) -> str:
    wanted = name.partition("gguf:")[2] if name.startswith("gguf:") else _PLAIN.get(name, name)
    wanted = re.sub(r"_R(4|8|16)$", "", wanted.strip().upper()[:80])
    return wanted.removesuffix(".GGUF")


def _find(name: str, table: Mapping[str, Any]) -> str | None:
    for form in (name, table["aliases"].get(name, "")):
        if form in table["mixes"]:
            return str(form)
    return None


def _nearest(name: str, mixes: Mapping[str, Any]) -> str:
    """The mix with the longest common start, after the bits in the name; Q4_K_M where nothing is said."""
    bits = re.search(r"(\d)", name)
    same = [m for m in mixes if bits and re.match(rf"(UD-)?(I|T)?Q{bits.group(1)}", m)]
    if not same:
        return "Q4_K_M"
    return max(same, key=lambda m: (_common(m, name), -len(m), m))


def _common(a: str, b: str) -> int:
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
