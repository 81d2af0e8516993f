"""A Hugging Face ``config.json`` → ``Architecture``, by the keys it holds.

What a config leaves implicit comes from ``families.toml`` by its ``model_type``; nothing here branches on a name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from planner.models.architecture import Architecture, Layer, Tensor
from planner.models.config_keys import Keys
from planner.models.families import layer_tokens
from planner.models.layers.attention import attention
from planner.models.layers.block import Block, LayerSpec, linear, norm
from planner.models.layers.compressed import compressed
from planner.models.layers.feed_forward import dense, moe
from planner.models.layers.latent import latent
from planner.models.layers.mamba import mamba1, mamba2
from planner.models.layers.notation import lines_of, tensors
from planner.models.layers.pattern import layer_specs
from planner.models.layers.recurrent import gated_delta, kda, lightning, short_conv
from planner.models.layers.towers import read_towers
from planner.models.quantization import quantized
from planner.models.text_config import check_is_model, text_keys


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
DTYPES = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32"}


def architecture_from_config(config: dict[str, Any]) -> Architecture:
    """The architecture that a config describes.

    Raises ``BadInput`` for what is no model config or holds impossible values, ``UnknownArchitecture`` for keys that
    are not understood.
    """
    check_is_model(config)
    keys = text_keys(config)
    layers = layer_specs(keys, layer_tokens())
    kinds = tuple(dict.fromkeys(layers))
    position = {spec: i for i, spec in enumerate(kinds)}
    tied = keys.flag("tie_word_embeddings")
    towers = read_towers(config, keys)
    architecture = Architecture(
        model_type=keys.text("model_type"),
        kind=_kind(keys, config),
        hidden_size=keys.count("hidden_size"),
        vocab_size=keys.count("vocab_size"),
        max_position=keys.optional("max_position_embeddings"),
        layer_kinds=tuple(_layer(keys.layer(spec.values), spec) for spec in kinds),
        layer_order=tuple(position[spec] for spec in layers),
        embeddings=tuple(_embeddings(keys)),
        head=tuple(_head(keys, tied)),
        tied_embeddings=tied,
        dtype=DTYPES.get(keys.text("dtype", "bfloat16").removeprefix("torch."), "bf16"),
        vision=towers.tensors,
        vision_tower=towers.vision,
        doubts=towers.doubts,
    )
    return quantized(architecture, config)


def _kind(keys: Keys, config: Mapping[str, Any]) -> Literal["decoder", "encoder", "reranker"]:
    classes = config.get("architectures")
    ranks = isinstance(classes, list) and any(isinstance(c, str) and "SequenceClassification" in c for c in classes)
    if ranks:
        return "reranker"
    return "encoder" if keys.text("kind") == "encoder" else "decoder"


def _layer(keys: Keys, spec: LayerSpec) -> Layer:
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
    if len(names) == 2 and not (spec.mixers and spec.feed_forward):
        names = names[:1] if spec.mixers else names[1:] if spec.feed_forward else ()
    for name in names:
        yield from norm(name, keys.count("hidden_size"), keys.text("norm_kind", "rms"))


def _embeddings(keys: Keys) -> Iterator[Tensor]:
    hidden, vocab = keys.count("hidden_size"), keys.count("vocab_size")
    yield Tensor(keys.text("embedding_name", "model.embed_tokens"), (vocab, hidden), "embedding", "vocab")
    yield from tensors(lines_of(keys, "extra_model"), keys, part="other")
    yield from norm(keys.text("final_norm", "model.norm"), hidden, keys.text("norm_kind", "rms"))


def _head(keys: Keys, tied: bool) -> Iterator[Tensor]:
    if not keys.flag("has_head", True):
        return
    name, vocab = keys.text("head_name", "lm_head"), keys.count("vocab_size")
    if not tied:
        yield Tensor(name, (vocab, keys.count("hidden_size")), "head", "vocab")
    if keys.flag("head_bias"):
        yield Tensor(f"{name}.bias", (vocab,), "head", "vocab")
