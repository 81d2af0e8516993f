"""The plan as a whole: goals, promises, counts, determinism, hostile questions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from typing import get_args

import pytest

from planner.documents.deployment import ServiceLevelTable, WorkloadTable
from planner.documents.encode import to_json
from planner.documents.files import parse_deployment
from planner.documents.inventory import Inventory, Node
from planner.documents.request import Goal, PlanRequest
from planner.documents.result import PlanDocument, PlannedDeployment
from planner.errors import BadInput, UnknownName
from planner.models.quantization import known_format
from planner.plan import plan
from planner.predict import predict
from tests.search.build import first, hardware, library, model_of, planned, rules, serving_of, small_machine, weights_of

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"


def figure(proposal: PlannedDeployment, name: str) -> float:
    estimate = getattr(proposal.estimate.performance, name)
    assert estimate is not None
    return float(estimate.value)


@pytest.mark.parametrize(
    "spec", ["4xL40S", "2xA100-SXM-80GB", "rtx-3090", "8xMI300X", "8xgaudi-3", "apple-m4-max", "t4"]
)
def test_every_proposal_starts_and_says_why(spec: str) -> None:
    document = planned(spec, LLAMA)
    assert document.candidates or document.rejected
    assert [c.rank for c in document.candidates] == list(range(1, len(document.candidates) + 1))
    for proposal in document.candidates:
        assert proposal.reasons and all(reason.strip() for reason in proposal.reasons)
        assert proposal.estimate.verdict in ("fits", "tight", "unknown")
        assert not [p for p in proposal.estimate.problems if p.severity == "error"]
    assert document.considered >= sum(r.count for r in document.rejected)
    assert any(c.pareto for c in document.candidates) or not document.candidates


def test_the_documents_are_the_answer() -> None:
    """A proposal read back from its document is the same text again, and is predicted the same."""
    documents = [planned("8xH200-SXM", "deepseek-ai/DeepSeek-R1", limit=4), planned(small_machine())]
    for proposal in (each for document in documents for each in document.candidates):
        text = to_json(proposal.deployment)
        again = parse_deployment(json.loads(text), "again")
        assert to_json(again) == text
        assert predict(again, library()) == proposal.estimate


@pytest.mark.parametrize("goal", get_args(Goal))
def test_goals_lead_where_they_say(goal: Goal) -> None:
    document = planned("8xH100-SXM", LLAMA, goal=goal, limit=20)
    best, others = first(document), document.candidates
    if goal == "throughput":
        assert figure(best, "output_tok_s") >= 0.9 * max(figure(c, "output_tok_s") for c in others)
        assert best.deployment["workload"]["saturated"] is True
    if goal == "latency":
        assert figure(best, "tpot_s") <= 1.15 * min(figure(c, "tpot_s") for c in others)
    if goal == "context":
        assert serving_of(best)["max_model_len"] == 131072
    if goal == "fewest-gpus":
        assert best.gpus_used == 1
    if goal == "users":
        assert best.gpus_used == 8


def test_promises_are_kept_where_they_can_be() -> None:
    level = ServiceLevelTable(ttft_s=1.0, tpot_s=0.018)
    workload = WorkloadTable(isl=1000, osl=300, concurrency=32, service_level=level)
    best = first(planned("8xH100-SXM", "meta-llama/Llama-3.3-70B-Instruct", workload=workload))
    assert figure(best, "tpot_level_s") <= 0.018 and figure(best, "ttft_level_s") <= 1.0
    assert any(reason.startswith("keeps the service level") for reason in best.reasons)
    hopeless = WorkloadTable(isl=1000, osl=300, concurrency=32, service_level=ServiceLevelTable(tpot_s=1e-5))
    best = first(planned("8xH100-SXM", "meta-llama/Llama-3.3-70B-Instruct", workload=hopeless))
    assert any(reason.startswith("misses the service level") for reason in best.reasons)


def test_a_context_that_must_be_possible() -> None:
    document = planned("rtx-4090", "Qwen/Qwen3-32B", max_model_len=20_000)
    assert all(serving_of(c)["max_model_len"] >= 20_000 for c in document.candidates)
    beyond = planned("8xH200-SXM", LLAMA, max_model_len=200_000)
    assert not beyond.candidates and "context-beyond-positions" in rules(beyond)


def test_quality_floor_and_asked_for_formats() -> None:
    high = planned("8xH100-SXM", "Qwen/Qwen3-32B", quality_floor="fp8")
    assert {weights_of(c) for c in high.candidates} <= {"bf16", "fp8"} and "quality-floor" in rules(high)
    only = planned("8xH100-SXM", "Qwen/Qwen3-32B", weights=("awq-int4",))
    assert {weights_of(c) for c in only.candidates} == {"awq-int4"} and "weights-not-asked-for" in rules(only)


def test_formats_that_there_are_not() -> None:
    with pytest.raises(UnknownName, match="fp99") as error:
        planned("8xH100-SXM", "Qwen/Qwen3-32B", weights=("fp99",))
    assert "fp8" in [name for name, _ in error.value.nearest]
    every = {choice.weights for model in library().catalogue.models() for choice in model.checkpoints}
    assert {known_format(name) for name in every} == every, "whatever the catalogue says may be asked for"
    assert planned("rtx-4090", "Qwen/Qwen3-8B", weights=("gguf",)).candidates
    assert {weights_of(c) for c in planned("h100", "Qwen/Qwen3-32B", weights=("awq",)).candidates} == {"awq-int4"}


def test_asked_for_engines_and_versions() -> None:
    document = planned("8xH100-SXM", "Qwen/Qwen3-32B", engines=("sglang==0.5.7",))
    assert {(c.deployment["engine"]["name"], c.deployment["engine"]["version"]) for c in document.candidates} == {
        ("sglang", "0.5.7")
    }
    old = planned("8xH100-SXM", "Qwen/Qwen3-32B", engines=("vllm==0.7.0",))
    assert not old.candidates and "engine-knows-model" in rules(old) and old.verdict == "illegal"


def test_budgets_use_what_is_free() -> None:
    """Other processes hold 30 of 80 GiB on every card: the share that the engine takes stays below what is free."""
    inventory = hardware("2xH100-SXM")
    node = inventory.nodes[0]
    held = tuple(replace(d, used_bytes=30 << 30, free_bytes=(d.total_bytes or 0) - (30 << 30)) for d in node.devices)
    document = planned(replace(inventory, nodes=(replace(node, devices=held),)), LLAMA)
    shares = [serving_of(c)["gpu_memory_utilization"] for c in document.candidates if "tp" in serving_of(c)]
    assert shares and max(shares) <= 0.63


def test_slices_are_planned_one_by_one() -> None:
    from planner.documents.inventory import GpuDevice, MigSlice

    total = 39 << 30
    name = "h100-sxm-80gb:3g.40gb"
    slices = tuple(MigSlice("3g.40gb", total_bytes=total, used_bytes=0, accelerator=name) for _ in range(2))
    device = GpuDevice(0, "nvidia", "NVIDIA H100", "h100-sxm-80gb", "exact", total_bytes=80 << 30, slices=slices)
    best = first(planned(Inventory(nodes=(Node(devices=(device,)),)), LLAMA))
    assert best.deployment["hardware"]["accelerator"] == name and serving_of(best)["tp"] == 1
    whole = first(planned("h100-sxm-80gb", LLAMA))
    assert figure(best, "tpot_s") > 1.5 * figure(whole, "tpot_s")


def test_nothing_that_fits_is_an_answer_with_reasons() -> None:
    document = planned("rtx-3060", "deepseek-ai/DeepSeek-R1")
    assert document.verdict == "does-not-fit" and not document.candidates
    assert "does-not-fit" in rules(document) and all(r.message and r.count > 0 for r in document.rejected)


def test_unknown_hardware_is_said() -> None:
    bare = planned(Inventory(nodes=(Node(),)), LLAMA)
    assert bare.verdict in ("unknown", "fits", "does-not-fit")
    nothing = planned(Inventory(nodes=()), LLAMA)
    assert not nothing.candidates


def test_names_that_do_not_exist() -> None:
    with pytest.raises(UnknownName):
        planned("8xH100-SXM", "deepseek-ai/DeepSeek-R99")
    with pytest.raises(BadInput):
        planned("8xH100-SXM", "../../etc/passwd")
    with pytest.raises(UnknownName):
        planned("8xH100-SXM", LLAMA, engines=("vlllm",))


@pytest.mark.parametrize("workload", [
    WorkloadTable(isl=2**40, osl=1, concurrency=1), WorkloadTable(isl=0, osl=0, concurrency=1e9),
    WorkloadTable(isl=1, osl=1, request_rate=1e15), WorkloadTable(saturated=True),
    WorkloadTable(isl=1000, osl=10, concurrency=0.001, prefix_hit_rate=1.0),
])  # fmt: skip
def test_absurd_loads_end_in_an_answer(workload: WorkloadTable) -> None:
    document = planned("8xH100-SXM", LLAMA, workload=workload)
    json.loads(to_json(document))
    assert document.candidates or document.rejected


def test_progress_and_cancelling() -> None:
    told: list[tuple[int, int, str]] = []
    request = PlanRequest(hardware("8xH100-SXM"))
    plan(request, library(), progress=lambda done, total, text: told.append((done, total, text)))
    assert told and all(0 <= done <= total and text for done, total, text in told)
    calls = iter(range(10_000))
    partial = plan(request, library(), cancelled=lambda: next(calls) > 2)
    assert isinstance(partial, PlanDocument) and partial.considered < 2000


@pytest.mark.parametrize("calls", [0, 1, 3, 10, 30, 100])
def test_a_plan_that_is_cancelled_stops_between_two_configurations_and_keeps_what_it_has(calls: int) -> None:
    """Whoever changes an input waits for one configuration at most, not for a whole format of a model."""
    request = PlanRequest(inventory=hardware("8xH200-SXM"), models=("deepseek-ai/DeepSeek-R1",))
    polls = 0

    def cancelled() -> bool:
        nonlocal polls
        polls += 1
        return polls > calls

    whole, partial = plan(request, library()), plan(request, library(), cancelled=cancelled)
    assert polls <= calls + 10, "it goes on after it was told to stop"
    assert partial.considered <= whole.considered
    known = [c.deployment for c in whole.candidates]
    assert len(partial.candidates) <= len(known) and all(c.estimate.verdict != "illegal" for c in partial.candidates)


def test_several_named_models_are_compared() -> None:
    document = planned("8xH100-SXM", LLAMA, "Qwen/Qwen3-32B", "meta-llama/Llama-3.3-70B-Instruct")
    assert len({model_of(c) for c in document.candidates}) == 3


SCRIPT = """
from planner.detect.spec import inventory_from_spec
from planner.documents.encode import to_json
from planner.documents.request import PlanRequest
from planner.library import Library
from planner.models.quantization import known_format
from planner.plan import plan
library = Library()
print(to_json(plan(PlanRequest(inventory_from_spec("rtx-4090", library.database)), library)))
"""


def test_same_question_same_answer_in_another_process() -> None:
    """Whatever the order of hashes."""
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        for seed in ("0", "4242")
    ]
    answers = [run.communicate(timeout=120)[0] for run in runs]
    assert all(run.returncode == 0 for run in runs) and answers[0] == answers[1] != ""


def test_a_model_on_disk(tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path)) / "model"
    folder.mkdir()
    config = library().catalogue.get(LLAMA).config
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    best = first(planned("rtx-4090", str(folder)))
    assert best.deployment["model"]["path"] == str(folder)
    assert small_machine().nodes[0].devices == ()


@pytest.mark.parametrize(("spec", "dtype"), [("8xH200-SXM", "fp8"), ("2xA100-SXM-80GB", "fp8_e5m2")])
def test_a_format_of_the_cache_is_kept_by_every_proposal(spec: str, dtype: str) -> None:
    """By the name that suits the chip; where the models run alike, twice the tokens are held."""
    usual, asked = planned(spec, LLAMA), planned(spec, LLAMA, kv_cache="fp8")
    assert asked.candidates and asked.request["kv_cache"] == "fp8"
    assert {proposal.deployment["serving"]["kv_cache_dtype"] for proposal in asked.candidates} == {dtype}
    pairs = [
        (one.estimate.memory, other.estimate.memory)
        for one in usual.candidates
        for other in asked.candidates
        if one.deployment["model"]["weights"] == "bf16"
        and (one.deployment["engine"], one.deployment["model"])
        == (other.deployment["engine"], other.deployment["model"])
        and {**other.deployment["serving"], "kv_cache_dtype": None, "max_num_seqs": 0}
        == {**one.deployment["serving"], "kv_cache_dtype": None, "max_num_seqs": 0}
    ]
    assert pairs
    for sixteen, eight in pairs:
        assert sixteen is not None and eight is not None
        assert 1.8 < eight.kv_tokens.value / sixteen.kv_tokens.value < 2.2


def test_a_format_that_no_engine_here_has_is_a_reason() -> None:
    document = planned("8xH200-SXM", LLAMA, kv_cache="q8_0", engines=("vllm",))
    assert not document.candidates
    assert "kv-dtype-of-engine" in {item.rule for item in document.rejected}
