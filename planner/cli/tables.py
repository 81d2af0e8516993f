"""Results as plain text for a terminal or a pipe: no colour, no toolkit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from planner.units import human_bytes, human_count, human_seconds, human_whole

if TYPE_CHECKING:
    from planner.documents.deployment import Deployment
    from planner.documents.result import Finding, GpuMemory
    from planner.estimate import Estimate

MEMORY_PARTS = (
    ("W", "weights"),
    ("K", "kv_cache"),
    ("A", "activations"),
    ("G", "cuda_graphs"),
    ("N", "non_torch"),
)
"""Letter in the bar and field of ``GpuMemory``, in the order in which a bar shows them."""
VERDICT_MARKS = {"fits": "OK", "tight": "~", "does-not-fit": "NO", "illegal": "!!", "unknown": "?"}


def align(rows: Iterable[Sequence[str]], *, indent: str = "") -> str:
    """Rows of cells as left-aligned columns, two blanks apart."""
    table = [tuple(row) for row in rows]
    count = max((len(row) for row in table), default=0)
    widths = [max((len(row[i]) for row in table if i < len(row)), default=0) for i in range(count)]
    return "\n".join(
        (indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False))).rstrip()
        for row in table
    )


def memory_bar(memory: GpuMemory, width: int = 40) -> str:
    """One GPU's memory as letters: W weights, K KV cache, A activations, G graphs, N non-torch, · free."""
    capacity = memory.capacity.value
    if not 0 < capacity < float("inf"):
        return ""
    cells, filled = "", 0.0
    for letter, part in MEMORY_PARTS:
        filled += getattr(memory, part).value
        cells += letter * (min(width, round(width * filled / capacity)) - len(cells))
    return cells.ljust(width, "·")


def in_unit(estimate: Estimate | None, unit: str) -> str:
    """A figure with its range, in seconds, tokens/s, bytes or plain; "unknown" when nobody knows."""
    if estimate is None:
        return "unknown"
    written = {"s": human_seconds, "B": human_bytes, "requests/s": "{:.3g}".format, "whole": human_whole}
    show = written.get(unit, human_count)
    suffix = f" {unit}" if unit not in ("s", "B", "whole", "") else ""
    text = f"{show(estimate.value)}{suffix}"
    if estimate.low != estimate.high:
        text += f"  ({show(estimate.low)} – {show(estimate.high)})"
    return f"{text}  {estimate.origin}"


def assumed_block(assumed: Mapping[str, object]) -> str:
    """Defaults that were taken, by their dotted keys."""
    return "assumed\n" + align(((key, str(value)) for key, value in sorted(assumed.items())), indent="  ")


def finding_line(finding: Finding) -> str:
    """A finding on one line with its way out."""
    mark = "!" if finding.severity == "error" else "i"
    return f"  {mark} {finding.rule}: {finding.message}" + (f" → {finding.fix}" if finding.fix else "")


def deployment_title(deployment: Deployment) -> str:
    """Model, engine and hardware on one line."""
    model, hardware, engine = deployment.model, deployment.hardware, deployment.engine
    parts = [model.id or model.path or "model", model.weights or ""]
    if engine:
        parts.append(f"{engine.name} {engine.version or ''}".strip())
    if hardware:
        parts.append(f"on {hardware.nodes * hardware.per_node}×{hardware.accelerator or 'unnamed card'}")
    return " · ".join(part for part in parts if part)
