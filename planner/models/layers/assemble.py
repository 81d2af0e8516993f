"""Puts a layer together from its blocks, and the layers that predict further tokens from the last of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from planner.models.architecture import Layer, Tensor
from planner.models.config_keys import Keys
from planner.models.layers.attention import attention
from planner.models.layers.block import Block, LayerSpec, linear, norm
from planner.models.layers.compressed import compressed
from planner.models.layers.feed_forward import dense, moe
from planner.models.layers.latent import latent
from planner.models.layers.mamba import mamba1, mamba2
from planner.models.layers.mixer_pattern import mixer_tokens
from planner.models.layers.notation import lines_of, tensors
from planner.models.layers.pattern import spec_of
from planner.models.layers.recurrent import gated_delta, kda, lightning, short_conv

MAX_PREDICTION_LAYERS = 64
SOFTMAX = frozenset(("attention", "latent", "compressed"))


def _square(module: str) -> Callable[[Keys, LayerSpec], Block]:
    """A block that an architecture search has replaced by one matrix."""

    def build(keys: Keys, spec: LayerSpec) -> Block:
        hidden = keys.count("hidden_size")
        return Block(tuple(linear(module, hidden, hidden, part="other")))

    return build


BUILDERS: Mapping[str, Callable[[Keys, LayerSpec], Block]] = {
    "attention": attention,
    "latent": latent,
    "compressed": compressed,
    "gated-delta": gated_delta,
    "kda": kda,
    "lightning": lightning,
    "mamba1": mamba1,
    "mamba2": mamba2,
    "short-conv": short_conv,
    "dense": dense,
    "moe": moe,
    "linear-mixer": _square("self_attn.linear_attn"),
    "linear-feed": _square("mlp.linear_mlp"),
}


def layer(keys: Keys, spec: LayerSpec) -> Layer:
    """One kind of layer; the keys are those that this layer sees."""
    names = (*spec.mixers, *spec.feed_forward)
    blocks = [BUILDERS[name](keys, spec) for name in names]
    extra = tensors(lines_of(keys, "extra_layer"), keys, part="other", spec=spec)
    return Layer(
        name=f"{'+'.join(names) or 'empty'}{f' ({spec.window})' if spec.window else ''}",
        mixers=tuple(m for b in blocks for m in b.mixers),
        feed_forward=next((b.feed_forward for b in reversed(blocks) if b.feed_forward), None),
        tensors=(*_norms(keys, spec), *(t for b in blocks for t in b.tensors), *extra),
        caches=tuple(c for b in blocks for c in b.caches),
    )


def _norms(keys: Keys, spec: LayerSpec) -> Iterator[Tensor]:
    """Norms of the layer; a block left out has none of its own."""
    names = keys.implied.get("layer_norms", ("input_layernorm", "post_attention_layernorm"))
    if "linear_norms" in keys.implied and not SOFTMAX & set(spec.mixers):
        names = keys.implied["linear_norms"]["names"]
    elif len(names) == 2 and not (spec.mixers and spec.feed_forward):
        names = names[:1] if spec.mixers else names[1:] if spec.feed_forward else ()
    for name in names:
        yield from norm(name, keys.count("hidden_size"), keys.text("norm_kind", "rms"))


def prediction_layers(keys: Keys, specs: Sequence[LayerSpec], translate: Mapping[str, str]) -> tuple[Layer, ...]:
    """Multi-token-prediction layers: a decoder layer on the norms of hidden state and embedding, joined by a matrix.

    Their embedding and head are the model's own (DeepSeek-V3 report, section 2.2); some checkpoints store copies.
    """
    count = keys.count("num_nextn_predict_layers", 0, minimum=0, maximum=MAX_PREDICTION_LAYERS)
    if not count or not specs:
        return ()
    blocks = [layer(keys.layer(spec.values), spec) for spec in _prediction_specs(keys, specs, translate)]
    joined = replace(
        blocks[0],
        name=f"mtp: {'+'.join(b.name for b in blocks)}",
        mixers=tuple(m for b in blocks for m in b.mixers),
        feed_forward=next((b.feed_forward for b in blocks if b.feed_forward), None),
        tensors=(*_joint(keys), *(t for b in blocks for t in b.tensors)),
        caches=tuple(c for b in blocks for c in b.caches),
    )
    return (joined,) * count


def _prediction_specs(keys: Keys, specs: Sequence[LayerSpec], translate: Mapping[str, str]) -> list[LayerSpec]:
    """As the config lists them, else the last layer with softmax attention, with an indexer of its own."""
    names = keys.texts("mtp_layers_block_type") or tuple(keys.text("mtp_hybrid_override_pattern"))
    if names and len(names) <= MAX_PREDICTION_LAYERS:
        listed = Keys({**keys.values, "layer_types": list(names)}, keys.implied, keys.spellings, keys.where)
        return [spec_of(listed, 0, token) for token in mixer_tokens(listed, len(names), translate)]
    last = next((s for s in reversed(specs) if SOFTMAX & set(s.mixers)), specs[-1])
    values = tuple(pair for pair in last.values if pair[0] != "has_indexer")
    return [last._replace(feed_forward=keys.words("prediction_feed", "") or specs[-1].feed_forward, values=values)]


def _joint(keys: Keys) -> Iterator[Tensor]:
    hidden = keys.count("hidden_size")
    for name in ("enorm", "hnorm", "shared_head.norm"):
        yield from norm(name, hidden)
    yield from linear("eh_proj", hidden, 2 * hidden, part="other", quantized=False)
