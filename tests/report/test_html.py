"""The HTML report: well-formed twice over, self-contained, escaped, the same twice, true to the plan."""

from __future__ import annotations

import pytest

from planner.estimate import Estimate
from planner.report.write import report_text
from planner.units import human_bytes, human_seconds
from tests.report.material import DATE, library, planned, with_model_name
from tests.report.page import read, tree

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "]]></style><style>body{display:none}</style>",
    "</title><svg onload=alert(1)>",
    "a & b &lt;i&gt; 'c'",
    "x\x00\x1b[31m\u202egnp.exe",
    "ab" * 149,
    "`rm -rf /` | $(reboot) | https://evil.example/a.png",
]
SPECS = [("2xH100-SXM", "qwen3-32b"), ("rtx-4090", "deepseek-r1"), ("rtx-4090", "qwen3-8b"), ("cpu", "qwen3-8b")]


def html(document, date=DATE):
    return report_text(document, library(), ".html", date)


@pytest.mark.parametrize(("hardware", "model"), SPECS)
def test_is_html_and_xml(hardware: str, model: str) -> None:
    text = html(planned(hardware, model))
    page = read(text)
    root = tree(text)
    assert text.startswith("<!DOCTYPE html>") and root.tag == "html" and root.get("lang") == "en"
    assert page.tags.count("h2") == 12 and page.tags.count("h1") == 1


@pytest.mark.parametrize(("hardware", "model"), SPECS[:2])
def test_nothing_is_fetched_and_nothing_runs(hardware: str, model: str) -> None:
    page = read(html(planned(hardware, model)))
    assert not {"script", "link", "img", "iframe", "object", "embed", "base", "form", "a", "use", "image"} & set(
        page.tags
    )
    for tag, name, value in page.attributes:
        assert name not in ("src", "href", "xlink:href", "style", "background", "action") and not name.startswith("on")
        assert "://" not in value and "url(" not in value, (tag, name, value)
    style = "".join(e.text or "" for e in tree(html(planned(hardware, model))).iter("style"))
    assert "url(" not in style and "@import" not in style and "&" not in style and "<" not in style
    assert ("meta", "content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_are_text(name: str) -> None:
    plain, foreign = planned(), with_model_name(planned(), name)
    text = html(foreign)
    before, after = read(html(plain)), read(text)
    tree(text)
    assert set(after.tags) - {"wbr"} == set(before.tags) - {"wbr"}
    assert {n for _, n, _ in after.attributes} == {n for _, n, _ in before.attributes}
    assert not [c for c in text if ord(c) < 32 and c != "\n"] and "\u202e" not in text
    if name.isprintable():
        assert name[:100] in "".join(after.text).replace("\n", "")


def test_the_same_twice_and_the_date_is_the_callers() -> None:
    assert html(planned()) == html(planned())
    assert "2031-05-06" in html(planned(), "2031-05-06") and DATE not in html(planned(), "2031-05-06")


def test_figures_are_those_of_the_plan() -> None:
    document = planned()
    values = set(read(html(document)).values)
    estimate = document.candidates[0].estimate
    assert estimate.memory and estimate.performance and estimate.cost and estimate.cost.power_w
    gpu, speed = estimate.memory.per_gpu, estimate.performance
    for figure in (gpu.weights, gpu.kv_cache, gpu.kv_needed, gpu.activations, gpu.total, gpu.capacity):
        assert {(x, human_bytes(x)) for x in ends(figure)} <= values
    for figure in (speed.ttft_s, speed.tpot_s):
        assert figure and {(x, human_seconds(x)) for x in ends(figure)} <= values
    for figure in (speed.output_tok_s, estimate.cost.power_w, estimate.cost.per_month):
        assert figure and set(ends(figure)) <= {value for value, _ in values}
    for proposal in document.candidates:
        other = proposal.estimate.performance
        assert other and other.ttft_s and (other.ttft_s.value, human_seconds(other.ttft_s.value)) in values
    for rejection in document.rejected:
        assert (float(rejection.count), f"{rejection.count:,}") in values


def test_rates_are_not_durations() -> None:
    """Requests per second × seconds of a request = requests in flight (Little)."""
    speed = planned().candidates[0].estimate.performance
    assert speed and speed.request_s and speed.ttft_s and speed.tpot_s
    seconds = speed.ttft_s.value + 399 * speed.tpot_s.value
    assert speed.request_s.value * seconds == pytest.approx(8, rel=0.1)
    shown = dict(read(html(planned())).values)[speed.request_s.value]
    assert shown.endswith(" requests/s")


def ends(figure: Estimate) -> tuple[float, float, float]:
    return (figure.low, figure.value, figure.high)


def test_promises_that_are_missed_are_risks() -> None:
    document = planned()
    speed = document.candidates[0].estimate.performance
    text = "".join(read(html(document)).text)
    assert speed and speed.ttft_s and speed.tpot_s
    assert ("The promise for first token" in text) == (speed.ttft_s.high > 0.2)
    assert ("The promise for each further token" in text) == (speed.tpot_s.high > 0.02)
    assert "The hardware was named, not measured" in text


def test_tables_have_heads_and_captions() -> None:
    root = tree(html(planned()))
    for table in root.iter("table"):
        assert table.find("caption") is not None and table.findtext("caption")
        columns = len(table.findall("thead/tr/*"))
        assert table.findall("thead/tr/th") and all(th.get("scope") == "col" for th in table.findall("thead/tr/th"))
        for row in table.findall("tbody/tr"):
            assert len(list(row)) == columns and row[0].tag == "th" and row[0].get("scope") == "row"
