"""Which layer and which experts lie on which device, as llama.cpp places them.

Layers are split over the GPUs in proportion to free memory, equal for equal cards (``llama_model::load_tensors``);
with ``n_gpu_layers`` below the layer count the last ones go to the GPUs; the output matrix counts as one more layer.
``--n-cpu-moe N`` keeps the experts of the first N layers on the host.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

HOST = -1


class Placement(NamedTuple):
    """Device index (``HOST`` for the CPU) of each layer, its experts, and the output matrix."""

    layers: tuple[int, ...]
    experts: tuple[int, ...]
    head: int
    gpus: int
    rows: bool = False
    """Weights split by rows over all GPUs; cache and small tensors on the first."""
    host_layers: int = 0
    host_experts: int = 0
    """Layers whose experts lie on the host although the layer does not; experts of the host's layers all do."""

    @property
    def gpu_layers(self) -> int:
        """As ``n_gpu_layers`` counts them."""
        return len(self.layers) - self.host_layers + (self.head != HOST)


@lru_cache(maxsize=4096)
def place(num_layers: int, gpus: int, gpu_layers: int, host_experts: int, rows: bool = False) -> Placement:
    """``gpu_layers`` (up to layers + 1) on the GPUs, the experts of the first ``host_experts`` layers on the host."""
    on_gpu = min(max(0, gpu_layers), num_layers + 1) if gpus else 0
    first = max(0, num_layers + 1 - on_gpu)
    devices = tuple(HOST if i < first else (i - first) * gpus // on_gpu for i in range(num_layers + 1))
    if rows:
        devices = tuple(min(d, 0) for d in devices)
    layers = devices[:num_layers]
    experts = tuple(HOST if i < host_experts else d for i, d in enumerate(layers))
    away = layers.count(HOST)
    return Placement(layers, experts, devices[num_layers], gpus, rows, away, experts.count(HOST) - away)


@lru_cache(maxsize=4096)
def counted(*columns: tuple[int, ...]) -> tuple[tuple[tuple[int, ...], int], ...]:
    """The different rows of a table given by columns, and how often each occurs."""
    return tuple(Counter(zip(*columns, strict=True)).items())


def fit(num_layers: int, gpus: int, moe: bool, rows: bool, fits: Callable[[Placement], bool]) -> Placement:
    """What ``--fit`` chooses: everything on the GPUs; else experts of as few layers as needed on the host (models with
    experts); else as many layers as fit."""
    everything = place(num_layers, gpus, num_layers + 1, 0, rows)
    if gpus == 0 or fits(everything):
        return everything
    if moe:
        count = _smallest(num_layers, lambda n: fits(place(num_layers, gpus, num_layers + 1, n, rows)))
        if count is not None:
            return place(num_layers, gpus, num_layers + 1, count, rows)
    experts = num_layers if moe else 0
    left = _smallest(num_layers + 1, lambda n: fits(place(num_layers, gpus, num_layers + 1 - n, experts, rows)))
    return place(num_layers, gpus, 0 if left is None else num_layers + 1 - left, experts, rows)


def _smallest(limit: int, holds: Callable[[int], bool]) -> int | None:
    """The smallest n in 0…limit for which a monotone condition holds."""
    if not holds(limit):
        return None
    low, high = 0, limit
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low
