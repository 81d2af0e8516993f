"""The head that EAGLE trains for a target: one decoder layer over the target's hidden states.

Published heads (yuhuili/EAGLE3-LLaMA3.1-Instruct-8B, nvidia/gpt-oss-120b-Eagle3, lmsys/Qwen3-235B-A22B-EAGLE3, 2025)
keep the target's hidden size and attention; EAGLE-3 joins three hidden states (``fc`` 3h → h), feeds the layer
embedding and state side by side, and has an output matrix of its own over 32,000 tokens. The input table is the
target's.
"""

from __future__ import annotations

from dataclasses import replace

from planner.memo import kept
from planner.models.architecture import Architecture, Attention, Dense, Layer, Tensor
from planner.models.hf_config import architecture_from_config

_DRAFT_VOCABULARY = 32_000
_HEAD_DIM, _KV_HEADS = 128, 8
"""Of the head where the target's attention is no grouped-query attention."""
_WIDTH = 6
"""Times the hidden size: the MLP of heads for targets that have none but experts."""


@kept
def eagle_head(target: Architecture, method: str) -> Architecture:
    """A usual head for the target; ``method`` is ``eagle`` or ``eagle3``."""
    joint = method == "eagle3"
    vocabulary = min(_DRAFT_VOCABULARY, target.vocab_size) if joint else target.vocab_size
    plain = architecture_from_config(_config(target, vocabulary))
    layer = plain.layer_kinds[0]
    hidden = target.hidden_size
    extra = [Tensor("fc", (hidden, (3 if joint else 2) * hidden), "other")]
    if joint:
        extra += [replace(t, module=f"{t.module}.state") for t in layer.tensors if t.module.endswith(_FED)]
    whole = replace(layer, tensors=(*layer.tensors, *extra))
    return replace(plain, layer_kinds=(whole,), embeddings=(), head=plain.head if joint else ())


_FED = ("q_proj", "k_proj", "v_proj")
"""Projections that take the embedding and the state, each of the hidden size."""


def _config(target: Architecture, vocabulary: int) -> dict[str, object]:
    heads = _attention(target)
    return {
        "model_type": "llama", "hidden_size": target.hidden_size, "num_hidden_layers": 1,
        "num_attention_heads": heads[0], "num_key_value_heads": heads[1], "head_dim": heads[2],
        "intermediate_size": _width(target), "vocab_size": vocabulary, "tie_word_embeddings": False,
        "max_position_embeddings": 2048,
    }  # fmt: skip


def _attention(target: Architecture) -> tuple[int, int, int]:
    """Query heads, KV heads and head size."""
    mixers = (m for kind in target.layer_kinds for m in kind.mixers if isinstance(m, Attention))
    found = next(mixers, None)
    if found is None:
        heads = max(1, target.hidden_size // _HEAD_DIM)
        return heads, min(_KV_HEADS, heads), _HEAD_DIM
    return found.num_q_heads, found.num_kv_heads, found.head_dim


def _width(target: Architecture) -> int:
    widths = [_dense(kind) for kind in target.layer_kinds]
    return max(widths) or _WIDTH * target.hidden_size


def _dense(kind: Layer) -> int:
    return kind.feed_forward.intermediate_size if isinstance(kind.feed_forward, Dense) else 0
