"""The question, the choice and why, the alternatives, and what was ruled out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from planner.documents.result import Cost, EstimateDocument, Performance, PlannedDeployment
from planner.report.blocks import Block, Bullets, Cell, Paragraph, Section, Table
from planner.report.material import Material
from planner.report.words import (
    FIGURE_HEAD,
    UNKNOWN,
    VERDICTS,
    cells,
    clean,
    counted,
    figure_row,
    number,
    plural,
    said,
    shower,
    some,
)
from planner.units import human_bytes, human_count, human_hours, human_seconds, human_whole
from planner.words.layout import layout_text
from planner.words.money import amount
from planner.words.plan import users_of

MOST_REASONS = 12
SERVING_HEAD = (
    "rank",
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
    "verdict",
)
TRAINING_HEAD = ("rank", "method", "weights", "trainer", "sharding", "GPUs", "peak per GPU", "tok/s", "time", "verdict")
PARETO = "An asterisk marks proposals that no other beats in every respect."


def question(material: Material) -> Section:
    """What was asked, defaults included."""
    request = material.plan.request
    rows = _asked(request, "")
    ruled_out = sum(r.count for r in material.plan.rejected)
    found = plural(len(material.plan.candidates), "proposal")
    text = f"{found} from {material.plan.considered:,} configurations; {ruled_out:,} were ruled out."
    return Section("Question", (Paragraph(text), Table("The question as understood", ("", "asked"), some(rows))))


def _asked(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _asked(value, f"{prefix}{key}.")
        elif isinstance(value, list | tuple):
            yield prefix + key, ", ".join(str(said(item)) for item in value)
        else:
            yield prefix + key, said(value)


def choice(material: Material) -> Section:
    """The first proposal, or that there is none."""
    chosen = material.chosen
    if chosen is None:
        return Section("Choice", (Paragraph("Nothing starts on this hardware; see what was ruled out.", True),))
    estimate = chosen.estimate
    blocks: list[Block] = [Paragraph(_sentence(chosen), True)]
    blocks.append(Table("In figures", FIGURE_HEAD, _figures(chosen)))
    if chosen.reasons:
        blocks.append(Bullets(tuple(clean(r) for r in chosen.reasons[:MOST_REASONS]), "Why this one"))
    if estimate.problems:
        blocks.append(Bullets(tuple(clean(f"{p.rule}: {p.message}") for p in estimate.problems), "To be looked at"))
    return Section("Choice", tuple(blocks))


def _sentence(chosen: PlannedDeployment) -> str:
    deployment = chosen.deployment
    model, engine = deployment["model"], deployment.get("engine") or {}
    runner = f"{engine.get('name', '')} {engine.get('version', '')}".strip()
    if "finetune" in deployment:
        table = deployment["finetune"]
        runner, layout = str(table.get("trainer") or ""), f"{table.get('method')}, {table.get('sharding')}"
    else:
        layout = layout_text(deployment)
    what = f"{_model_name(model)} in {model.get('weights') or 'its stored format'} with {runner}"
    where = f"on {plural(chosen.gpus_used, 'GPU')}" if chosen.gpus_used else "on the processor"
    return clean(f"{what} {where} ({layout}): {VERDICTS[chosen.estimate.verdict]}.")


def _model_name(model: Mapping[str, Any]) -> str:
    return str(model.get("id") or model.get("path") or "the model of the document")


def _figures(chosen: PlannedDeployment) -> tuple[tuple[Cell, ...], ...]:
    """What people decide by."""

    estimate, rows = chosen.estimate, list(_model_rows(chosen.estimate))
    if held := estimate.memory:
        rows.append(figure_row("memory per GPU, fullest", held.per_gpu.total, human_bytes))
    if result := estimate.finetune:
        rows.append(figure_row("peak memory per GPU", result.peak, human_bytes))
        rows.append(figure_row("tokens per second", result.tok_s, counted))
        rows.append(figure_row("time of the run", result.hours, human_hours))
        rows.append(figure_row("money of the run", result.money, lambda value: amount(value, result.currency)))
        return tuple(rows)
    speed, given = estimate.performance or Performance(), estimate.cost or Cost()
    rows.append(figure_row("first token", speed.ttft_s, human_seconds))
    rows.append(figure_row("each further token", speed.tpot_s, human_seconds))
    rows.append(figure_row("all users, output tokens per second", speed.output_tok_s, counted))
    rows.append(figure_row("power at the meter", given.power_w, shower("W")))
    basis = f", {given.basis}" if given.basis else ""
    rows.append(figure_row(f"cost of a month{basis}", given.per_month, lambda value: amount(value, given.currency)))
    rows.append(figure_row("purchase of the devices", given.purchase, lambda value: amount(value, given.currency)))
    return tuple(rows)


def _model_rows(estimate: EstimateDocument) -> Iterator[tuple[Cell, ...]]:
    """Counts that have no range."""
    blank = Cell("")
    if facts := estimate.model:
        count = facts.parameters
        for label, value in (("parameters", count.total), ("parameters active per token", count.active)):
            yield (Cell(label), blank, number(float(value), human_count), blank, blank)
        yield (Cell("weights on disk"), blank, number(facts.weight_bytes, human_bytes), blank, blank)


def alternatives(material: Material) -> Section:
    """All proposals in their order, and what is said of the others."""
    proposals = material.plan.candidates
    if not proposals:
        return Section("Alternatives", (Paragraph("None."),))
    training = "finetune" in proposals[0].deployment
    row = _training_row if training else _serving_row
    head = TRAINING_HEAD if training else SERVING_HEAD
    blocks: list[Block] = [Table("Proposals, best first", head, tuple(row(p) for p in proposals), marked=0)]
    if any(p.pareto for p in proposals):
        blocks.append(Paragraph(PARETO))
    others = tuple((Cell(str(p.rank)), Cell(clean("; ".join(p.reasons[:3])))) for p in proposals[1:] if p.reasons)
    if others:
        blocks.append(Table("Why not the others", ("rank", "against and for it"), others))
    return Section("Alternatives", tuple(blocks))


def _serving_row(proposal: PlannedDeployment) -> tuple[Cell, ...]:
    deployment, speed = proposal.deployment, proposal.estimate.performance
    model, engine = deployment["model"], deployment.get("engine") or {}
    context = (deployment.get("serving") or {}).get("max_model_len")
    figures = (speed.ttft_s, speed.tpot_s, speed.output_tok_s) if speed else (None, None, None)
    first, each, output = (None if f is None else f.value for f in figures)
    return (
        Cell(f"{proposal.rank}{'*' if proposal.pareto else ''}"),
        *cells(_model_name(model), model.get("weights") or "as stored"),
        *cells(f"{engine.get('name', '')} {engine.get('version', '')}", layout_text(deployment)),
        number(float(proposal.gpus_used), human_count),
        number(context, human_count),
        number(users_of(proposal), human_whole),
        number(first, human_seconds),
        number(each, human_seconds),
        number(output, counted),
        Cell(proposal.estimate.verdict),
    )


def _training_row(proposal: PlannedDeployment) -> tuple[Cell, ...]:
    table, result = proposal.deployment["finetune"], proposal.estimate.finetune
    offload = "" if table.get("offload") in (None, "none") else f", {table['offload']} on the host"
    speed = result.tok_s if result else None
    hours = result.hours if result else None
    return (
        Cell(f"{proposal.rank}{'*' if proposal.pareto else ''}"),
        *cells(table.get("method"), proposal.deployment["model"].get("weights") or "as stored"),
        *cells(table.get("trainer") or UNKNOWN, f"{table.get('sharding')}{offload}"),
        number(float(proposal.gpus_used), human_count),
        number(result.peak.value if result else None, human_bytes),
        number(speed.value if speed else None, human_count),
        number(hours.value if hours else None, human_hours),
        Cell(proposal.estimate.verdict),
    )


def rejected(material: Material) -> Section:
    """Every rule that ruled something out, with the way out."""
    rules = material.plan.rejected
    if not rules:
        return Section("Ruled out", (Paragraph("Nothing was ruled out."),))
    rows = tuple(
        (Cell(clean(r.rule)), Cell(f"{r.count:,}", float(r.count)), *cells(r.message, r.example, r.fix or "none known"))
        for r in rules
    )
    return Section(
        "Ruled out", (Table("Rules, reasons and ways out", ("rule", "count", "why", "example", "way out"), rows),)
    )
