"""What the choice gives: speed at the load asked for and at others, with what bounds it."""

from __future__ import annotations

from planner.documents.result import FinetuneResult, Performance
from planner.report.blocks import (
    Block,
    Cell,
    Panel,
    Paragraph,
    Section,
    SpeedChart,
    Table,
)
from planner.report.material import Material
from planner.report.words import FIGURE_HEAD, UNKNOWN, cells, clean, counted, figure_row, named, number, shower
from planner.units import human_hours, human_seconds


def speed(material: Material) -> Section:
    """Latency and throughput: at the stated load, and over the load."""
    chosen = material.chosen
    estimate = chosen.estimate if chosen else None
    if estimate is not None and estimate.finetune is not None:
        return Section("Speed", (_training_speed(estimate.finetune),))
    if estimate is None or estimate.performance is None:
        return Section("Speed", (Paragraph("Its speed is unknown: a fact that it rests on is missing."),))
    performance = estimate.performance
    blocks: list[Block] = [Table("At the stated load, means per request", FIGURE_HEAD, _speed_rows(performance))]
    if performance.bound:
        blocks.append(Paragraph(_bound(performance)))
    if len(material.curve) > 1:
        blocks += [_chart(material), _curve_table(material)]
    blocks.append(_seconds_terms(performance))
    return Section("Latency and throughput", tuple(blocks))


def _bound(performance: Performance) -> str:
    return clean("Limited by: " + "; ".join(f"{phase} by {what}" for phase, what in performance.bound.items()) + ".")


SPEEDS = (
    ("first token", "ttft_s", "s"),
    ("each further token", "tpot_s", "s"),
    ("one user's writing speed", "decode_tok_s", "tok/s"),
    ("prompt speed of one request", "prefill_tok_s", "tok/s"),
    ("requests finished", "request_s", "requests/s"),
    ("all users, output", "output_tok_s", "tok/s"),
    ("all users, input and output", "total_tok_s", "tok/s"),
)


def _speed_rows(performance: Performance) -> tuple[tuple[Cell, ...], ...]:
    return tuple(figure_row(label, getattr(performance, key), shower(unit)) for label, key, unit in SPEEDS)


def _seconds_terms(performance: Performance) -> Table:
    rows = []
    for label, key, _ in SPEEDS[:2]:
        figure = getattr(performance, key)
        for term, value in figure.terms.items() if figure else ():
            rows.append((*cells(label, named(term)), Cell(human_seconds(value) if value else "0", float(value))))
    return Table("Terms of the latency", ("figure", "term", "value"), tuple(rows))


def _chart(material: Material) -> SpeedChart:
    workload = material.deployment.workload if material.deployment else None
    level = workload.service_level if workload else None
    panels = (
        _panel(material, "output of all users", "output_tok_s", "tok/s", "square", None),
        _panel(material, "first token", "ttft_s", "s", "circle", level.ttft_s if level else None),
        _panel(material, "each further token", "tpot_s", "s", "diamond", level.tpot_s if level else None),
    )
    planned = workload.concurrency if workload else None
    first, last = material.curve[0][0], material.curve[-1][0]
    text = f"Three panels over {first:g} to {last:g} requests in flight; the table below holds the same figures."
    return SpeedChart(
        "Latency and throughput over requests in flight", text, tuple(p for p in panels if p.points), planned
    )


def _panel(material: Material, title: str, key: str, unit: str, mark: str, promise: float | None) -> Panel:
    points = tuple((x, getattr(each, key)) for x, each in material.curve if getattr(each, key) is not None)
    return Panel(title, unit, mark, points, promise)


def _curve_table(material: Material) -> Table:
    rows = []
    for requests, each in material.curve:
        figures = ((each.output_tok_s, counted), (each.ttft_s, human_seconds), (each.tpot_s, human_seconds))
        rows.append(
            (
                Cell(f"{requests:,g}", requests),
                *(number(figure.value if figure else None, show) for figure, show in figures),
            )
        )
    head = ("requests in flight", "output tok/s", "first token", "each further token")
    return Table("Speed over the load", head, tuple(rows))


def _training_speed(result: FinetuneResult) -> Table:
    rows = (
        figure_row("tokens per second", result.tok_s, counted),
        figure_row("tokens per second and GPU", result.tok_s_per_gpu, counted),
        figure_row("a step", result.step_s, human_seconds),
        figure_row("share of the peak", result.mfu, lambda value: f"{value:.1%}"),
        figure_row("the whole run", result.hours, human_hours),
        figure_row("GPU hours", result.gpu_hours, counted),
    )
    return Table(f"Speed, limited by {clean(result.bound) or UNKNOWN}", FIGURE_HEAD, rows)
