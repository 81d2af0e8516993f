"""A Hugging Face ``config.json`` → ``Architecture``, by the keys it holds.

What a config leaves implicit comes from ``families.toml`` by its ``model_type``; nothing here branches on a name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from planner.errors import BadInput, UnknownArchitecture
from planner.models.architecture import Architecture, Layer, Tensor
from planner.models.config_keys import Keys, shown
from planner.models.families import family, family_of_class, spellings
from planner.models.layers.attention import attention
from planner.models.layers.block import Block, LayerSpec, norm
from planner.models.layers.feed_forward import dense, moe
from planner.models.layers.latent import latent
from planner.models.layers.pattern import layer_specs
from planner.models.quantization import read_quantization

BUILDERS: Mapping[str, Callable[[Keys, LayerSpec], Block]] = {
    "attention": attention,
    "latent": latent,
    "dense": dense,
    "moe": moe,
}
DTYPES = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32"}
NESTED = ("text_config", "llm_config", "language_config")


def architecture_from_config(config: dict[str, Any]) -> Architecture:
    """The architecture that a config describes.

    Raises ``BadInput`` for what is no model config or holds impossible values, ``UnknownArchitecture`` for keys that
    are not understood.
    """
    if not isinstance(config, dict) or not config:
        raise BadInput("config.json", f"expected a table of model settings, got {shown(config)}")
    keys = _text_keys(config)
    layers = layer_specs(keys)
    kinds = tuple(dict.fromkeys(layers))
    built = {spec: _layer(keys, spec) for spec in kinds}
    return Architecture(
        model_type=keys.text("model_type"),
        kind="decoder",
        hidden_size=keys.count("hidden_size"),
        vocab_size=keys.count("vocab_size"),
        max_position=keys.optional("max_position_embeddings"),
        layer_kinds=tuple(built[spec] for spec in kinds),
        layer_order=tuple(kinds.index(spec) for spec in layers),
        embeddings=tuple(_embeddings(keys)),
        head=tuple(_head(keys)),
        tied_embeddings=keys.flag("tie_word_embeddings"),
        dtype=DTYPES.get(keys.text("dtype", "bfloat16").removeprefix("torch."), "bf16"),
        quantization=read_quantization(config),
    )


def _text_keys(config: dict[str, Any]) -> Keys:
    """Keys of the language model, with what its family implies."""
    values = config
    for name in NESTED:
        if isinstance(config.get(name), dict):
            values = {**{k: v for k, v in config.items() if k != name}, **config[name]}
    model_type = _model_type(values, config)
    known = family(model_type)
    if known is None:
        raise UnknownArchitecture(f"unknown architecture {model_type!r}", {"keys": sorted(values)[:200]})
    return Keys(values, {"model_type": model_type, **known.defaults}, spellings())


def _model_type(values: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    for source in (values, config):
        name = source.get("model_type")
        if isinstance(name, str) and name:
            return name
    for name in (*(config.get("architectures") or ()), config.get("_config_class")):
        found = family_of_class(name) if isinstance(name, str) else None
        if found:
            return found
    raise UnknownArchitecture("the config names no model_type", {"keys": sorted(config)[:200]})


def _layer(keys: Keys, spec: LayerSpec) -> Layer:
    blocks = [BUILDERS[name](keys, spec) for name in (*spec.mixers, *spec.feed_forward)]
    hidden = keys.count("hidden_size")
    names = keys.texts("layer_norms") or ("input_layernorm", "post_attention_layernorm")
    norms = [t for name in names for t in norm(name, hidden, keys.text("norm_kind", "rms"))]
    return Layer(
        name="+".join((*spec.mixers, *spec.feed_forward)),
        mixers=tuple(m for b in blocks for m in b.mixers),
        feed_forward=next((b.feed_forward for b in reversed(blocks) if b.feed_forward), None),
        tensors=(*norms, *(t for b in blocks for t in b.tensors)),
        caches=tuple(c for b in blocks for c in b.caches),
    )


def _embeddings(keys: Keys) -> Iterator[Tensor]:
    hidden, vocab = keys.count("hidden_size"), keys.count("vocab_size")
    yield Tensor("model.embed_tokens", (vocab, hidden), "embedding", "vocab")
    yield from norm("model.norm", hidden, keys.text("norm_kind", "rms"))


def _head(keys: Keys) -> Iterator[Tensor]:
    if not keys.flag("tie_word_embeddings"):
        yield Tensor("lm_head", (keys.count("vocab_size"), keys.count("hidden_size")), "head", "vocab")
