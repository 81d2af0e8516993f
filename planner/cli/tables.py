"""Results as plain text for a terminal or a pipe: no colour, no toolkit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from planner.units import human_bytes, human_count, human_seconds, human_whole

if TYPE_CHECKING:
    from planner.documents.deployment import Deployment
    from planner.documents.result import EstimateDocument, Finding, GpuMemory, Performance, ServingMemory
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


def estimate_table(deployment: Deployment, answer: EstimateDocument) -> str:
    """The whole estimate of one deployment."""
    blocks = [f"{VERDICT_MARKS[answer.verdict]}  {answer.verdict}: {deployment_title(deployment)}"]
    if answer.model:
        count = answer.model.parameters
        blocks.append(
            f"{human_count(count.total)} parameters, {human_count(count.active)} active, "
            f"{human_bytes(answer.model.weight_bytes)} of weights"
        )
    if answer.memory:
        blocks.append(_memory_block(answer))
        blocks.append("one node\n" + align(_node_rows(answer.memory), indent="  "))
    if answer.performance:
        blocks.append("speed\n" + _performance_rows(answer.performance))
    if answer.curve or answer.levers or answer.cross_check:
        from planner.cli.outlook_table import outlook_blocks

        blocks += outlook_blocks(answer)
    if answer.finetune:
        from planner.cli.finetune_table import training_block

        blocks.append(training_block(answer.finetune))
    if answer.cost:
        from planner.cli.money_text import cost_block

        blocks.append(cost_block(answer.cost))
    if answer.problems:
        blocks.append("problems\n" + "\n".join(finding_line(f) for f in answer.problems))
    if answer.assumed:
        rows = [(key, str(value)) for key, value in sorted(answer.assumed.items())]
        blocks.append("assumed\n" + align(rows, indent="  "))
    return "\n\n".join(blocks)


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


def _memory_block(answer: EstimateDocument) -> str:
    memory = answer.memory
    if memory is None:
        return ""
    gpu = memory.per_gpu
    rows = [
        (part.replace("_", " "), in_unit(getattr(gpu, part), "B"))
        for part in ("weights", "kv_cache", "kv_needed", "activations", "cuda_graphs", "non_torch", "total", "capacity")
    ]
    rows.append(("room for", in_unit(memory.kv_tokens, "tokens")))
    rows.append(("longest requests at once", in_unit(memory.max_concurrency, "whole")))
    if memory.max_context is not None:
        rows.append(("longest context at this load", in_unit(memory.max_context, "tokens")))
    bar = memory_bar(gpu)
    return "memory per GPU" + (f"   {bar}" if bar else "") + "\n" + align(rows, indent="  ")


def _node_rows(memory: ServingMemory) -> list[tuple[str, str]]:
    """RAM, disk and start of the machine around the devices."""
    rows = [("RAM while serving", in_unit(memory.host_ram, "B"))]
    if memory.host is not None:
        rows.append(("RAM while loading", in_unit(memory.host.loading, "B")))
        if memory.host.pinned.value:
            rows.append(("of it pinned", in_unit(memory.host.pinned, "B")))
        if memory.host.kv_tokens is not None:
            rows.append(("KV cache in RAM", in_unit(memory.host.kv_tokens, "tokens")))
    if memory.disk is not None:
        rows.append(("disk", human_bytes(memory.disk)))
    if memory.startup is not None:
        rows.append(("reading the weights", in_unit(memory.startup.load_s, "s")))
        rows.append(("first answer after", in_unit(memory.startup.start_s, "s")))
        rows.append(("start-up probe waits", human_seconds(memory.startup.probe_s.value)))
    return rows


def _performance_rows(performance: Performance) -> str:
    rows = [
        ("first token", in_unit(performance.ttft_s, "s")),
        ("per token", in_unit(performance.tpot_s, "s")),
        ("one user", in_unit(performance.decode_tok_s, "tok/s")),
        ("prompt", in_unit(performance.prefill_tok_s, "tok/s")),
        ("all users", in_unit(performance.output_tok_s, "tok/s")),
    ]
    rows += [(f"bound of {phase}", bound) for phase, bound in performance.bound.items()]
    return align([*rows, *_tail_rows(performance)], indent="  ")


def _tail_rows(performance: Performance) -> list[tuple[str, str]]:
    """Percentiles, and the limit of an open loop."""
    rows = []
    for label, name in (("first token", "ttft"), ("between tokens", "itl")):
        found = [getattr(performance, f"{name}_p{percent}_s") for percent in (50, 95, 99)]
        if all(found):
            rows.append((f"{label} p50 p95 p99, settled", " · ".join(human_seconds(each.value) for each in found)))
    if performance.stable_request_s and performance.utilisation:
        load = f"{performance.utilisation.value:.0%} used"
        rows.append(("largest stable rate", f"{in_unit(performance.stable_request_s, 'requests/s')}, {load}"))
    return rows
