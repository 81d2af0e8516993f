"""Memory bars as letters: W weights, K KV cache, A activations, G graphs, N context, U used by others, · free."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner.documents.inventory import Inventory
    from planner.documents.result import DeviceMemory, FinetuneResult, PlannedDeployment, ServingMemory

LETTERS = {"weights": "W", "kv_cache": "K", "activations": "A", "cuda_graphs": "G", "non_torch": "N"}
NAMES = {
    "W": "weights", "K": "KV cache", "A": "activations", "G": "CUDA graphs", "N": "context",
    "U": "used by others", "·": "free",
}  # fmt: skip
COLOURS = {
    "W": "$text-primary", "K": "$text-success", "A": "$text-warning", "G": "$text", "N": "$text-accent",
    "U": "$text-muted", "·": "$text-muted", "T": "$text-success", "O": "$text", "F": "$text-accent",
    "L": "$text-error", "R": "$text-success",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bar:
    """The memory of one device, or of several that are filled alike."""

    name: str
    parts: tuple[tuple[str, float], ...]
    """Letter and bytes, from the left."""
    capacity: float
    """0: not reported."""
    names: Mapping[str, str] = field(default_factory=lambda: NAMES)
    """What the letters mean."""

    @property
    def share(self) -> float:
        return sum(size for _, size in self.parts) / self.capacity if self.capacity > 0 else 0.0

    def cells(self, width: int) -> str:
        """``WWWWKKA··``; a part of at least half a cell shows."""
        if width <= 0 or not 0 < self.capacity < float("inf"):
            return ""
        cells, filled = "", 0.0
        for letter, size in self.parts:
            filled += size
            cells += letter * (min(width, round(width * filled / self.capacity)) - len(cells))
        return cells.ljust(width, "·")


def bars_of(plan: PlannedDeployment, inventory: Inventory | None) -> tuple[Bar, ...]:
    """One bar for GPUs that are filled alike, one for each device where an engine places layers by itself."""
    if plan.estimate.finetune is not None:
        return _training_bars(plan, plan.estimate.finetune, inventory)
    memory = plan.estimate.memory
    if memory is None:
        return ()
    if len(memory.devices) > 1:
        return tuple(_device_bars(memory, inventory, plan))
    others = _used_by_others(inventory, plan)
    return (Bar(_gpu_name(plan), (*_parts(memory), ("U", others)), memory.per_gpu.capacity.value),)


def _training_bars(plan: PlannedDeployment, result: FinetuneResult, inventory: Inventory | None) -> tuple[Bar, ...]:
    """The fullest moment of a step, as the driver sees it: tensors by part, then what is around them."""
    parts = training_parts(result)
    bar = (*parts.items(), ("N", around(result)), ("U", _used_by_others(inventory, plan)))
    return (Bar(_gpu_name(plan), bar, result.capacity or 0.0, names_of_training()),)


def training_parts(result: FinetuneResult) -> dict[str, float]:
    """Letter → bytes of the tensors at the fullest moment."""
    from planner.training.parts import LETTERS as PARTS

    sizes: dict[str, float] = {}
    for part, letter in PARTS.items():
        sizes[letter] = sizes.get(letter, 0.0) + max(0.0, result.allocated.terms.get(part, 0.0))
    return {letter: size for letter, size in sizes.items() if size > 0}


def around(result: FinetuneResult) -> float:
    """What the driver counts beside the tensors: the allocator's fragments, context, communication buffers."""
    return max(0.0, result.driver.value - sum(training_parts(result).values()))


def names_of_training() -> Mapping[str, str]:
    from planner.training.parts import NAMES as PARTS

    return {**NAMES, **PARTS, "N": "allocator, context"}


def context_of(memory: ServingMemory) -> float:
    """What the driver's context takes: the total less its named parts."""
    gpu = memory.per_gpu
    named = sum(max(0.0, float(getattr(gpu, part).value)) for part in LETTERS)
    return max(0.0, gpu.total.value - named)


def _parts(memory: ServingMemory) -> Sequence[tuple[str, float]]:
    sizes = {letter: max(0.0, getattr(memory.per_gpu, part).value) for part, letter in LETTERS.items()}
    sizes["N"] += context_of(memory)
    return list(sizes.items())


def _gpu_name(plan: PlannedDeployment) -> str:
    if plan.deployment.get("hardware", {}).get("accelerator") == "cpu":
        return "RAM"
    return "GPU0" if plan.gpus_used <= 1 else f"GPU0-{plan.gpus_used - 1}"


def _device_bars(memory: ServingMemory, inventory: Inventory | None, plan: PlannedDeployment) -> Iterator[Bar]:
    gpu, others = memory.per_gpu, _used_by_others(inventory, plan)
    for device in memory.devices:
        parts = [("W", device.weights.value), ("K", _cache(device)), ("A", device.compute.value)]
        if device.device.upper() == "CPU":
            yield Bar("RAM", tuple(parts), _ram(inventory) or 0.0)
        else:
            more = [("N", max(0.0, gpu.non_torch.value)), ("U", others)]
            yield Bar(device.device.replace("CUDA", "GPU"), (*parts, *more), gpu.capacity.value)


def _cache(device: DeviceMemory) -> float:
    return device.kv_cache.value + (device.recurrent.value if device.recurrent else 0.0)


def _ram(inventory: Inventory | None) -> float | None:
    return next((node.host.ram_bytes for node in inventory.nodes if node.host.ram_bytes), None) if inventory else None


def _used_by_others(inventory: Inventory | None, plan: PlannedDeployment) -> float:
    """Of the fullest device of the plan's kind."""
    if inventory is None:
        return 0.0
    kind = plan.deployment.get("hardware", {}).get("accelerator")
    devices = (device for node in inventory.nodes for device in node.devices if device.accelerator == kind)
    return float(max((device.used_bytes or 0 for device in devices), default=0))
