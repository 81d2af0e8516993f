"""Reports of other kinds of plans: training jobs, engines that place buffers per device, processors."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from planner.detect.spec import load_hardware
from planner.documents.deployment import WorkloadTable
from planner.documents.request import PlanRequest
from planner.documents.result import PlanDocument
from planner.plan import plan
from planner.report.blocks import MemoryChart, Table
from planner.report.compose import compose
from planner.report.gather import gather
from planner.report.write import report_text
from planner.training.request import FinetuneRequest
from planner.training.search import plan_finetune
from tests.report.material import DATE, library, planned
from tests.report.page import read
from tests.report.test_charts import assert_inside, tree


@cache
def training() -> PlanDocument:
    inventory = load_hardware("rtx-4090", library().database)
    return plan_finetune(FinetuneRequest(inventory=inventory, model="qwen3-8b", methods=("qlora",), limit=3), library())


def test_a_training_plan() -> None:
    text = report_text(training(), library(), ".html", DATE)
    result = training().candidates[0].estimate.finetune
    assert result and result.tok_s
    values = {value for value, _ in read(text).values}
    assert {result.peak.value, result.allocated.high, result.tok_s.value} <= values
    assert "Training plan" in text and "qlora" in text
    for svg in tree(text).iter("svg"):
        assert_inside(svg)
    assert "| qlora |" in report_text(training(), library(), ".md", DATE)


def test_a_bar_for_each_device() -> None:
    inventory = load_hardware("2xrtx-4090", library().database)
    request = PlanRequest(
        inventory=inventory,
        models=("qwen3-32b",),
        engines=("llama.cpp",),
        workload=WorkloadTable(isl=1000.0, osl=400.0, concurrency=4.0),
        limit=1,
    )
    document = plan(request, library())
    memory = document.candidates[0].estimate.memory
    blocks = [b for s in compose(gather(document, library(), DATE)).sections for b in s.blocks]
    bars = next(b.bars for b in blocks if isinstance(b, MemoryChart))
    assert memory and [bar.label for bar in bars] == [device.device for device in memory.devices]
    assert sum(part.size for part in bars[0].parts) <= memory.per_gpu.total.value
    assert all(block.rows for block in blocks if isinstance(block, Table))


def test_the_choice_is_what_is_said_of_it() -> None:
    """Without a speed nothing is invented."""
    document = planned()
    first = document.candidates[0]
    silent = replace(first, estimate=replace(first.estimate, performance=None, cost=None, verdict="unknown"))
    text = "".join(read(report_text(replace(document, candidates=(silent,)), library(), ".html", DATE)).text)
    assert "Its speed is unknown" in text and "Unknown: a price, a power or a speed is missing." in text
    assert "nothing says that it fits" in text


def test_no_date_is_today() -> None:
    from datetime import UTC, datetime

    days = {datetime.now(UTC).date().isoformat()}
    found = gather(planned(), library()).date
    assert found in days | {datetime.now(UTC).date().isoformat()}
