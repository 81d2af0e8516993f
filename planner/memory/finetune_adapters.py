"""LoRA and DoRA adapters: which modules they sit on and how many parameters they train."""

from __future__ import annotations

from functools import lru_cache

from planner.models.architecture import Architecture, Layer, Tensor
from planner.models.parameters import all_tensors

_TARGETS = {
    "q": ("q_proj", "q_a_proj", "q_b_proj", "query", "wq"),
    "k": ("k_proj", "kv_a_proj_with_mqa", "kv_b_proj", "key", "wk"),
    "v": ("v_proj", "kv_b_proj", "value", "wv"),
    "o": ("o_proj", "out_proj", "dense", "wo"),
    "gate": ("gate_proj", "w1", "gate_up_proj"),
    "up": ("up_proj", "w3", "gate_up_proj", "fc1"),
    "down": ("down_proj", "w2", "fc2"),
}
"""Short target → last part of module names, as model families spell them."""
FUSED = {"qkv_proj", "query_key_value", "c_attn", "Wqkv"}
Targets = str | tuple[str, ...]


@lru_cache(maxsize=512)
def adapter_parameters(architecture: Architecture, rank: int, targets: Targets, magnitudes: bool = False) -> int:
    """Trained parameters: rank × (in + out) for each targeted weight (LoRA, Hu et al. 2021, section 4.1).

    ``targets``: "all-linear", "all-linear+head" or short names. Stacked expert weights count once per expert and only
    where gate, up or down are named outright. ``magnitudes`` (DoRA, Liu et al. 2024): one more per output row.
    """
    total = sum(
        (rank * _sides(tensor) + (_rows(tensor) if magnitudes else 0)) * count
        for tensor, count in all_tensors(architecture)
        if targeted(tensor, targets)
    )
    if targets == "all-linear+head":
        total += rank * (architecture.hidden_size + architecture.vocab_size)
    return total


def _sides(tensor: Tensor) -> int:
    return _stack(tensor) * (tensor.shape[-1] + tensor.shape[-2])


def _rows(tensor: Tensor) -> int:
    return _stack(tensor) * tensor.shape[-2]


def _stack(tensor: Tensor) -> int:
    return tensor.shape[0] if len(tensor.shape) == 3 else 1


def targeted(tensor: Tensor, targets: Targets) -> bool:
    """Whether an adapter sits on this weight."""
    if len(tensor.shape) < 2 or tensor.part in ("embedding", "head", "vision", "router", "norm"):
        return False
    if isinstance(targets, str):
        return tensor.part != "experts" and tensor.quantized
    last = tensor.module.rsplit(".", 1)[-1]
    if last in FUSED:
        return bool({"q", "k", "v"} & set(targets))
    return any(last in _TARGETS.get(target, (target,)) for target in targets)


@lru_cache(maxsize=512)
def smallest_side(architecture: Architecture, targets: Targets) -> int:
    """The smallest dimension of any targeted weight: a larger rank adds nothing. 0 where nothing is targeted."""
    sides = [min(t.shape[-2:]) for t, _ in all_tensors(architecture) if targeted(t, targets)]
    return min(sides, default=0)


def targeted_output_elements(layer: Layer, targets: Targets) -> int:
    """Output elements per token of a layer's targeted dense weights."""
    return sum(t.shape[-2] for t in layer.tensors if t.part != "experts" and targeted(t, targets))
