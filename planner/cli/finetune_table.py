"""Training jobs as plain text and Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from planner.cli.plan_parts import escaped, pipe, pipe_table, rejection_lines, rejection_markdown, verdict_line
from planner.cli.tables import VERDICT_MARKS, align, assumed_block, in_unit
from planner.cli.training_cost import energy_and_money_rows, training_cost_block
from planner.documents.result import FinetuneResult, PlanDocument, PlannedDeployment, TrainingFiles
from planner.estimate import Estimate
from planner.training.distill import totals
from planner.training.document import headline
from planner.training.parts import KEY, LETTERS
from planner.units import KILO, human_bytes, human_count, human_hours

HEAD = ("", "#", "method", "trainer", "GPUs", "sharding", "checkpoints", "batch", "peak", "tok/s", "time", "longest")
_SHOWN_REASONS = 6
_KWH = KILO


def finetune_table(document: PlanDocument) -> str:
    """The whole plan for a terminal or a pipe."""
    blocks = [verdict_line(document, "nothing fits"), headline(document)]
    if document.candidates:
        blocks.append(align([HEAD, *(_row(c) for c in document.candidates)]))
        blocks.append(_first(document.candidates[0]))
        if cost := training_cost_block(document.candidates[0].estimate):
            blocks.append(cost)
    if document.stages:
        blocks.append("steps\n" + align(_stage_rows(document), indent="  "))
    if document.rejected:
        blocks.append("ruled out\n" + "\n".join(rejection_lines(document.rejected)))
    if document.assumed:
        blocks.append(assumed_block(document.assumed))
    return "\n\n".join(blocks)


def finetune_markdown(document: PlanDocument) -> str:
    """The same for a ticket."""
    lines = [
        f"# Training plan: {document.verdict}",
        "",
        headline(document),
        "",
        verdict_line(document, "nothing fits"),
        "",
    ]
    if document.candidates:
        lines += [*pipe_table(HEAD, map(_row, document.candidates)), ""]
        if document.stages:
            lines += ["## Steps", "", *map(pipe, _stage_rows(document)), ""]
        lines += ["## Why the first", "", *(f"- {escaped(reason)}" for reason in document.candidates[0].reasons), ""]
    lines += rejection_markdown(document.rejected)
    return "\n".join(lines).rstrip()


def training_block(result: FinetuneResult) -> str:
    """The figures of one job, for ``estimate``."""
    rows = [
        ("peak", in_unit(result.peak, "B")),
        ("reserved", in_unit(result.reserved, "B")),
        ("allocated", in_unit(result.allocated, "B")),
        *((f"  {name.replace('_', ' ')}", human_bytes(value)) for name, value in _largest(result)),
        ("resident", in_unit(result.resident, "B")),
        ("host memory per node", in_unit(result.host_ram, "B")),
        ("longest sequence", f"{result.max_seq_len:,} tokens" if result.max_seq_len is not None else "unknown"),
        ("largest micro-batch", str(result.max_micro_batch) if result.max_micro_batch is not None else "unknown"),
    ]
    blocks = ["training, per GPU\n" + align(rows, indent="  "), "speed\n" + align(_speed_rows(result), indent="  ")]
    if result.files:
        blocks.append("files\n" + align(_file_rows(result.files), indent="  "))
    return "\n\n".join(blocks)


def _largest(result: FinetuneResult) -> list[tuple[str, float]]:
    return sorted(result.allocated.terms.items(), key=lambda part: -part[1])


def _speed_rows(result: FinetuneResult) -> list[tuple[str, str]]:
    rows = [
        ("tokens/s", in_unit(result.tok_s, "")),
        ("tokens/s per GPU", in_unit(result.tok_s_per_gpu, "")),
        ("step", in_unit(result.step_s, "s")),
        ("share of the peak", f"{result.mfu.value:.1%}" if result.mfu else "unknown"),
        ("limited by", result.bound or "unknown"),
    ]
    if result.hours is not None:
        rows.append(("time", f"{human_hours(result.hours.value)}  ({_range(result)})"))
    if result.gpu_hours is not None:
        rows.append(("GPU hours", human_count(round(result.gpu_hours.value, 1))))
    rows += energy_and_money_rows(result)
    return rows


def _range(result: FinetuneResult) -> str:
    hours = result.hours
    return f"{human_hours(hours.low)} – {human_hours(hours.high)}" if hours else ""


def _file_rows(files: TrainingFiles) -> Iterator[tuple[str, str]]:
    yield "base as published", human_bytes(files.base)
    if files.converted is not None and files.conversion_ram is not None:
        yield (
            "converted to bf16",
            f"{human_bytes(files.converted)}, {human_bytes(files.conversion_ram.value)} of memory",
        )
    yield "one checkpoint", f"{human_bytes(files.checkpoint)} and {human_bytes(files.resume)} of states to resume"
    if files.merged is not None:
        yield "merged model", human_bytes(files.merged)
    yield "disk, all together", human_bytes(files.disk)
    yield "memory at save", human_bytes(files.save_ram.value)


def step_bar(proposal: PlannedDeployment, width: int = 40) -> str:
    """A step's memory as letters; empty where the device is not known."""
    result = proposal.estimate.finetune
    if result is None or not result.capacity:
        return ""
    cells, filled = "", 0.0
    for part, letter in LETTERS.items():
        filled += result.allocated.terms.get(part, 0.0)
        cells += letter * (min(width, round(width * filled / result.capacity)) - len(cells))
    return cells.ljust(width, "·")


def _stage_rows(document: PlanDocument) -> Iterator[tuple[str, ...]]:
    for stage in document.stages:
        hours = human_hours(stage.hours.value) if stage.hours else "unknown"
        cells = _cost_cells(stage.gpu_hours, stage.energy_wh, stage.money, stage.currency)
        yield stage.name, stage.about, hours, *cells
    whole = totals(document)
    if "hours" in whole:
        currency = document.stages[0].currency
        cells = _cost_cells(whole.get("gpu_hours"), whole.get("energy_wh"), whole.get("money"), currency)
        yield "together", "", human_hours(whole["hours"].value), *cells


def _cost_cells(
    gpu_hours: Estimate | None, energy_wh: Estimate | None, money: Estimate | None, currency: str
) -> tuple[str, ...]:
    return (
        f"{gpu_hours.value:,.0f} GPU hours" if gpu_hours else "unknown",
        f"{energy_wh.value / _KWH:,.0f} kWh" if energy_wh else "unknown",
        f"{money.value:,.0f} {currency}" if money else "unknown",
    )


def _row(proposal: PlannedDeployment) -> tuple[str, ...]:
    table, result = proposal.deployment["finetune"], proposal.estimate.finetune
    return (
        VERDICT_MARKS[proposal.estimate.verdict],
        f"{proposal.rank}{'*' if proposal.pareto else ''}",
        _method(table),
        table["trainer"],
        str(proposal.gpus_used),
        _sharding(table),
        {True: "yes", False: "no"}.get(table["gradient_checkpointing"], table["gradient_checkpointing"]),
        f"{table['micro_batch']}×{table['grad_accum']}",
        human_bytes(result.allocated.value) if result else "unknown",
        human_count(round(result.tok_s.value)) if result and result.tok_s else "unknown",
        human_hours(result.hours.value) if result and result.hours else "unknown",
        f"{result.max_seq_len:,}" if result and result.max_seq_len is not None else "unknown",
    )


def _method(table: dict[str, object]) -> str:
    if table["method"] != "full":
        return f"{table['method']} r{table.get('lora_rank', '')}"
    return f"full {table['precision']} {table['optimizer']}"


def _sharding(table: dict[str, object]) -> str:
    parallel = table.get("parallel") or {}
    ways = parallel if isinstance(parallel, dict) else {}
    layout = "".join(f" {name.upper()}{ways[name]}" for name in ("tp", "pp", "ep") if ways.get(name, 1) > 1)
    offload = "" if table["offload"] == "none" else f" +{table['offload']} to host"
    return f"{table['sharding']}{layout}{offload}"


def _first(proposal: PlannedDeployment) -> str:
    lines = ["why the first", *(f"  · {reason}" for reason in proposal.reasons[:_SHOWN_REASONS])]
    bar = step_bar(proposal)
    return "\n".join([*lines, f"  a step on a GPU  {bar}", f"  {KEY}"] if bar else lines)
