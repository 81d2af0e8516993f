"""A plan as plain text and as Markdown."""

from __future__ import annotations

from planner.cli.cost_block import cost_block, cost_rows
from planner.cli.layout import columns_within, width
from planner.cli.plan_parts import escaped, pipe_table, rejection_lines, rejection_markdown, verdict_line
from planner.cli.tables import VERDICT_MARKS, align, assumed_block, memory_bar
from planner.documents.result import Cost, Flip, PlanDocument, PlannedDeployment
from planner.units import KILO, human_bytes, human_count, human_seconds, human_whole
from planner.words.layout import layout_text
from planner.words.money import amount
from planner.words.plan import users_of

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
_MEANING = {
    "*": "none of the others is better in every figure",
    "~": "starts, with little memory to spare or something to do first (estimate says what)",
    "users": "requests of this length that the memory holds at once",
    "tok/s": "of all users together",
    "layout": "TP tensor, PP pipeline, EP expert parallel, DPA attention groups, ×N replicas",
}
"""What the table's signs and short words mean."""


def plan_table(document: PlanDocument) -> str:
    """The whole plan for a terminal or a pipe."""
    blocks = [verdict_line(document, "nothing starts")]
    if document.candidates:
        blocks.append(columns_within([HEAD, *(_row(c) for c in document.candidates)], width(), keys=3))
        blocks.append(_legend(document.candidates))
        blocks.append(_first(document.candidates[0]))
        if cost := document.candidates[0].estimate.cost:
            blocks.append(cost_block(cost, "what the first costs"))
    if document.sensitivity:
        blocks.append("what flips the choice\n" + align(map(_flip_row, document.sensitivity), indent="  "))
    if document.rejected:
        blocks.append("ruled out\n" + "\n".join(rejection_lines(document.rejected)))
    if document.assumed:
        blocks.append(assumed_block(document.assumed))
    return "\n\n".join(blocks)


def plan_markdown(document: PlanDocument) -> str:
    """The same for a ticket."""
    lines = [f"# Deployment plan: {document.verdict}", "", verdict_line(document, "nothing starts"), ""]
    if document.candidates:
        lines += [*pipe_table(HEAD, map(_row, document.candidates)), ""]
        lines += ["## Why the first", "", *(f"- {escaped(r)}" for r in document.candidates[0].reasons), ""]
        lines += _cost_lines(document.candidates[0].estimate.cost)
    if document.sensitivity:
        flips = (f"- {escaped(' · '.join(_flip_row(flip)))}" for flip in document.sensitivity)
        lines += ["## What flips the choice", "", *flips, ""]
    lines += rejection_markdown(document.rejected)
    if document.assumed:
        lines += ["## Assumed", "", *(f"- `{k}` = {escaped(str(v))}" for k, v in sorted(document.assumed.items())), ""]
    return "\n".join(lines).rstrip()


def _flip_row(flip: Flip) -> tuple[str, str, str]:
    instead = flip.instead or "the same still comes first"
    return flip.input, f"{flip.value:g} → {flip.at:.4g}", instead


def _cost_lines(cost: Cost | None) -> list[str]:
    """What the first costs, as a table of Markdown."""
    if cost is None:
        return []
    rows = list(cost_rows(cost))
    table = pipe_table(("", "dated prices, none of them is current"), rows)
    return ["## What the first costs", "", *table, ""] if rows else []


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
        layout_text(proposal.deployment, proposal.gpus_used),
        str(proposal.gpus_used),
        human_count(context) if context else "",
        human_whole(users) if users is not None else "unknown",
        human_seconds(speed.ttft_s.value) if speed and speed.ttft_s else "unknown",
        human_seconds(speed.tpot_s.value) if speed and speed.tpot_s else "unknown",
        human_count(round(speed.output_tok_s.value, 1)) if speed and speed.output_tok_s else "unknown",
        *_money_cells(estimate.cost),
    )


def _legend(proposals: tuple[PlannedDeployment, ...]) -> str:
    """The signs and words of the table that need one."""
    marks = {VERDICT_MARKS[p.estimate.verdict] for p in proposals} | (
        {"*"} if any(p.pareto for p in proposals) else set()
    )
    words = {"users", "tok/s"} | ({"layout"} if any(p.gpus_used > 1 for p in proposals) else set())
    return "\n".join(f"  {sign:<8}{text}" for sign, text in _MEANING.items() if sign in marks | words)


def _money_cells(cost: Cost | None) -> tuple[str, str, str]:
    """Power, a month, a million output tokens."""
    if cost is None:
        return "unknown", "unknown", "unknown"
    month, million = (amount(e.value, cost.currency) if e else "unknown" for e in (cost.per_month, cost.per_mtok))
    return f"{cost.power_w.value / KILO:,.1f}" if cost.power_w else "unknown", month, million


def _first(proposal: PlannedDeployment) -> str:
    lines = ["why the first", *(f"  · {reason}" for reason in proposal.reasons[:_SHOWN_REASONS])]
    lines += [f"  ! {p.message}" + (f" → {p.fix}" if p.fix else "") for p in proposal.estimate.problems]
    memory = proposal.estimate.memory
    if memory is not None:
        gpu = memory.per_gpu
        used = f"{human_bytes(gpu.total.value)} of {human_bytes(gpu.capacity.value)}"
        lines.append(f"  memory of a device  {memory_bar(gpu)}  {used}")
    return "\n".join(lines)
