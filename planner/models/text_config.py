"""Finds the language model inside a config and lays its family's implied keys under it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from planner.errors import BadInput, UnknownArchitecture
from planner.models.config_keys import Keys, shown
from planner.models.families import Family, common_spellings, family, family_of_class, is_neutral, nested_tables

NESTED = ("thinker_config", "text_config", "llm_config", "language_config", "language_model_config")
MAX_KEYS = 20_000
_LONGEST_NAME = 100
NOT_LANGUAGE = {
    "_class_name": "a diffusion pipeline or one of its parts",
    "_diffusers_version": "a diffusion pipeline or one of its parts",
    "tokenizer_class": "a tokenizer's config",
    "chat_template": "a tokenizer's config",
    "image_processor_type": "an image processor's config",
    "peft_type": "an adapter's config",
    "do_sample": "generation settings",
    "weight_map": "a safetensors index",
}


def check_is_model(config: object) -> None:
    """Refuses what is no config of a model at all."""
    if not isinstance(config, dict) or not config:
        raise BadInput("config.json", f"expected a table of model settings, got {shown(config)}", "give config.json")
    if len(config) > MAX_KEYS or not all(isinstance(key, str) for key in config):
        raise BadInput("config.json", f"{len(config):,} keys are too many for a model's settings")


NAMELESS = "llama"
"""The family whose implied keys are fewest: plain attention and MLP without biases."""
SIZES = ("vocab_size", "intermediate_size", "num_attention_heads", "moe_intermediate_size", "num_experts")


def text_keys(config: dict[str, Any]) -> Keys:
    """Keys of the language model; those of the whole stand in where the inner table lacks one."""
    values, outer = _innermost(config)
    name = _model_type(values, outer)
    known = _known(name or NAMELESS, outer, values)
    flat = {**values, **_unfolded(values)}
    ways = {**common_spellings(), **known.spellings}
    return Keys(flat, {**known.implied, "model_type": name}, ways)


def doubts_of(keys: Keys) -> tuple[str, ...]:
    """What the config leaves open. A config without a name is answered only if every key in it was understood."""
    name = keys.text("model_type")
    if name:
        filled = ", ".join(key for key in SIZES if key in keys.filled)
        return (f"not in the config, taken from the defaults of {name}: {filled}",) if filled else ()
    unread = sorted(k for k in keys.values if k not in keys.read and not isinstance(keys.values[k], dict))
    strange = [key for key in unread if not is_neutral(key)]
    if strange or keys.filled & set(SIZES):
        raise _unknown("the config names no model_type, and not all of its keys are understood", keys.values)
    return ("the config names no model_type: taken for a plain decoder by its keys, biases and norms unknown",)


def _innermost(config: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The table of the language model merged over the whole, and the whole."""
    values = config
    for name in NESTED:
        inner = values.get(name)
        if isinstance(inner, dict) and inner:
            check_is_model(inner)
            tied = {"tie_word_embeddings": values["tie_word_embeddings"]} if "tie_word_embeddings" in values else {}
            values = {**{k: v for k, v in values.items() if k != name}, **inner, **tied}
            if "model_type" not in inner:
                values.pop("model_type", None)
    return values, config


def _unfolded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Keys of nested tables that stand beside the others in newer configs."""
    found: dict[str, Any] = {}
    for table, names in nested_tables().items():
        inner = values.get(table)
        if isinstance(inner, dict) and len(inner) <= MAX_KEYS:
            found.update(
                {names.get(k, k): v for k, v in inner.items() if isinstance(k, str) and (k in names or not names)}
            )
            found.update({k: v for k, v in inner.items() if k.endswith("_layers") and isinstance(v, list)})
    return {k: v for k, v in found.items() if k not in values}


def _model_type(values: Mapping[str, Any], outer: Mapping[str, Any]) -> str:
    """By ``model_type``, else what a known wrapper holds, else the class that the config names."""
    stated = values.get("model_type")
    if isinstance(stated, str) and stated:
        return stated
    wrapper = family(str(outer.get("model_type"))[:100])
    if wrapper is not None and values is not outer:
        return wrapper.text or wrapper.name
    for name in (*model_classes(outer), *_own_class(outer)):
        found = family_of_class(name)
        if found:
            return found
    if not isinstance(values.get("hidden_size"), int):
        raise _unknown("the config names no model_type", values)
    return ""


def model_classes(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of a config's ``architectures``; what is no name is left out."""
    listed = config.get("architectures")
    names = (str(name).rpartition(".")[2] for name in (listed[:8] if isinstance(listed, list) else ()))
    return tuple(name for name in names if name.isidentifier() and len(name) <= _LONGEST_NAME)


def _own_class(config: Mapping[str, Any]) -> Iterator[str]:
    name = config.get("_config_class")
    if isinstance(name, str):
        yield name.rpartition(".")[2]


def _known(name: str, outer: Mapping[str, Any], values: Mapping[str, Any]) -> Family:
    found = family(name)
    if found is not None and found.text and values is outer:
        found = family(found.text) or found
    if found is None:
        wrapper = family(str(outer.get("model_type"))[:100])
        found = family(wrapper.text) if wrapper is not None and wrapper.text else wrapper
    if found is None:
        raise _unknown(f"unknown architecture {shown(name)}", values)
    if "unsupported" in found.implied:
        raise _unknown(f"architecture {shown(name)} is not modelled: {found.implied['unsupported']}", values)
    return found


def _unknown(message: str, values: Mapping[str, Any]) -> Exception:
    """What kind of file it is where that shows, else its sizes and the keys that nobody reads."""
    for key, kind in NOT_LANGUAGE.items():
        if key in values and "hidden_size" not in values:
            return BadInput(
                "config.json", f"this is {kind}, not a language model's config", "give the model's config.json"
            )
    sizes = {k: v for k, v in values.items() if isinstance(v, int | str) and not isinstance(v, bool) and len(k) < 60}
    known = {k: shown(v) for k, v in sorted(sizes.items())[:40]}
    return UnknownArchitecture(message, {"keys": sorted(values)[:100], **known})
