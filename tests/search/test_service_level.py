"""Service levels at their percentile, and rates that a configuration cannot carry, in ranking and in words."""

from __future__ import annotations

import json

import pytest

from planner.cli.main import main
from planner.detect.spec import load_hardware
from planner.documents.deployment import ServiceLevelTable, WorkloadTable
from planner.documents.request import PlanRequest
from planner.documents.result import PlanDocument
from planner.plan import plan
from tests.performance.builders import library

LLAMA = "meta-llama/Llama-3.3-70B-Instruct"


def planned(spec: str, workload: WorkloadTable, goal: str = "balanced") -> PlanDocument:
    request = PlanRequest(load_hardware(spec, library().database), (LLAMA,), workload, goal=goal)  # type: ignore[arg-type]
    return plan(request, library())


def reasons(document: PlanDocument) -> str:
    return "\n".join(document.candidates[0].reasons)


@pytest.mark.parametrize("goal", ["balanced", "throughput", "latency", "fewest-gpus"])
def test_the_first_keeps_the_promise_at_its_percentile_where_any_does(goal: str) -> None:
    level = ServiceLevelTable(ttft_s=1.0, tpot_s=0.03, percentile=99.0)
    document = planned("8xH100", WorkloadTable(isl=1000, osl=400, request_rate=6.0, service_level=level), goal)
    speed = document.candidates[0].estimate.performance
    assert speed is not None and speed.ttft_level_s is not None and speed.tpot_level_s is not None
    assert speed.ttft_level_s.value <= 1.0
    assert speed.tpot_level_s.value <= 0.03
    assert "at 99 %" in reasons(document)


def test_a_higher_percentile_is_harder_to_keep() -> None:
    def kept(percentile: float) -> set[str]:
        level = ServiceLevelTable(ttft_s=0.16, tpot_s=0.03, percentile=percentile)
        document = planned("8xH100", WorkloadTable(isl=1000, osl=400, request_rate=6.0, service_level=level))
        return {
            json.dumps(c.deployment["serving"], sort_keys=True)
            for c in document.candidates
            if any(reason.startswith("keeps the service level") for reason in c.reasons)
        }

    assert kept(50.0)
    assert not kept(99.9)


def test_a_rate_that_one_card_cannot_carry_prefers_what_carries_more() -> None:
    document = planned("8xH100", WorkloadTable(isl=1000, osl=400, request_rate=20.0))
    first = document.candidates[0].estimate
    assert first.performance is not None and first.performance.utilisation is not None
    assert first.performance.utilisation.value < 1
    alone = planned("1xH100", WorkloadTable(isl=1000, osl=400, request_rate=60.0))
    assert "the queue grows without bound" in reasons(alone)
    assert any(p.rule == "queue-grows" for p in alone.candidates[0].estimate.problems)


def test_the_percentile_is_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["plan", "--hardware", "8xH100", "--model", LLAMA, "--percentile", "90"]
    assert main([*argv, "--users", "8", "--ttft", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["request"]["workload"]["service_level"]["percentile"] == 90
    assert main(argv) == 2
