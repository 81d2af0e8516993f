"""How far the plan may be trusted: assumptions, sources, risks."""

from __future__ import annotations

from collections.abc import Iterator

from planner.documents.result import PlannedDeployment
from planner.estimate import Estimate
from planner.performance.promises import each_token, first_token
from planner.report.blocks import Block, Bullets, Cell, Paragraph, Section, Table
from planner.report.material import Material
from planner.report.words import cells, clean, number, said, shower
from planner.units import human_bytes, human_seconds
from planner.words.plan import users_of

WIDE = 2.5
"""A range whose ends differ by more than this factor is pointed out."""
RANGES = (
    "Every figure has a range: about nine of ten measurements are expected between low and high. Origins: measured "
    "(on this machine), published (a data sheet or price list), formula (worked out, checked against measured runs), "
    "assumed (nobody published it; the range is wide on purpose)."
)


def assumptions(material: Material) -> Section:
    """Defaults that were taken, and the facts with their sources."""
    chosen = material.chosen
    assumed = dict(material.plan.assumed) | (dict(chosen.estimate.assumed) if chosen else {})
    blocks: list[Block] = [Paragraph(RANGES)]
    if assumed:
        rows = tuple(cells(key, said(value)) for key, value in sorted(assumed.items()))
        blocks.append(Table("Defaults that were taken", ("key", "value"), rows))
    if material.facts:
        facts = tuple(
            cells(f.what, f.value, f.source if f.checked else f"{f.source} (not checked)") for f in material.facts
        )
        blocks.append(Table("Facts and their sources", ("fact", "value", "source"), facts))
    if material.doubts:
        blocks.append(Bullets(tuple(clean(d) for d in material.doubts), "Doubts noted beside these facts"))
    return Section("Assumptions and sources", tuple(blocks))


def risks(material: Material) -> Section:
    """What may turn out otherwise, the gravest first."""
    chosen = material.chosen
    found = [] if chosen is None else [*_fit(chosen), *_promises(chosen), *_redundancy(chosen), *_origins(chosen)]
    found += list(_hardware(material))
    blocks: list[Block] = [Bullets(tuple(clean(text, 600) for text in found))] if found else []
    if chosen is not None and (rows := tuple(_wide(chosen))):
        blocks.append(Table("Figures with a wide range", ("figure", "low", "high", "factor"), rows))
    if material.account is not None and material.account.outages:
        rows = tuple(
            cells(
                f"{o.missing} down", o.copies, f"{o.users:,.0f}", {True: "yes", False: "no", None: "unknown"}[o.holds]
            )
            for o in material.account.outages
        )
        head = ("outage", "copies left", "users that fit in memory", "all users held as promised")
        blocks.append(Table("When something is down", head, rows))
    return Section("Risks", tuple(blocks) or (Paragraph("None were found."),))


def _fit(chosen: PlannedDeployment) -> Iterator[str]:
    estimate = chosen.estimate
    if estimate.verdict == "tight":
        yield "Tight: less than 3 % of the device is left; a driver or another version may take it."
    if estimate.verdict == "unknown":
        yield "The verdict is unknown: a fact is missing, and nothing says that it fits."
    for problem in estimate.problems:
        yield f"{problem.rule}: {problem.message}" + (f" → {problem.fix}" if problem.fix else "")
    memory = estimate.memory
    if memory is not None and memory.per_gpu.total.high > memory.per_gpu.capacity.value:
        high, capacity = human_bytes(memory.per_gpu.total.high), human_bytes(memory.per_gpu.capacity.value)
        yield f"The upper end of the memory range, {high}, is above the device's {capacity}."


def _promises(chosen: PlannedDeployment) -> Iterator[str]:
    """Promises that are missed at the percentile of the service level, or at the upper end of its range."""
    workload, speed = chosen.deployment.get("workload") or {}, chosen.estimate.performance
    level = workload.get("service_level") or {}
    pairs = (("ttft_s", "first token", first_token), ("tpot_s", "each further token", each_token))
    for key, label, figure_of in pairs:
        promised, figure = level.get(key), figure_of(speed) if speed else None
        if promised is None:
            continue
        if figure is None:
            yield f"Whether the promise for {label} ({human_seconds(promised)}) is kept is unknown."
        elif figure.high > promised:
            how = "missed" if figure.value > promised else "kept, but missed at the upper end of the range"
            ends = f"{human_seconds(figure.value)} predicted, up to {human_seconds(figure.high)}"
            yield f"The promise for {label}, {human_seconds(promised)}, is {how}: {ends}."
    yield from _too_many(chosen, workload.get("concurrency"))


def _too_many(chosen: PlannedDeployment, asked: float | None) -> Iterator[str]:
    held = users_of(chosen)
    if asked is not None and held is not None and held < asked:
        yield f"{asked:,.0f} requests in flight were asked for and {held:,.0f} are held at once: the rest waits."


def _redundancy(chosen: PlannedDeployment) -> Iterator[str]:
    serving = chosen.deployment.get("serving")
    if serving is not None and serving.get("dp", 1) == 1:
        yield "One replica: when a device or a machine fails, nothing is served until it is mended."


def _origins(chosen: PlannedDeployment) -> Iterator[str]:
    weak = [label for label, _, figure in _figures(chosen) if figure.origin == "assumed"]
    if weak:
        yield "Rest on assumptions in part: " + ", ".join(weak) + "."
    problems = chosen.estimate.problems
    if chosen.estimate.performance is None and chosen.estimate.finetune is None and not problems:
        yield "Speed is unknown."


def _hardware(material: Material) -> Iterator[str]:
    inventory = material.plan.inventory
    devices = [device for node in inventory.get("nodes", ()) for device in node.get("devices", ())]
    if inventory.get("origin") == "simulated":
        yield "The hardware was named, not measured: run the planner on the machine before the order is final."
    if any(device.get("match") != "exact" for device in devices):
        yield "Not every card was recognised for certain."
    used = sum(device.get("used_bytes") or 0 for device in devices)
    if used:
        yield f"{human_bytes(used)} of device memory were in use by others when the hardware was read."
    for notice in inventory.get("warnings", ()):
        yield f"{notice.get('where', '')}: {notice.get('message', '')}"


FIGURES = {
    "total": ("memory per GPU", "B"),
    "kv_cache": ("KV cache", "B"),
    "ttft_s": ("first token", "s"),
    "tpot_s": ("each further token", "s"),
    "output_tok_s": ("output of all users", "tok/s"),
    "peak": ("peak memory per GPU", "B"),
    "tok_s": ("training speed", "tok/s"),
    "hours": ("time of the run", "h"),
    "host_ram": ("host memory per node", "B"),
    "power_w": ("power", "W"),
    "per_month": ("cost of a month", "money"),
    "per_mtok": ("cost of a million output tokens", "money"),
}
"""Figures that people decide by: name and unit."""


def _figures(chosen: PlannedDeployment) -> Iterator[tuple[str, str, Estimate]]:
    """Name, unit and figure of those that are known."""
    estimate = chosen.estimate
    tables = (
        estimate.memory.per_gpu if estimate.memory else None, estimate.performance, estimate.finetune, estimate.cost,
    )  # fmt: skip
    for key, (label, unit) in FIGURES.items():
        found = (getattr(table, key, None) for table in tables if table is not None)
        figure = next((f for f in found if f is not None), None)
        if figure is not None:
            yield label, estimate.cost.currency if unit == "money" and estimate.cost else unit, figure


def _wide(chosen: PlannedDeployment) -> Iterator[tuple[Cell, ...]]:
    for label, unit, figure in _figures(chosen):
        show = shower(unit)
        if figure.low > 0 and figure.high / figure.low > WIDE:
            factor = figure.high / figure.low
            yield (Cell(label), number(figure.low, show), number(figure.high, show), Cell(f"{factor:.1f} ×", factor))
        elif figure.low <= 0 < figure.high:
            yield (Cell(label), Cell("0", figure.low), number(figure.high, show), Cell("open"))
