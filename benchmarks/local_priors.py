"""What the numbers of ``curves/local.toml`` likely are before any case is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from benchmarks.local_cases import Key


class Prior(NamedTuple):
    """A number's likely value, how far (log) its own part may lie from it, and what it shares with its column."""

    value: float
    own: float
    column: str = ""
    shared: float = 0.0
    top: float = 1e30


DEVICE: Mapping[str, tuple[float, float, float, float]] = {
    "share": (0.75, 0.15, 0.1, 0.94), "experts_share": (0.7, 0.2, 0.2, 1.0),
    "layer_s": (5e-5, 0.4, 0.4, 1e-3), "experts_layer_s": (5e-5, 0.4, 0.4, 1e-3),
    "kv_share": (0.5, 0.3, 0.4, 1.0), "latent_kv_share": (0.2, 0.3, 0.4, 1.0),
    "prefill_share": (0.35, 0.3, 0.3, 1.0), "experts_prefill_share": (0.2, 0.3, 0.4, 1.0),
    "attention_prefill_share": (0.4, 0.3, 0.5, 1.2), "latent_prefill_share": (0.12, 0.3, 0.5, 1.0),
    "hop_s": (1.5e-4, 0.2, 0.5, 1e-2), "half_tokens": (10.0, 0.3, 0.8, 300.0),
}  # fmt: skip
"""Column → likely value, width of a class, width of the column, highest value."""
CLASSES: Mapping[str, Mapping[str, float]] = {
    "nvidia-hbm": {"share": 0.57, "prefill_share": 0.25, "experts_prefill_share": 0.12},
    "gb10": {"share": 0.82, "prefill_share": 0.5, "experts_prefill_share": 0.4, "layer_s": 2e-5},
    "nvidia-workstation": {"share": 0.84, "experts_prefill_share": 0.15},
    "nvidia-geforce": {
        "share": 0.88, "prefill_share": 0.8, "experts_prefill_share": 0.4, "attention_prefill_share": 0.9,
    },
    "amd-instinct": {
        "share": 0.35, "prefill_share": 0.06, "experts_prefill_share": 0.03, "attention_prefill_share": 0.07,
        "latent_prefill_share": 0.02, "layer_s": 9e-5, "experts_layer_s": 9e-5, "kv_share": 0.3,
    },
    "amd-unified": {"share": 0.82},
    "amd": {"share": 0.68, "experts_prefill_share": 0.15},
    "apple": {"share": 0.82, "prefill_share": 0.6, "experts_prefill_share": 0.4, "attention_prefill_share": 0.7},
    "intel": {"share": 0.6, "prefill_share": 0.2, "experts_prefill_share": 0.1, "layer_s": 8e-5},
    "other": {"share": 0.5, "prefill_share": 0.2, "experts_prefill_share": 0.1, "layer_s": 8e-5},
}  # fmt: skip
"""Published ratios (sources in the head of the data file)."""
HOST: Mapping[str, tuple[float, float, float]] = {
    "share": (0.7, 0.15, 0.85), "experts_share": (0.9, 0.15, 1.15), "layer_s": (6e-5, 0.5, 1e-3),
    "experts_layer_s": (6e-5, 0.5, 1e-3), "unknown_core_bytes_s": (6e9, 0.3, 1e11), "kv_share": (0.1, 0.5, 1.0),
    "latent_kv_share": (0.045, 0.5, 1.0), "prefill_flop_s": (3.5e12, 0.4, 1e14), "prefill_exponent": (0.5, 0.3, 1.0),
    "attention_prefill_share": (0.8, 0.4, 1.5), "latent_prefill_share": (0.25, 0.4, 1.0),
    "core_bytes_s": (2.5e10, 0.2, 1e11), "core_flop_s": (2.4e11, 0.2, 1e12), "socket_share": (0.36, 0.4, 1.0),
    "unified_share": (0.55, 0.1, 1.0), "stream_share": (0.6, 0.2, 1.0), "stream_bytes_s": (1.5e10, 0.3, 1e11),
}  # fmt: skip
"""Number → likely value, width, highest value."""
TYPES: Mapping[str, Mapping[str, float]] = {
    "gpu": {
        "BF16": 1.0, "Q8_0": 1.0, "Q4_0": 0.95, "Q4_1": 0.95, "Q5_0": 0.93, "Q5_1": 0.93, "Q4_K": 0.9, "Q5_K": 0.92,
        "Q6_K": 0.9, "Q3_K": 0.78, "Q2_K": 0.72, "IQ4_NL": 0.88, "IQ4_XS": 0.88, "IQ3_S": 0.6, "IQ3_XXS": 0.65,
        "IQ2_S": 0.62, "IQ2_XS": 0.6, "IQ2_XXS": 0.6, "IQ1_S": 0.5, "IQ1_M": 0.5, "MXFP4": 0.95, "default": 0.85,
    },
    "cpu": {
        "BF16": 1.0, "Q8_0": 1.0, "Q4_0": 0.97, "Q4_K": 0.97, "Q5_K": 0.93, "Q6_K": 0.93, "Q3_K": 0.8, "Q2_K": 0.75,
        "IQ4_NL": 0.9, "IQ4_XS": 0.88, "IQ3_S": 0.55, "IQ3_XXS": 0.55, "IQ2_S": 0.45, "IQ2_XS": 0.45, "IQ2_XXS": 0.45,
        "IQ1_S": 0.4, "IQ1_M": 0.4, "default": 0.8,
    },
    "prefill": {"BF16": 0.95, "Q8_0": 1.0, "Q4_0": 0.9, "default": 0.82},
    "cpu_prefill": {
        "BF16": 1.0, "Q8_0": 1.2, "Q4_0": 1.2, "IQ4_NL": 1.1, "Q4_K": 1.0, "Q5_K": 1.0, "Q6_K": 1.0, "Q3_K": 1.0,
        "Q2_K": 1.0, "IQ4_KT": 0.6, "IQ3_KT": 0.6, "IQ2_KT": 0.6, "default": 1.0,
    },
}  # fmt: skip
"""Table → quantisation → its likely speed against F16: instructions of the unpacking kernels."""
TYPE_WIDTHS: Mapping[str, tuple[float, float]] = {
    "gpu": (0.1, 1.06), "cpu": (0.1, 1.06), "prefill": (0.15, 1.3), "cpu_prefill": (0.2, 2.0),
}  # fmt: skip
"""Table → width of each quantisation's part, highest value."""
ENGINE, SAME, BACKEND = 0.15, 0.05, 0.2
SAME_KERNELS = ("prefill", "decode")
"""What all engines of the family share on a GPU: ggml's kernels."""
ENGINES: Mapping[str, Mapping[str, float]] = {
    "ollama": {"prefill": 0.95, "host_decode": 0.9, "host_prefill": 0.45},
    "ik_llama.cpp": {"prefill": 1.1, "host_decode": 1.1}, "ktransformers": {"host_prefill": 0.6},
}  # fmt: skip
"""What engines likely do better or worse than llama.cpp (one where nothing is said)."""


BACKENDS: Mapping[str, Mapping[str, float]] = {"vulkan": {"decode": 1.0, "prefill": 0.7}}


def priors(data: Mapping[str, Any]) -> dict[Key, Prior]:
    """Path of every number that may move → its prior."""
    found: dict[Key, Prior] = {}
    for row in data["devices"]:
        for name, (value, width, shared, top) in DEVICE.items():
            likely = CLASSES[row["name"]].get(name, value)
            found["devices", row["name"], name] = Prior(likely, width, name, shared, top)
    for name, (value, width, top) in HOST.items():
        found["host", name] = Prior(value, width, top=top)
    return found | _types() | _engines(data)


def _types() -> dict[Key, Prior]:
    """Quantisations."""
    found: dict[Key, Prior] = {}
    for part, (width, top) in TYPE_WIDTHS.items():
        for kind, value in TYPES[part].items():
            found["types", part, kind] = Prior(value, width, f"types.{part}", 0.05, top)
    return found


def _engines(data: Mapping[str, Any]) -> dict[Key, Prior]:
    """Engines against llama.cpp, and portable backends."""
    found: dict[Key, Prior] = {("engines", "llama.cpp", "host_prefill"): Prior(0.45, ENGINE)}
    for name, row in data["engines"].items():
        if name not in ("llama.cpp", "default"):
            for key in row:
                width = SAME if key in SAME_KERNELS else ENGINE
                found["engines", name, key] = Prior(ENGINES[name].get(key, 1.0), width)
    for name, values in BACKENDS.items():
        found |= {("backends", name, key): Prior(value, BACKEND) for key, value in values.items()}
    return found
