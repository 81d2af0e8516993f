"""How engines hold weights, as data: read off the ``weights`` table of a profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from planner.engines.profile import EngineProfile
from planner.memo import IdentityMemo
from planner.models.architecture import Architecture, Quantization


@dataclass(frozen=True, slots=True)
class WeightRules:
    """How one engine at one version holds weights; from the ``weights`` table of its profile."""

    vocab_padding: int = 64
    latent_copy_bytes: float = 0.0
    """Per element of MLA's KV up-projection: the absorbed copy beside the weight."""
    expert_hidden_multiple: int = 1
    expert_width_multiple: int = 1
    dense_over_world: bool = False
    """With attention data parallelism plain MLPs and the vocabulary are cut over all ranks instead of one group."""
    share: float = 1.0
    """Resident bytes over stored bytes."""
    constant_bytes: float = 0.0
    expert_share: float = 1.0
    """Resident over stored bytes of routed experts."""
    pad_row_bytes: float = 0.0
    """Added to the rows of unquantised experts whose bytes divide by ``pad_when_multiple``."""
    pad_when_multiple: int = 512
    pad_leftover: float = 0.0
    """Share of a padded down-projection that the allocator does not get back."""
    host_table_rows: int = 1 << 62
    """Lookup tables of at least so many rows (n-grams, engrams) stay in host memory."""
    rope_axes_factor: float = 1.0
    """Times the positions of that table where tokens have positions along several axes."""
    rope_bytes: float = 0.0
    """Per position and rotary element: the table of sines and cosines."""


_rules: IdentityMemo[WeightRules] = IdentityMemo()


def weight_rules(profile: EngineProfile, architecture: Architecture, quantization: Quantization) -> WeightRules:
    """The rules of a profile, refined by its rows for the weight scheme and the model type."""
    key = (quantization.scheme, architecture.model_type)
    return _rules.get(profile, None, key, lambda: _read(profile.fact("weights", {}), *key))


def _read(table: Mapping[str, Any], scheme: str, model_type: str) -> WeightRules:
    merged = {**table, **table.get("scheme", {}).get(scheme, {}), **table.get("model", {}).get(model_type, {})}
    return WeightRules(**{k: v for k, v in merged.items() if k in WeightRules.__dataclass_fields__})
