"""LoRA and DoRA adapters: which modules they sit on and how many parameters they train."""

from __future__ import annotations

from dataclasses import dataclass

from planner.memo import kept
from planner.models.architecture import Architecture, Tensor
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
EXPERTS_TOO = "+experts"
"""In a word of targets, of a model with experts: the stacks and their router count as linear, and take the names of
the dense and shared MLPs with them (peft 0.19 on, over transformers 5; counted by benchmarks/count_training.py)."""
WORDS = ("all-linear", "all-linear+head")
"""Targets in a word; each may have ``EXPERTS_TOO`` behind it."""
Targets = str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Adapters:
    """What is trained beside a frozen base."""

    rank: int
    targets: Targets
    magnitudes: bool = False
    """DoRA (Liu et al. 2024): one more per output row."""
    stacked: bool = False
    """Experts lie in stacks with gate and up in one: an adapter of twice the rank over both (peft, transformers 5)."""


@kept
def adapter_parameters(architecture: Architecture, adapters: Adapters) -> int:
    """Trained parameters: rank × (in + out) for each targeted weight (LoRA, Hu et al. 2021, section 4.1).

    Targets are "all-linear", "all-linear+head" or short names. Expert weights count once per expert, and only where
    gate, up or down are named outright or the trainer counts experts as linear.
    """
    total = sum(
        (adapters.rank * _sides(tensor, adapters.stacked) + (_rows(tensor) if adapters.magnitudes else 0)) * count
        for tensor, count in all_tensors(architecture)
        if targeted(tensor, adapters.targets)
    )
    if isinstance(adapters.targets, str) and "+head" in adapters.targets:
        total += adapters.rank * (architecture.hidden_size + architecture.vocab_size)
    return total


def _sides(tensor: Tensor, stacked: bool) -> int:
    """(in + out) of all experts; twice the rank over gate and up in one is one more out for each of them."""
    once = tensor.shape[-1] + tensor.shape[-2]
    paired = stacked and tensor.part == "experts" and _is_pair(tensor)
    return _stack(tensor) * (once + (tensor.shape[-2] if paired else 0))


def _is_pair(tensor: Tensor) -> bool:
    last = tensor.module.rsplit(".", 1)[-1]
    return last in _TARGETS["gate"] or last in _TARGETS["up"]


def _rows(tensor: Tensor) -> int:
    return _stack(tensor) * tensor.shape[-2]


def _stack(tensor: Tensor) -> int:
    return tensor.shape[0] if len(tensor.shape) == 3 else 1


def targeted(tensor: Tensor, targets: Targets) -> bool:
    """Whether an adapter sits on this weight."""
    if tensor.part == "router" and isinstance(targets, str) and EXPERTS_TOO in targets:
        return len(tensor.shape) > 1
    if len(tensor.shape) < 2 or tensor.part in ("embedding", "head", "vision", "router", "norm"):
        return False
    if isinstance(targets, str):
        apart = ("mlp", "shared_experts") if EXPERTS_TOO in targets else ("experts",)
        return tensor.quantized and tensor.part not in apart
    last = tensor.module.rsplit(".", 1)[-1]
    if last in FUSED:
        return bool({"q", "k", "v"} & set(targets))
    return any(last in _TARGETS.get(target, (target,)) for target in targets)


@kept
def smallest_side(architecture: Architecture, targets: Targets) -> int:
    """The smallest dimension of any targeted weight: a larger rank adds nothing. 0 where nothing is targeted."""
    sides = [min(t.shape[-2:]) for t, _ in all_tensors(architecture) if targeted(t, targets)]
    return min(sides, default=0)


@kept
def adapts_experts(architecture: Architecture, targets: Targets) -> bool:
    """Whether adapters sit on routed experts."""
    return any(t.part == "experts" and targeted(t, targets) for k in architecture.layer_kinds for t in k.tensors)
