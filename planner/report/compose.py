"""The report as a list of sections; reads like its table of contents."""

from __future__ import annotations

from dataclasses import replace

from planner.report.blocks import Report, Section, Table
from planner.report.choice import alternatives, choice, question, rejected
from planner.report.costs import cost
from planner.report.hardware import hardware
from planner.report.material import Material
from planner.report.memory import memory
from planner.report.speed import speed
from planner.report.start import provenance, start
from planner.report.trust import assumptions, risks
from planner.report.words import VERDICTS, clean

SECTIONS = (
    choice,
    question,
    hardware,
    alternatives,
    rejected,
    memory,
    speed,
    cost,
    risks,
    assumptions,
    start,
    provenance,
)
SHORT_HASH = 19
"""Characters of a hash in the footer."""


def compose(material: Material) -> Report:
    """All sections in the order in which people decide."""
    verdict = material.plan.verdict
    models = ", ".join(str(m) for m in material.plan.request.get("models") or ()) or "any model of the catalogue"
    chosen = material.chosen
    if chosen is not None:
        models = str(chosen.deployment["model"].get("id") or chosen.deployment["model"].get("path") or models)
    kind = "Training plan" if material.plan.request.get("kind") == "finetune" else "Deployment plan"
    mark = f" · {material.hash[:SHORT_HASH]}" if material.hash else ""
    return Report(
        title=f"{kind}: {clean(models, 120)}",
        subtitle=f"{material.date} · deploy-planner {material.version}{mark}",
        verdict=f"Verdict: {VERDICTS[verdict]}",
        footer=f"deploy-planner {material.version} · {material.date}{mark}",
        sections=tuple(_without_empty_tables(section(material)) for section in SECTIONS),
    )


def _without_empty_tables(section: Section) -> Section:
    """Where an engine has no terms of a figure, nothing is said of them."""
    return replace(section, blocks=tuple(b for b in section.blocks if not isinstance(b, Table) or b.rows))
