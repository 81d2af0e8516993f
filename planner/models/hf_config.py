"""A Hugging Face ``config.json`` → ``Architecture``, by the keys it holds.

What a config leaves implicit comes from ``families.toml`` by its ``model_type``; nothing here branches on a name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from planner.models.architecture import Architecture, Tensor
from planner.models.config_keys import Keys
from planner.models.families import layer_tokens
from planner.models.layers.assemble import layer, prediction_layers
from planner.models.layers.block import norm
from planner.models.layers.notation import lines_of, tensors
from planner.models.layers.pattern import layer_specs
from planner.models.layers.towers import read_towers
from planner.models.quantization import quantized
from planner.models.text_config import check_is_model, doubts_of, model_classes, text_keys

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
        layer_kinds=tuple(layer(keys.layer(spec.values), spec) for spec in kinds),
        layer_order=tuple(position[spec] for spec in layers),
        embeddings=tuple(_embeddings(keys)),
        head=tuple(_head(keys, tied)),
        tied_embeddings=tied,
        dtype=DTYPES.get(keys.text("dtype", "bfloat16").removeprefix("torch."), "bf16"),
        rotary_share=_rotary_share(keys),
        rotary_axes=_AXES if keys.has("mrope_section") or keys.flag("multi_axis_rope") else 1,
        mtp=prediction_layers(keys, layers, layer_tokens()),
        vision=towers.tensors,
        vision_tower=towers.vision,
        classes=model_classes(config),
        doubts=(*doubts_of(keys), *towers.doubts),
    )
    return quantized(architecture, config)


_AXES = 3


def _rotary_share(keys: Keys) -> float:
    """By factor, or by the number of rotated elements of a head."""
    rotated, head = keys.optional("rotary_dim"), keys.optional("head_dim")
    share = rotated / head if rotated and head else keys.number("partial_rotary_factor", 1.0)
    return min(1.0, max(0.0, share))


def _kind(keys: Keys, config: Mapping[str, Any]) -> Literal["decoder", "encoder", "reranker"]:
    classes = config.get("architectures")
    ranks = isinstance(classes, list) and any(isinstance(c, str) and "SequenceClassification" in c for c in classes)
    if ranks:
        return "reranker"
    return "encoder" if keys.text("kind") == "encoder" else "decoder"


def _embeddings(keys: Keys) -> Iterator[Tensor]:
    hidden, vocab = keys.count("hidden_size"), keys.count("vocab_size")
    yield Tensor(keys.text("embedding_name", "model.embed_tokens"), (vocab, hidden), "embedding", "vocab")
    yield from tensors(lines_of(keys, "extra_model"), keys, part="other")
    kind = keys.text("final_norm_kind", keys.text("norm_kind", "rms"))
    yield from norm(keys.text("final_norm", "model.norm"), hidden, kind)


def _head(keys: Keys, tied: bool) -> Iterator[Tensor]:
    if not keys.flag("has_head", True):
        return
    name, vocab = keys.text("head_name", "lm_head"), keys.count("vocab_size")
    if not tied:
        yield Tensor(name, (vocab, keys.count("hidden_size")), "head", "vocab")
    if keys.flag("head_bias"):
        yield Tensor(f"{name}.bias", (vocab,), "head", "vocab")
