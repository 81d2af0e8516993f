"""A plan as plain text and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from planner.cli.layout import columns_within, width
from planner.cli.money_text import amount, cost_block, cost_rows
from planner.cli.tables import VERDICT_MARKS, align, memory_bar
from planner.documents.result import Cost, Flip, PlanDocument, PlannedDeployment, Rejection
from planner.units import KILO, human_bytes, human_count, human_seconds, human_whole

HEAD = (
    "",
    "#",
    "model",
    "weights",
    "engine",
    "layout",
    "GPUs",
    "context",
    "users",
    "first token",
    "per token",
    "tok/s",
    "kW",
    "a month",
    "a million",
)
_SHOWN_REASONS = 6
_MOST_REJECTED = 12


def plan_table(document: PlanDocument) -> str:
    """The whole plan for a terminal or a pipe."""
    blocks = [_headline(document)]
    if document.candidates:
        blocks.append(columns_within([HEAD, *(_row(c) for c in document.candidates)], width(), keys=3))
        blocks.append(_first(document.candidates[0]))
        if cost := document.candidates[0].estimate.cost:
            blocks.append(cost_block(cost, "what the first costs"))
    if document.sensitivity:
        blocks.append("what flips the choice\n" + align(map(_flip_row, document.sensitivity), indent="  "))
    if document.rejected:
        blocks.append("ruled out\n" + "\n".join(_rejection_lines(document.rejected)))
    if document.assumed:
        rows = [(key, str(value)) for key, value in sorted(document.assumed.items())]
        blocks.append("assumed\n" + align(rows, indent="  "))
    return "\n\n".join(blocks)


def plan_markdown(document: PlanDocument) -> str:
    """The same for a ticket."""
    lines = [f"# Deployment plan: {document.verdict}", "", _headline(document), ""]
    if document.candidates:
        lines += [_pipe(HEAD), _pipe(["---"] * len(HEAD)), *(_pipe(_row(c)) for c in document.candidates), ""]
        lines += ["## Why the first", "", *(f"- {_escaped(r)}" for r in document.candidates[0].reasons), ""]
        lines += _cost_lines(document.candidates[0].estimate.cost)
    if document.sensitivity:
        flips = (f"- {_escaped(' · '.join(_flip_row(flip)))}" for flip in document.sensitivity)
        lines += ["## What flips the choice", "", *flips, ""]
    if document.rejected:
        lines += ["## Ruled out", "", _pipe(("count", "rule", "why", "example", "way out"))]
        lines.append(_pipe(["---"] * 5))
        lines += [_pipe((str(r.count), r.rule, r.message, r.example, r.fix)) for r in document.rejected]
        lines.append("")
    if document.assumed:
        lines += ["## Assumed", "", *(f"- `{k}` = {_escaped(str(v))}" for k, v in sorted(document.assumed.items())), ""]
    return "\n".join(lines).rstrip()


def _flip_row(flip: Flip) -> tuple[str, str, str]:
    instead = flip.instead or "the same still comes first"
    return flip.input, f"{flip.value:g} → {flip.at:.4g}", instead


def _cost_lines(cost: Cost | None) -> list[str]:
    """What the first costs, as a table of Markdown."""
    if cost is None:
        return []
    rows = [_pipe(row) for row in cost_rows(cost)]
    head = [_pipe(("", "dated prices, none of them is current")), _pipe(["---"] * 2)]
    return ["## What the first costs", "", *head, *rows, ""] if rows else []


def _headline(document: PlanDocument) -> str:
    fits = len(document.candidates)
    found = f"{fits} proposal{'s' if fits != 1 else ''}" if fits else "nothing starts"
    ruled_out = sum(r.count for r in document.rejected)
    return (
        f"{VERDICT_MARKS[document.verdict]}  {document.verdict}: {found} from {document.considered} "
        f"configurations, {ruled_out} ruled out"
    )


def _row(proposal: PlannedDeployment) -> tuple[str, ...]:
    model, engine = proposal.deployment["model"], proposal.deployment["engine"]
    estimate = proposal.estimate
    speed = estimate.performance
    context = proposal.deployment.get("serving", {}).get("max_model_len")
    users = users_of(proposal)
    return (
        VERDICT_MARKS[estimate.verdict],
        f"{proposal.rank}{'*' if proposal.pareto else ''}",
        str(model.get("id") or model.get("path")),
        str(model.get("weights") or "as stored"),
        f"{engine['name']} {engine.get('version', '')}".strip(),
        layout_text(proposal.deployment),
        str(proposal.gpus_used),
        human_count(context) if context else "",
        human_whole(users) if users is not None else "unknown",
        human_seconds(speed.ttft_s.value) if speed and speed.ttft_s else "unknown",
        human_seconds(speed.tpot_s.value) if speed and speed.tpot_s else "unknown",
        human_count(round(speed.output_tok_s.value, 1)) if speed and speed.output_tok_s else "unknown",
        *_money_cells(estimate.cost),
    )


def _money_cells(cost: Cost | None) -> tuple[str, str, str]:
    """Power, a month, a million output tokens."""
    if cost is None:
        return "unknown", "unknown", "unknown"
    month, million = (amount(e.value, cost.currency) if e else "unknown" for e in (cost.per_month, cost.per_mtok))
    return f"{cost.power_w.value / KILO:,.1f}" if cost.power_w else "unknown", month, million


def users_of(proposal: PlannedDeployment) -> float | None:
    """Requests of the workload's length that the memory holds at once, all replicas."""
    memory, serving = proposal.estimate.memory, proposal.deployment.get("serving", {})
    if memory is None:
        return None
    workload = proposal.deployment.get("workload", {})
    length = sum(workload.get(key) or 0.0 for key in ("isl", "osl", "context"))
    slots = serving.get("parallel") or serving.get("max_num_seqs", 1) * serving.get("attention_dp", 1)
    held = min(memory.kv_tokens.value / max(length, 1.0), slots)
    return float(held * serving.get("dp", 1))


def layout_text(deployment: dict[str, Any]) -> str:
    """TP, DP attention, PP, EP and replicas above one."""
    serving = deployment.get("serving", {})
    names = (("tp", "TP"), ("attention_dp", "DPA"), ("pp", "PP"), ("ep", "EP"), ("dp", "×"))
    parts = [f"{label}{serving[key]}" for key, label in names if serving.get(key, 1) > 1]
    return " ".join(parts) or "one device"


def _first(proposal: PlannedDeployment) -> str:
    lines = ["why the first", *(f"  · {reason}" for reason in proposal.reasons[:_SHOWN_REASONS])]
    memory = proposal.estimate.memory
    if memory is not None:
        gpu = memory.per_gpu
        used = f"{human_bytes(gpu.total.value)} of {human_bytes(gpu.capacity.value)}"
        lines.append(f"  memory of a device  {memory_bar(gpu)}  {used}")
    return "\n".join(lines)


def _rejection_lines(rejected: tuple[Rejection, ...]) -> Iterator[str]:
    for rejection in rejected[:_MOST_REJECTED]:
        yield f"  {rejection.count:>5} × {rejection.rule}: {rejection.message}"
        yield f"          e.g. {rejection.example}" + (f" → {rejection.fix}" if rejection.fix else "")
    if len(rejected) > _MOST_REJECTED:
        yield f"  … and {len(rejected) - _MOST_REJECTED} more rules (--json has all)"


def _pipe(cells: Any) -> str:
    return "| " + " | ".join(_escaped(str(cell)) for cell in cells) + " |"


def _escaped(text: str) -> str:
    """Text that cannot break a table or become markup."""
    flat = " ".join(text.split())
    return "".join(f"\\{c}" if c in "|`*_<>[]" else c for c in flat)
