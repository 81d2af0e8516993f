"""How a deployment lies on its devices, in one word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NAMES = (("attention_dp", "DPA"), ("tp", "TP"), ("pp", "PP"), ("ep", "EP"))


def layout_words(serving: Mapping[str, Any], devices: int) -> str:
    """``TP8``, ``DPA8×EP8``, ``TP8×PP2``, ``2 × TP4``, ``1 GPU``; ``2 GPUs`` where the engine places layers itself."""
    replicas = serving.get("dp", 1)
    parts = [f"{short}{serving[key]}" for key, short in NAMES if serving.get(key, 1) > 1]
    layout = "×".join(parts) or ("1 GPU" if devices <= 1 or replicas > 1 else f"{devices} GPUs")
    return f"{replicas} × {layout}" if replicas > 1 else layout


def layout_text(deployment: Mapping[str, Any], devices: int | None = None) -> str:
    """Of a document; ``devices`` that it uses, where that is not all of its hardware."""
    hardware = deployment.get("hardware", {})
    if hardware.get("accelerator") == "cpu":
        return "CPU"
    count = hardware.get("per_node", 1) * hardware.get("nodes", 1) if devices is None else devices
    return layout_words(deployment.get("serving", {}), count)
