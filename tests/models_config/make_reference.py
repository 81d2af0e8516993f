"""Makes the two files that come from the reference implementation; run by hand where it is installed.

``pip install torch transformers``, then ``python -m tests.models_config.make_reference`` and
``python -m planner.models.compile_tables``. Writes
``planner/models/reference_defaults.json`` (defaults of the configuration classes that say something of sizes) and
``tests/truth/reference_parameters.jsonl`` (parameter counts of models built without weights on the meta device: of
every class at its defaults, and of every config under tests/fixtures/configs).
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "tests" / "fixtures" / "configs"
DEFAULTS = ROOT / "planner" / "models" / "reference_defaults.json"
COUNTS = ROOT / "tests" / "truth" / "reference_parameters.jsonl"

WITHOUT_SIZE = re.compile(
    r"(token_id|token_index|dropout|drop_|_pdrop|initializer|layer_norm_eps|_eps$|eps_|epsilon|rope_|_theta|beta|alpha|"
    r"_loss|jitter|use_cache|_act$|activation|pad_|bos|eos|_std$|scaling|softcap|_implementation|transformers_version|"
    r"router_aux|norm_topk|topk_group|topk_method|scoring|n_group$|num_expert_group|_factor$|time_step_(min|max|floor)|"
    r"pretraining_tp|output_router|query_pre_attn|logit|mask|_limit|rescale|residual|chunk_size|chunk_length|summary|"
    r"classifier|image_token|video_token|position_bias|use_kernel|mamba_kernels|init_|_init|hc_sink|feature_layer|"
    r"select_strategy|original_max|dtype$|final_|embedding_multiplier|multiplier|gate_lower|rms_norm|label|max_window|"
    r"precision|ctc|vocoder|spectro|sample|stft|token_type|seed|eval|return|loss)"
)
KEPT = {
    "qk_rope_head_dim", "downsample_factor", "scale_factor", "init_pos_emb_height", "init_pos_emb_width",
    "max_window_layers", "hidden_act", "activation_function", "mamba_ssm_dtype", "chunk_size", "attention_chunk_size",
    "mamba_ssm_cache_dtype", "mlp_ratio", "mamba_rms_norm", "rms_norm", "expand", "mamba_expand",
}  # fmt: skip
NEVER_DEFAULT = ("hidden_size", "num_hidden_layers", "n_embd", "n_layer", "d_model", "num_layers", "n_layers", "dim")
"""Of a language model: without these a config is incomplete."""
ENCODERS = ("bert", "roberta", "xlm-roberta", "camembert", "eurobert", "gemma4_audio", "gemma3n_audio", "step3p5")


def class_defaults(config: Any, base: set[str], *, tower: bool) -> dict[str, Any]:
    """Numbers, flags and short words that a configuration class declares as defaults."""
    found = {}
    for key in config.to_dict():
        value = getattr(type(config), key, None)
        if key in base or value is None or isinstance(value, property | dict | list | tuple) or value == "auto":
            continue
        fraction = isinstance(value, float) and not value.is_integer()
        if key not in KEPT and (WITHOUT_SIZE.search(key) or fraction):
            continue
        if (tower or key not in NEVER_DEFAULT) and not (isinstance(value, str) and len(value) > 30):
            found[key] = value
    return found


def model_types() -> list[str]:
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
    )

    return sorted({*MODEL_FOR_CAUSAL_LM_MAPPING_NAMES, *MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES, *ENCODERS})


def defaults() -> dict[str, Any]:
    from transformers import AutoConfig, PretrainedConfig

    base = set(PretrainedConfig().to_dict()) - {"tie_word_embeddings"}
    rows: dict[str, dict[str, Any]] = {}
    children: dict[str, dict[str, str]] = {}

    def add(config: Any, name: str) -> None:
        part = getattr(config, "base_config_key", "")
        tower = "vision" in name or "audio" in name or part in ("vision_config", "audio_config")
        rows[name] = class_defaults(config, base, tower=tower)
        for table in getattr(config, "sub_configs", {}):
            inner = getattr(config, table, None)
            if hasattr(inner, "model_type"):
                children.setdefault(name, {})[table] = inner.model_type
                if inner.model_type not in rows:
                    add(inner, inner.model_type)

    for name in model_types():
        try:
            add(AutoConfig.for_model(name), name)
        except Exception as problem:  # whatever the reference implementation cannot make is left out
            sys.stderr.write(f"no defaults of {name}: {problem}"[:120] + "\n")
    source = "huggingface/transformers 5.23.0, defaults of the configuration classes"
    return {"source": source, "defaults": rows, "children": children}


def build(config: Any) -> Any:
    """The model of a config, without weights."""
    import torch
    from transformers import AutoModel, AutoModelForCausalLM, AutoModelForImageTextToText

    for auto in (AutoModelForImageTextToText, AutoModelForCausalLM, AutoModel):
        if type(config) in auto._model_mapping:
            with torch.device("meta"):
                model = auto.from_config(config)
            model.tie_weights()
            return model
    raise ValueError(f"no class for {type(config).__name__}")


def trimmed(config: dict[str, Any]) -> dict[str, Any]:
    """A config without the keys that say nothing of sizes."""
    kept = {}
    for key, value in config.items():
        if key == "per_layer_config":
            kept[key] = value
        elif isinstance(value, dict) and key.endswith("_config"):
            kept[key] = trimmed(value)
        elif key in KEPT or not (WITHOUT_SIZE.search(key) or isinstance(value, dict | float)):
            kept[key] = value
    return kept


def counts() -> Iterator[dict[str, Any]]:
    from transformers import AutoConfig

    for name in model_types():
        yield from counted({"model_type": name}, AutoConfig.for_model, {"model_type": name})
    for path in sorted(CONFIGS.glob("*.json")):
        table = json.loads(path.read_text())
        if table.get("model_type") and not path.name.endswith((".mlc.json", ".hf_quant.json")):
            plain = {k: v for k, v in table.items() if k not in ("quantization_config", "auto_map")}
            yield from counted(plain, AutoConfig.for_model, {"config": path.name})


def counted(table: dict[str, Any], make: Any, row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    name = table["model_type"]
    try:
        config = make(name, **{k: v for k, v in table.items() if k != "model_type"})
        model = build(config)
    except Exception as problem:  # whatever the reference implementation cannot build is left out
        sys.stderr.write(f"not built: {row}: {problem}"[:120] + "\n")
        return
    total = sum(p.numel() for p in {id(p): p for p in model.parameters()}.values())
    keys = {} if "config" in row else {"keys": {**trimmed(config.to_dict()), "model_type": name}}
    yield {**row, "class": type(model).__name__, "total": total, **keys}


if __name__ == "__main__":
    DEFAULTS.write_text(json.dumps(defaults(), indent=0, sort_keys=True) + "\n")
    COUNTS.write_text("".join(json.dumps(row, sort_keys=True) + "\n" for row in counts()))
