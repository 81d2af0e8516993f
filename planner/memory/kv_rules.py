"""How engines lay out caches, as data: read off the ``kv`` table of a profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from planner.engines.profile import EngineProfile
from planner.memo import IdentityMemo
from planner.models.architecture import Architecture


@dataclass(frozen=True, slots=True)
class CompressorState:
    """What a layer with compressed entries keeps of the tokens that are not yet compressed."""

    up_to_ratio: int
    """Holds for entries that stand for at most so many tokens."""
    window: int
    block: int
    """Tokens per block."""
    element_bytes: float
    """Bytes per token and element of the compressed entry: values and scores, in fp32, once or for two windows."""


@dataclass(frozen=True, slots=True)
class Packed:
    """Pages of different kinds packed side by side into blocks (DeepSeek-V4 on vLLM)."""

    entry_bytes: float
    block: int
    """Tokens of context that one block stands for."""
    window_block: int
    align: int
    states: tuple[CompressorState, ...]


@dataclass(frozen=True, slots=True)
class KvRules:
    """The layout of caches of one engine at one version."""

    style: str = "groups"
    """How layers of different kinds share the pool: ``groups`` of equal pages (vLLM), a ``split`` in fixed ratios
    (SGLang), or what each request needs, ``sum``."""
    packed: Packed | None = None
    """For models with compressed entries; goes before ``style``."""
    state_ratio: float = 0.9
    """Split: memory of recurrent states over memory of tokens."""
    window_ratio: float = 0.8
    """Split: tokens of sliding layers over tokens of full ones."""
    hybrid: bool = True
    """Sliding layers keep their window only; otherwise every layer keeps every token."""
    pad_latent: int = 1
    """Latent entries are padded to a multiple of this many elements."""
    latent: bool = True
    """MLA keeps the latent; otherwise keys and values of every head, both padded."""
    pad_head: int = 256
    """Head size to which keys and values are then padded."""
    packed_fp8_entry_bytes: float = 656.0
    """Bytes of a latent entry under ``fp8_ds_mla``: fp8 latent with a scale per 128, bf16 rotary part."""
    packed_fp8_capabilities: tuple[int, ...] = ()
    """Major compute capabilities on which plain fp8 means ``fp8_ds_mla`` where an indexer selects entries."""
    balance: float = 1.25
    """Groups take the larger layer count while it is below this multiple of the smaller one."""
    state_page_multiple: int = 16
    """Tokens by which a block grows until its page holds a recurrent state."""
    cached_states: int = 1
    """Blocks of recurrent state that a request holds while prefixes are cached (2: the running one and the one of the
    last whole block, ``mamba_cache_mode = align``)."""
    extra_window_block: bool = True
    prints_group_tokens: bool = True
    """The log prints pool ÷ groups for hybrid models."""


_rules: IdentityMemo[KvRules] = IdentityMemo()


def kv_rules(profile: EngineProfile, architecture: Architecture) -> KvRules:
    """The rules of a profile, refined by its rows for the model type."""
    kind = architecture.model_type
    return _rules.get(profile, None, kind, lambda: _read(profile.fact("kv", {}), kind))


def _read(table: Mapping[str, Any], model_type: str) -> KvRules:
    merged = {**table, **table.get("model", {}).get(model_type, {})}
    known = {k: v for k, v in merged.items() if k in KvRules.__dataclass_fields__}
    if "packed_fp8_capabilities" in known:
        known["packed_fp8_capabilities"] = tuple(known["packed_fp8_capabilities"])
    if "packed" in known:
        known["packed"] = _packed(known["packed"])
    return KvRules(**known)


def _packed(table: Mapping[str, Any]) -> Packed:
    states = tuple(CompressorState(**row) for row in table["states"])
    return Packed(**{k: v for k, v in table.items() if k != "states"}, states=states)
