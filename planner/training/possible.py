"""What would make full fine-tuning possible where no configuration fits: more of these cards, other cards, or less."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from planner.documents.deployment import FinetuneTable
from planner.documents.result import Rejection
from planner.library import Library
from planner.memory.finetune import training_memory
from planner.memory.finetune_job import job_of
from planner.memory.finetune_verdict import fits
from planner.resolved import Cluster, Device, Link, Resolved
from planner.training.grid import instead
from planner.units import human_bytes

MOST_DEVICES = 4096
RULE = "full-fine-tuning"


@dataclass(frozen=True, slots=True)
class Way:
    """A way to full fine-tuning."""

    words: str
    change: dict[str, Any]


def full_fine_tuning(base: Resolved, table: FinetuneTable, library: Library, tried: int) -> Rejection:
    """Why no full fine-tuning is among the proposals, and the ways to it."""
    light = replace(table, **LIGHTEST)
    resolved = replace(base, finetune=light)
    need = training_memory(resolved).allocated.value
    ways = list(_ways(resolved, library))
    if not ways:
        ways = [Way("a shorter sequence: no number of known cards holds this one on each", {})]
    device = resolved.cluster.device
    message = (
        f"on devices alone the lightest full step needs {human_bytes(need)} "
        f"on each of {resolved.cluster.num_devices} GPUs of {human_bytes(device.memory_bytes)}"
    )
    fix = "; or ".join(way.words for way in ways)
    return Rejection(RULE, message, tried, "full · bf16 · adamw-8bit · fsdp · checkpoints", fix, ways[0].change)


LIGHTEST: dict[str, Any] = {
    "method": "full",
    "sharding": "fsdp",
    "gradient_checkpointing": True,
    "micro_batch": 1,
    "grad_accum": 1,
    "global_batch": None,
    "optimizer": "adamw-8bit",
    "precision": "bf16",
    "parallel": None,
    "offload": "none",
    "lora_rank": None,
    "lora_targets": None,
    "fused_cross_entropy": True,
    "fused_kernels": True,
}


def _ways(resolved: Resolved, library: Library) -> Iterator[Way]:
    cluster = resolved.cluster
    more = _enough(resolved, cluster.device, cluster.link)
    if more and more > cluster.num_devices:
        change = {"hardware.nodes": -(-more // cluster.per_node), "hardware.per_node": min(more, cluster.per_node)}
        yield Way(f"{more} of these cards with FSDP, bf16 and 8-bit AdamW", change)
    yield from _other_cards(resolved, library)
    yield from _offloaded(resolved)


def _other_cards(resolved: Resolved, library: Library) -> Iterator[Way]:
    """The fewest of a larger card, of those that the hardware database has; the first in the list of equal counts."""
    cluster, found = resolved.cluster, []
    rows = {row.id: row for row in library.database.accelerators()}
    for rank, name in enumerate(instead()):
        row = rows.get(name)
        if row is None or row.memory_bytes is None or row.memory_bytes <= cluster.device.memory_bytes * 1.2:
            continue
        count = _enough(resolved, Device(row, row.memory_bytes), cluster.link)
        if count:
            found.append((count, rank, name))
    if found:
        count, _, name = min(found)
        per_node = min(count, 8)
        change: dict[str, Any] = {
            "hardware.accelerator": name,
            "hardware.per_node": per_node,
            "hardware.nodes": count // per_node,
        }
        yield Way(f"{count} × {name}", change)


def _offloaded(resolved: Resolved) -> Iterator[Way]:
    """The same cards with everything that can move in host memory."""
    if resolved.finetune is None:
        return
    table = replace(resolved.finetune, offload="optimizer+params", optimizer="adamw")
    moved = replace(resolved, finetune=table)
    if not fits(job_of(moved)):
        return
    ram = training_memory(moved).host_ram
    if ram is not None:
        words = f"{human_bytes(ram.value)} of host memory per node with offload = optimizer+params (slow)"
        yield Way(words, {"finetune.offload": "optimizer+params"})


def _enough(resolved: Resolved, device: Device, link: Link | None) -> int | None:
    """The smallest power of two of such devices on which the step fits."""
    count = 1
    while count <= MOST_DEVICES:
        per_node = min(count, 8)
        cluster = Cluster(device, per_node, count // per_node, link, resolved.cluster.fabric, resolved.cluster.host)
        if fits(job_of(replace(resolved, cluster=cluster))):
            return count
        count *= 2
    return None
