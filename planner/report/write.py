"""A plan's report as text and as a file. The end of the file's name says the form."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from planner.documents.files import write_whole
from planner.documents.result import PlanDocument
from planner.errors import BadInput
from planner.report.compose import compose
from planner.report.gather import gather
from planner.report.html import html
from planner.report.markdown import markdown

if TYPE_CHECKING:
    from planner.library import Library

FORMS = {".html": html, ".htm": html, ".md": markdown, ".markdown": markdown}


def checked_path(name: str, *, overwrite: bool = False) -> Path:
    """The file of a report. Raises BadInput for another ending, or a file that is there and may not be replaced."""
    path = Path(name)
    if path.suffix.lower() not in FORMS:
        raise BadInput("--report", f"{name[:200]!r} is neither HTML nor Markdown", "end the name in .html or .md")
    if not overwrite and path.exists():
        raise BadInput(name, "exists already", "choose another name or pass --force")
    return path


def report_text(plan: PlanDocument, library: Library, suffix: str, date: str | None = None) -> str:
    """The report. The same plan, library and ISO date give the same text."""
    return FORMS[suffix.lower()](compose(gather(plan, library, date)))


def write_report(
    path: Path, plan: PlanDocument, library: Library, *, date: str | None = None, overwrite: bool = False
) -> None:
    """Writes the report whole or not at all."""
    write_whole(path, report_text(plan, library, path.suffix, date), overwrite=overwrite)
