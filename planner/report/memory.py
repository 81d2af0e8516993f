"""What the choice takes: memory per GPU, as a drawing and as a table of terms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from planner.documents.result import FinetuneResult, ServingMemory
from planner.estimate import Estimate
from planner.report.blocks import (
    Bar,
    Block,
    Cell,
    MemoryChart,
    Paragraph,
    Part,
    Section,
    Table,
)
from planner.report.material import Material
from planner.report.words import FIGURE_HEAD, cells, clean, figure_row, named, number
from planner.units import human_bytes, human_whole

LETTERS = {
    "weights": "W",
    "kv_cache": "K",
    "activations": "A",
    "cuda_graphs": "G",
    "non_torch": "N",
    "context": "C",
    "compute": "B",
    "recurrent": "R",
}
NAMES = {
    "kv_cache": "KV cache",
    "kv_needed": "KV cache that the workload needs",
    "cuda_graphs": "CUDA graphs",
    "non_torch": "outside the framework",
    "context": "driver",
}
NO_LIMIT = float(2**55)
"""Bytes above which a capacity means that none is known."""
MOST_BARS = 16
SMALLEST = 1.0


def memory(material: Material) -> Section:
    """Per GPU, as a drawing and as a table of terms."""
    chosen = material.chosen
    if chosen is None or (chosen.estimate.memory is None and chosen.estimate.finetune is None):
        return Section("Memory", (Paragraph("Nothing is known of its memory."),))
    if chosen.estimate.memory is not None:
        return Section("Memory per GPU", tuple(_serving_blocks(chosen.estimate.memory)))
    result = chosen.estimate.finetune
    return Section("Memory per GPU", tuple(_training_blocks(result)) if result else ())


def _serving_blocks(held: ServingMemory) -> Iterator[Block]:
    gpu = held.per_gpu
    bars = tuple(_device_bars(held)) or (_bar("worst GPU", gpu.total, gpu.capacity.value),)
    yield MemoryChart("Memory of one GPU by purpose", _described(bars), bars)
    fields = ("weights", "kv_cache", "kv_needed", "activations", "cuda_graphs", "non_torch", "total", "capacity")
    rows = [figure_row(_label(name), _known(getattr(gpu, name)), human_bytes) for name in fields]
    if context := gpu.total.terms.get("context"):
        rows.insert(-2, (Cell(_label("context")), Cell(""), number(float(context), human_bytes), Cell(""), Cell("")))
    yield Table("Memory of the GPU that holds most, with ranges", FIGURE_HEAD, tuple(rows))
    tokens = lambda value: f"{value:,.0f} tokens"  # noqa: E731
    more = [
        figure_row("room in the KV cache (one replica)", held.kv_tokens, tokens),
        figure_row("longest requests at once", held.max_concurrency, human_whole),
        figure_row("host memory", held.host_ram, human_bytes),
    ]
    if held.disk is not None:
        more.append((Cell("disk"), Cell(""), number(held.disk, human_bytes), Cell(""), Cell("")))
    yield Table("What it holds, and what it needs beside the GPUs", FIGURE_HEAD, tuple(more))
    yield _terms("Terms of the memory", ((name, getattr(gpu, name)) for name in fields[:-2]))


def _known(estimate: Estimate) -> Estimate | None:
    return estimate if estimate.value < NO_LIMIT else None


def _device_bars(held: ServingMemory) -> Iterator[Bar]:
    """One bar a device, where the engine places buffers itself."""
    capacity = held.per_gpu.capacity.value
    for device in held.devices[:MOST_BARS]:
        parts = {"weights": device.weights, "kv_cache": device.kv_cache, "compute": device.compute}
        if device.recurrent is not None:
            parts["recurrent"] = device.recurrent
        low, value, high = (sum(getattr(p, end) for p in parts.values()) for end in ("low", "value", "high"))
        limit = capacity if capacity < NO_LIMIT and value <= capacity and device.device != "CPU" else None
        sizes = {name: part.value for name, part in parts.items()}
        yield Bar(clean(device.device, 40), _parts(sizes), low, high, limit)


def _bar(label: str, total: Estimate, capacity: float) -> Bar:
    return Bar(label, _parts(total.terms), total.low, total.high, capacity if capacity < NO_LIMIT else None)


def _parts(terms: Mapping[str, float]) -> tuple[Part, ...]:
    return tuple(
        Part(LETTERS.get(name, "X"), NAMES.get(name, named(name)), float(size))
        for name, size in terms.items()
        if size >= SMALLEST
    )


def _label(name: str) -> str:
    letter = LETTERS.get(name)
    return NAMES.get(name, named(name)) + (f" ({letter})" if letter else "")


def _described(bars: tuple[Bar, ...]) -> str:
    texts = []
    for bar in bars:
        parts = ", ".join(f"{part.name} {human_bytes(part.size)}" for part in bar.parts)
        limit = f" of {human_bytes(bar.capacity)}" if bar.capacity else ""
        texts.append(f"{bar.label}: {human_bytes(sum(p.size for p in bar.parts))}{limit}: {parts}.")
    return " ".join(texts)


def _terms(caption: str, figures: Any) -> Table:
    """The named parts of each figure; what is a count stands as a count in base units."""
    rows = []
    for name, figure in figures:
        for term, value in sorted(figure.terms.items(), key=lambda item: (-abs(item[1]), item[0])):
            if value:
                shown = human_bytes(value) if abs(value) >= 1e5 else f"{value:,.6g}"
                rows.append((*cells(_label(name), named(term)), Cell(shown, float(value))))
    return Table(caption, ("figure", "term", "value"), tuple(rows))


def _training_blocks(result: FinetuneResult) -> Iterator[Block]:
    from planner.training.parts import LETTERS as STEP_LETTERS

    parts = tuple(
        Part(STEP_LETTERS.get(name, "X"), named(name), float(size))
        for name, size in result.allocated.terms.items()
        if size >= SMALLEST
    )
    bar = Bar("a step", parts, result.allocated.low, result.allocated.high, result.capacity)
    yield MemoryChart("Memory of one GPU at the peak of a step", _described((bar,)), (bar,))
    fields = ("peak", "reserved", "allocated", "resident", "host_ram")
    rows = tuple(figure_row(named(name), getattr(result, name), human_bytes) for name in fields)
    yield Table("Peaks per GPU, and host memory per node", FIGURE_HEAD, rows)
    yield _terms("Terms of the peak", (("allocated", result.allocated),))
