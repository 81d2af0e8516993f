"""The Markdown report: the same content, nothing of it active."""

from __future__ import annotations

import re

import pytest

from planner.report.compose import compose
from planner.report.gather import gather
from planner.report.markdown import escaped, markdown
from planner.report.write import report_text
from tests.report.material import DATE, library, planned, with_model_name
from tests.report.page import read
from tests.report.test_html import HOSTILE

UNESCAPED_PIPE = re.compile(r"(?<!\\)(?:\\\\)*\|")


def text_of(document):
    return report_text(document, library(), ".md", DATE)


def tables(text: str):
    """Runs of table lines outside fences."""
    fence, run = "", []
    for line in [*text.split("\n"), ""]:
        if not fence and line.startswith("```"):
            fence = line
        elif fence and line == fence:
            fence = ""
        elif not fence and line.startswith("|"):
            run.append(line)
        elif run:
            yield run
            run = []
    assert not fence


@pytest.mark.parametrize("name", ["", *HOSTILE], ids=range(len(HOSTILE) + 1))
def test_rows_have_the_cells_of_their_head(name: str) -> None:
    text = text_of(with_model_name(planned(), name) if name else planned())
    found = list(tables(text))
    assert len(found) > 10
    for rows in found:
        counts = {len(UNESCAPED_PIPE.findall(row)) for row in rows}
        assert len(counts) == 1 and re.fullmatch(r"\|( ---:? \|)+", rows[1]), rows[:3]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_is_active(name: str) -> None:
    text = text_of(with_model_name(planned(), name))
    outside = re.sub(r"(?ms)^(`{3,})\n.*?^\1$", "", text)
    assert not re.search(r"(?<!\\)[<`\[]", outside)
    assert "https://" not in outside


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a|b", "a\\|b"),
        ("a\\|b", "a\\\\\\|b"),
        ("1. x", "1\\. x"),
        ("0.9", "0.9"),
        ("- x", "\\- x"),
        ("-36.8 GiB", "-36.8 GiB"),
        ("---", "\\---"),
        ("# h\n# i", "\\# h \\# i"),
        ("@someone &lt;", "\\@someone \\&lt;"),
    ],
)
def test_escaping(text: str, expected: str) -> None:
    assert escaped(text) == expected


def test_says_what_the_page_says() -> None:
    """Every table of one form stands in the other, cell for cell."""
    document = planned()
    report = compose(gather(document, library(), DATE))
    page = "".join(read(report_text(document, library(), ".html", DATE)).text)
    text = markdown(report)
    for section in report.sections:
        assert escaped(section.title) in text and section.title in page
        for block in section.blocks:
            for row in getattr(block, "rows", ()):
                assert all(escaped(cell.text) in text and cell.text in page for cell in row)


def test_fences_outlast_their_content() -> None:
    from planner.report.blocks import Code, Report, Section

    report = Report("t", "s", "v", "f", (Section("x", (Code("c", "````\nls\n```"),)),))
    assert "`````\n````\nls\n```\n`````\n" in markdown(report)
