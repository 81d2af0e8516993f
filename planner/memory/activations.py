"""The activation peak that an engine measures before it sizes its KV pool.

Newer engines run one step of ``max_num_batched_tokens`` tokens and then the sampler over ``max_num_seqs`` rows of
logits; with large vocabularies the sampler is the peak, so that the peak hardly depends on the model's size, on its
context or on tensor parallelism. Older ones ran the whole context.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from planner.engines.profile import EngineProfile
from planner.memo import IdentityMemo, kept
from planner.memory.layout import Layout
from planner.models.architecture import Architecture, Dense, LatentAttention, MoE, Quantization, Recurrent
from planner.resolved import Serving

_BF16 = 2.0
_PATCHES = 4
"""Patches that encoders merge into one token."""


@dataclass(frozen=True, slots=True)
class ActivationRules:
    """Coefficients of the peak; from the ``activations`` table of a profile."""

    constant_bytes: float = 0.0
    hidden_factor: float = 1.0
    """Times tokens × hidden size × 2 B: what stays alive of the step while the sampler runs."""
    sampler_bytes: float = 16.0
    """Per row of logits and vocabulary entry."""
    moe_factor: float = 1.0
    """Times the workspaces of routed experts: kept from the step on."""
    forward_factor: float = 1.0
    """Times the widest intermediate results of one layer: the peak of the step itself."""
    recurrent_factor: float = 0.0
    """Times the convolution window of a recurrent layer: its projections, convolutions and states by chunk, a token."""
    latent_factor: float = 1.0
    """Times the up-projected keys and values of a chunk of cached context (MLA prefill)."""
    latent_chunk_tokens: float = 65_536.0
    latent_kept_bytes: float = 0.0
    """Workspaces of MLA kernels that stay through the step and the sampler."""
    vision_factor: float = 1.0
    """Times what the encoder of one image of the largest size holds."""
    vision_tokens: float = 16_384.0
    """Tokens of the largest image where the model does not say."""
    low: float = 0.12
    high: float = 0.12
    """How far a measurement may lie off, as shares of the peak."""


_rules: IdentityMemo[ActivationRules] = IdentityMemo()


def activation_rules(profile: EngineProfile, architecture: Architecture, quantization: Quantization) -> ActivationRules:
    """The coefficients of a profile, refined by its rows for the weight scheme and the model type."""
    key = (quantization.scheme, architecture.model_type)
    return _rules.get(profile, None, key, lambda: _read_rules(profile.fact("activations", {}), *key))


def _read_rules(table: Mapping[str, Any], scheme: str, model_type: str) -> ActivationRules:
    merged = {**table, **table.get("scheme", {}).get(scheme, {}), **table.get("model", {}).get(model_type, {})}
    return ActivationRules(**{k: v for k, v in merged.items() if k in ActivationRules.__dataclass_fields__})


@dataclass(frozen=True, slots=True)
class Widths:
    """Bytes per token of the widest results of a model under a layout."""

    hidden: float
    layer: float
    """Of the widest plain layer: QKV or gate and up, with input and output."""
    moe: float
    """Of the workspaces of routed experts."""
    latent: float
    """Of up-projected K and V of one token of context."""
    recurrent: float = 0.0
    """Of the widest convolution window of a recurrent layer."""
    vision: float = 0.0
    """Of one token of an image: four patches through the encoder's MLP, and its embedding."""
    image_tokens: int | None = None


def widths(architecture: Architecture, layout: Layout) -> Widths:
    """Read off the layers once per layout."""
    key = (layout.tp, layout.expert_tp, layout.ep)
    return _read_widths(architecture, *key)


@kept
def _read_widths(architecture: Architecture, tp: int, expert_tp: int, ep: int) -> Widths:
    hidden = architecture.hidden_size
    plain = moe = latent = recurrent = 0.0
    for layer in architecture.layer_kinds:
        shape = layer.feed_forward
        if isinstance(shape, Dense):
            plain = max(plain, (3 if shape.gated else 2) * shape.intermediate_size / tp)
        elif isinstance(shape, MoE):
            width = ceil(shape.intermediate_size / expert_tp)
            moe = max(moe, shape.experts_per_token / ep * (max(2.0 * width, hidden) + width))
            plain = max(plain, 3.0 * shape.shared_intermediate_size / tp)
        for mixer in layer.mixers:
            if isinstance(mixer, LatentAttention):
                heads = ceil(mixer.num_q_heads / tp)
                latent = max(latent, heads * (mixer.qk_nope_head_dim + mixer.v_head_dim))
            elif isinstance(mixer, Recurrent):
                recurrent = max(recurrent, mixer.conv_elements / tp)
    tower = architecture.vision_tower
    vision = hidden + _PATCHES * (tower.hidden_size + tower.intermediate_size) if tower else 0
    tokens = tower.tokens_per_image if tower else None
    return Widths(
        hidden=hidden * _BF16,
        layer=(plain + 2 * hidden) * _BF16,
        moe=moe * _BF16,
        latent=latent * _BF16,
        recurrent=recurrent * _BF16,
        vision=vision * _BF16,
        image_tokens=tokens,
    )


def activation_peak(
    architecture: Architecture, serving: Serving, rules: ActivationRules, layout: Layout
) -> Mapping[str, float]:
    """Bytes by name of what is alive at the peak.

    peak = constant + max(step, sampler): the step holds the widest layer, the sampler ``sampler_bytes`` per row and
    vocabulary entry besides the hidden states; workspaces of experts and of MLA's chunked context stay through both.
    """
    sizes = widths(architecture, layout)
    tokens = float(serving.max_num_batched_tokens)
    rows = float(min(serving.max_num_seqs, serving.max_num_batched_tokens))
    kept = rules.moe_factor * tokens * sizes.moe
    mixing = rules.recurrent_factor * sizes.recurrent + 2 * sizes.hidden if sizes.recurrent else 0.0
    step = rules.forward_factor * tokens * max(sizes.layer, mixing)
    sampler = rows * architecture.vocab_size * rules.sampler_bytes + rules.hidden_factor * tokens * sizes.hidden
    chunk = min(rules.latent_chunk_tokens, max(8.0 * serving.max_model_len, 4.0 * rows * serving.block_size))
    latent = rules.latent_factor * chunk * sizes.latent
    parts = {"constant": rules.constant_bytes, "expert_workspace": kept}
    if sizes.vision:
        parts["vision"] = rules.vision_factor * (sizes.image_tokens or rules.vision_tokens) * sizes.vision
    if sizes.latent:
        parts["latent_workspace"] = rules.latent_kept_bytes
    if sampler >= step + latent:
        parts["sampler"] = sampler
    else:
        parts["step"], parts["latent_context"] = step, latent
    return parts
