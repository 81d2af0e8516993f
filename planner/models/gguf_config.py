"""GGUF metadata → the keys of a config.json → ``Architecture``. Names and keys are data in ``gguf_architectures.toml``.

Sizes come from metadata, facts that llama.cpp keeps in code from the tensors that are there. In the end the tensors'
elements are compared with the architecture's: a difference is a doubt, not hidden.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from planner.data import read_toml
from planner.errors import BadInput, UnknownArchitecture
from planner.models.architecture import Architecture
from planner.models.gguf_header import LongArray
from planner.models.names import shown

if TYPE_CHECKING:
    from planner.models.gguf import GgufFile

_DATA = "models/gguf_architectures.toml"
STATE_DTYPE = "float32"
"""llama.cpp keeps recurrent states in 32 bits (ggml-org/llama.cpp, llama-memory-recurrent.cpp)."""
TOLERANCE = 0.005
"""Share by which the parameters of file and architecture may differ (frequency tables, converted biases)."""


def architecture_of(file: GgufFile) -> Architecture:
    """The architecture of a GGUF model. Raises ``UnknownArchitecture`` with what the file says."""
    from planner.models.hf_config import architecture_from_config
    from planner.models.parameters import count_parameters

    config = config_of(file)
    try:
        architecture = architecture_from_config(config)
    except UnknownArchitecture as error:
        raise UnknownArchitecture(str(error), {**known_of(file), **error.known}) from error
    if file.missing:
        return architecture
    stored = sum(t.numel for t in file.tensors)
    counted = count_parameters(architecture).total
    if abs(counted - stored) <= TOLERANCE * stored:
        return architecture
    doubt = f"the file holds {stored:,} parameters, its metadata describes {counted:,}"
    return replace(architecture, doubts=(*architecture.doubts, doubt))


def known_of(file: GgufFile) -> dict[str, object]:
    """What a file says of a model whose architecture has no translation."""
    prefix = file.architecture_name + "."
    sizes = {k.removeprefix(prefix): v for k, v in file.metadata.items() if k.startswith(prefix)}
    return {"architecture": file.architecture_name, "bytes": file.tensor_bytes, "tensors": len(file.tensors), **sizes}


def config_of(file: GgufFile) -> dict[str, Any]:
    """The config keys that a file's metadata and tensors stand for."""
    table = read_toml(_DATA)
    name = file.architecture_name
    rule = table["architectures"].get(name)
    if rule is None:
        raise UnknownArchitecture(f"unknown GGUF architecture {shown(name) or 'unnamed'!r}", known_of(file))
    values = {k.removeprefix(name + "."): v for k, v in file.metadata.items() if k.startswith(name + ".")}
    config: dict[str, Any] = {"model_type": _model_type(rule, values), **rule.get("constants", {})}
    for key, target in {**table["keys"], **rule.get("keys", {})}.items():
        if key in values:
            config[target] = _plain(values[key], f"{name}.{key}")
    config |= _from_tensors(file, table["flags"])
    if rule.get("shapes") == "windows":
        config["attention_k_eq_v"] = _some_layer_lacks_values(file)
    _SHAPES[rule.get("shapes", "plain")](config, values)
    extra = config.get("num_nextn_predict_layers")
    if isinstance(extra, int) and isinstance(config.get("num_hidden_layers"), int):
        config["num_hidden_layers"] -= extra
    return {key: value for key, value in config.items() if value is not None}


def _model_type(rule: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    for case in rule.get("when", ()):
        found = values.get(case["key"])
        if found and ("equals" not in case or found == case["equals"]):
            return str(case["model_type"])
    return str(rule["model_type"])


def _plain(value: Any, where: str) -> Any:
    """A per-layer list of equal values is that value; others stay lists."""
    if isinstance(value, LongArray):
        raise BadInput(where, f"has {value.count:,} entries, more than any model has layers")
    if isinstance(value, tuple):
        return value[0] if len(set(value)) == 1 else list(value)
    return value


def _from_tensors(file: GgufFile, flags: Mapping[str, list[str]]) -> dict[str, Any]:
    """Vocabulary, tied embeddings, biases and norms, by the tensors that are there."""
    names = {t.name for t in file.tensors}
    ends = {n.split(".", 2)[2] for n in names if n.startswith("blk.") and n.count(".") >= 2}
    found: dict[str, Any] = {key: bool(ends & set(wanted)) for key, wanted in flags.items() if ends}
    table = file.tensor("token_embd.weight")
    if table is not None and len(table.shape) == 2:
        found["vocab_size"] = table.shape[1]
        found["tie_word_embeddings"] = "output.weight" not in names
    return found


def _some_layer_lacks_values(file: GgufFile) -> bool:
    """Whether a layer has keys and no values of its own, which then are the keys."""
    keys = {t.name for t in file.tensors if t.name.endswith("attn_k.weight")}
    return any(file.tensor(name.replace("attn_k.", "attn_v.")) is None for name in keys)


def _latent(config: dict[str, Any], values: Mapping[str, Any]) -> None:
    """MLA: older files give the sizes of full K and V heads, newer ones those of the latent and ``*_mla``."""
    rope = values.get("rope.dimension_count")
    key = values.get("attention.key_length_mla") or values.get("attention.key_length")
    if isinstance(rope, int) and isinstance(key, int):
        config |= {"qk_rope_head_dim": rope, "qk_nope_head_dim": key - rope}
    config["v_head_dim"] = values.get("attention.value_length_mla") or values.get("attention.value_length")
    config["kv_lora_rank"] = values.get("attention.kv_lora_rank")
    config["q_lora_rank"] = values.get("attention.q_lora_rank")
    config["num_key_value_heads"] = config.get("num_attention_heads")
    config.pop("head_dim", None)


def _delta(config: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Gated delta net layers between full attention (Qwen3-Next and later)."""
    heads, inner = values.get("ssm.time_step_rank"), values.get("ssm.inner_size")
    config |= {
        "full_attention_interval": values.get("full_attention_interval", 4),
        "linear_num_key_heads": values.get("ssm.group_count"),
        "linear_num_value_heads": heads,
        "linear_key_head_dim": values.get("ssm.state_size"),
        "linear_value_head_dim": inner // heads
        if isinstance(inner, int) and isinstance(heads, int) and heads
        else None,
        "linear_conv_kernel_dim": values.get("ssm.conv_kernel"),
        "mamba_ssm_dtype": STATE_DTYPE,
    }
    _scalar_heads(config)


def _mamba(config: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Layers of Mamba-2 between attention: a layer without KV heads is recurrent, or an MLP where it has a width."""
    heads, inner = values.get("ssm.time_step_rank"), values.get("ssm.inner_size")
    size = inner // heads if isinstance(inner, int) and isinstance(heads, int) and heads else None
    config |= {
        "mamba_num_heads": heads, "mamba_n_heads": heads, "mamba_head_dim": size, "mamba_d_head": size,
        "ssm_state_size": values.get("ssm.state_size"), "mamba_d_state": values.get("ssm.state_size"),
        "n_groups": values.get("ssm.group_count"), "mamba_n_groups": values.get("ssm.group_count"),
        "mamba_ssm_dtype": STATE_DTYPE,
        "conv_kernel": values.get("ssm.conv_kernel"), "mamba_d_conv": values.get("ssm.conv_kernel"),
    }  # fmt: skip
    kv = values.get("attention.head_count_kv")
    widths = values.get("feed_forward_length")
    if isinstance(kv, tuple):
        if isinstance(widths, tuple):
            kinds = zip(kv, widths, strict=False)
            moe = "E" if config.get("num_experts") else "-"
            config["hybrid_override_pattern"] = "".join("*" if k else moe if w else "M" for k, w in kinds)
        else:
            config["layer_types"] = ["attention" if k else "mamba" for k in kv]
    _scalar_heads(config)


def _conv(config: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Short convolutions between attention (LFM2): a layer without KV heads is a convolution."""
    kv = values.get("attention.head_count_kv")
    config["conv_L_cache"] = values.get("shortconv.l_cache")
    if isinstance(kv, tuple):
        config["layer_types"] = ["full_attention" if k else "conv" for k in kv]
    _scalar_heads(config)


def _windows(config: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Sliding layers listed one by one; they may have heads of their own (Gemma 4)."""
    pattern = values.get("attention.sliding_window_pattern")
    kv = values.get("attention.head_count_kv")
    if isinstance(pattern, tuple):
        config["layer_types"] = ["sliding_attention" if sliding else "full_attention" for sliding in pattern]
    elif isinstance(pattern, int):
        config["sliding_window_pattern"] = pattern
    if isinstance(pattern, tuple) and isinstance(kv, tuple):
        config["num_key_value_heads"] = next((k for k, s in zip(kv, pattern, strict=False) if s), None)
        config["num_global_key_value_heads"] = next((k for k, s in zip(kv, pattern, strict=False) if not s), None)
    if "attention.key_length_swa" in values:
        config["global_head_dim"] = values.get("attention.key_length")
        config["head_dim"] = values["attention.key_length_swa"]
        config.pop("v_head_dim", None)
    config["enable_moe_block"] = bool(config.get("num_experts"))
    _scalar_heads(config)


def _scalar_heads(config: dict[str, Any]) -> None:
    """One number for sizes that differ by layer only because some layers have none: the commonest above 0."""
    for key in ("num_key_value_heads", "num_attention_heads", "intermediate_size"):
        value = config.get(key)
        if isinstance(value, list):
            counts = Counter(v for v in value if v)
            config[key] = counts.most_common(1)[0][0] if counts else None


def _nothing(config: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Nothing special."""


_SHAPES: Mapping[str, Callable[[dict[str, Any], Mapping[str, Any]], None]] = {
    "plain": _nothing,
    "latent": _latent,
    "delta": _delta,
    "mamba": _mamba,
    "conv": _conv,
    "windows": _windows,
}
