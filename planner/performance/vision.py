"""Seconds that a request's images take in the vision tower before its prompt is computed."""

from __future__ import annotations

from planner.memo import kept
from planner.models.architecture import Architecture
from planner.performance.chip import Chip
from planner.performance.overheads import Overheads
from planner.resolved import Resolved


@kept
def image_flop(architecture: Architecture, tokens: float) -> float:
    """FLOP of one image of ``tokens`` as the language model sees them.

    Blocks work on patches: 2 per weight and patch, and attention of all patches with each other, 4·patches²·hidden a
    layer; what joins them to the language model works on tokens. Towers that attend in windows take less.
    """
    tower = architecture.vision_tower
    if tower is None:
        return 0.0
    patches = tokens * tower.patches_per_token
    blocks = sum(t.numel for t in architecture.vision if len(t.shape) > 2)
    joined = sum(t.numel for t in architecture.vision if len(t.shape) == 2)
    return 2.0 * (patches * blocks + tokens * joined) + 4.0 * patches**2 * tower.hidden_size * tower.num_layers


def images_s(resolved: Resolved, chip: Chip, over: Overheads) -> float:
    """Seconds of all images of one request on the tensor ranks of one group, at the rate of 16-bit products."""
    architecture, load = resolved.architecture, resolved.workload
    if load.images <= 0 or architecture.vision_tower is None:
        return 0.0
    law = chip.law("gemm", "bf16")
    rate = chip.peak("bf16") * law.compute * over.compute
    tower = architecture.vision_tower
    kernels = tower.num_layers * _KERNELS * law.latency_s * over.latency
    flop = image_flop(architecture, load.image_tokens)
    return load.images * (flop / (resolved.serving.tp * rate) + kernels)


_KERNELS = 6.0
"""Products and attention of a layer."""
