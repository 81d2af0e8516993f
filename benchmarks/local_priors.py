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
    "share": (0.75, 0.15, 0.1, 0.94), "experts_share": (0.65, 0.2, 0.2, 1.0),
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
    "nvidia-geforce": {"share": 0.88, "prefill_share": 0.8, "experts_prefill_share": 0.4, "attention_prefill_share": 0.9},
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
TYPES: Mapping[str, tuple[float, float]] = {"gpu": (0.1, 1.06), "cpu": (0.1, 1.06), "prefill": (0.15, 1.3), "cpu_prefill": (0.2, 2.0)}
"""Table → width of each quantisation's part, highest value."""
ENGINE, BACKEND = 0.15, 0.2
ENGINES: Mapping[str, Mapping[str, float]] = {
    "llama.cpp": {"host_prefill": 0.45}, "ollama": {"prefill": 0.9, "host_decode": 0.9, "host_prefill": 0.45},
    "ik_llama.cpp": {"prefill": 1.1, "host_decode": 1.1}, "ktransformers": {"host_prefill": 0.6},
}  # fmt: skip
"""What engines likely do better or worse than llama.cpp (one where nothing is said)."""


def priors(data: Mapping[str, Any]) -> dict[Key, Prior]:
    """Path of every number that may move → its prior."""
    found: dict[Key, Prior] = {}
    for row in data["devices"]:
        for name, (value, own, shared, top) in DEVICE.items():
            likely = CLASSES[row["name"]].get(name, value)
            found["devices", row["name"], name] = Prior(likely, own, name, shared, top)
    for name, (value, own, top) in HOST.items():
        found["host", name] = Prior(value, own, top=top)
    for part, (own, top) in TYPES.items():
        for kind, value in data["types"][part].items():
            if kind not in ("F32", "F16"):
                found["types", part, kind] = Prior(value, own, f"types.{part}", 0.05, top)
    for name, row in data["engines"].items():
        moves = (*row,) if name not in ("llama.cpp", "default") else ("host_prefill",) if name == "llama.cpp" else ()
        found |= {("engines", name, key): Prior(ENGINES[name].get(key, 1.0), ENGINE) for key in moves}
    for name, row in data["backends"].items():
        found |= {("backends", name, key): Prior(row[key], BACKEND) for key in ("decode", "prefill")}
    return found
