"""How to start the choice, how to check it, and which document this report is about."""

from __future__ import annotations

from planner.report.blocks import Block, Code, Paragraph, Section, Table
from planner.report.material import Material
from planner.report.words import cells, clean_lines

DOCUMENT = "deployment.toml"
MOST_SCRIPT = 20_000
"""Characters of a start script that are shown."""


def start(material: Material) -> Section:
    """Commands, in the order in which they are typed."""
    if material.deployment is None:
        return Section("Start and verify", (Paragraph("There is nothing to start."),))
    blocks: list[Block] = [Code(f"The deployment; save it as {DOCUMENT}", clean_lines(material.toml).rstrip("\n"))]
    blocks.append(Code("Check the machine, write the files, check what was promised", _commands(material)))
    if material.start:
        caption = f"What starts it (target {material.target})"
        if material.other_files:
            caption += f"; the export writes beside it: {', '.join(material.other_files)}"
        blocks.append(Code(caption, clean_lines(material.start[:MOST_SCRIPT]).rstrip("\n")))
    return Section("Start and verify", tuple(blocks))


def _commands(material: Material) -> str:
    target = material.target or "toml"
    lines = [
        f"deploy-planner doctor {DOCUMENT}",
        f"deploy-planner estimate {DOCUMENT}",
        f"deploy-planner export {DOCUMENT} --target {target} -o bundle/",
    ]
    if material.deployment is not None and material.deployment.finetune is None:
        lines += [
            f"deploy-planner export {DOCUMENT} --target bench -o bench/",
            f"deploy-planner verify {DOCUMENT} --log engine.log",
            f"deploy-planner verify {DOCUMENT} --metrics http://localhost:8000/metrics",
            "deploy-planner explain engine.log",
        ]
    return "\n".join(lines)


def provenance(material: Material) -> Section:
    """What made this report, when, about which document."""
    rows = [cells("planner", f"deploy-planner {material.version}"), cells("date", material.date)]
    rows.append(cells("plan document", material.plan.schema))
    if material.hash:
        rows.append(cells("hash of the deployment", material.hash))
    note = "The hash is the SHA-256 of the deployment's canonical JSON: sorted keys, no blanks, without [provenance]."
    return Section("Provenance", (Table("Provenance", ("", "is"), tuple(rows)), Paragraph(note)))
