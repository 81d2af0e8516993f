"""Bad jobs get typed problems with the nearest legal choice; the change that is proposed makes the job legal."""

from __future__ import annotations

from typing import Any

import pytest

from planner.documents.result import EstimateDocument, Finding
from tests.finetune.build import LLAMA, QWEN_MOE, V3, estimate

MEGATRON = {"trainer": "megatron", "method": "full", "hardware": "h100-sxm-80gb", "gpus": 8}
BAD: list[tuple[str, dict[str, Any]]] = [
    ("trainer-unknown", {"trainer": "axolotI"}),
    ("trainer-lacks-method", {"trainer": "megatron", "method": "qlora"}),
    ("trainer-lacks-method", {"trainer": "ktransformers", "method": "full", "model": QWEN_MOE}),
    ("trainer-lacks-method", {"method": "lorra"}),
    ("trainer-lacks-objective", {"trainer": "llama-factory", "objective": "grpo"}),
    ("trainer-lacks-optimizer", {"optimizer": "adamw-8bits"}),
    ("trainer-lacks-optimizer", {**MEGATRON, "optimizer": "adafactor"}),
    ("trainer-lacks-precision", {"precision": "bf61"}),
    ("trainer-lacks-sharding", {"trainer": "unsloth", "sharding": "zero3", "gpus": 2}),
    ("trainer-lacks-offload", {"offload": "disk"}),
    ("trainer-lacks-parallelism", {"trainer": "llama-factory", "gpus": 8, "parallel": {"pp": 2}}),
    ("no-tokens", {"tokens": 0}),
    ("rank-beyond-width", {"lora_rank": 8192}),
    ("nothing-targeted", {"lora_targets": ["nowhere"]}),
    ("full-needs-16-bit", {"method": "full", "weights": "bnb-nf4"}),
    ("precision-on-chip", {"precision": "fp8-mixed"}),
    ("precision-on-chip", {"hardware": "tesla-v100-sxm2-32gb"}),
    ("quantized-base-on-chip", {"hardware": "ascend-910b3", "method": "qlora"}),
    ("parallel-exceeds-gpus", {**MEGATRON, "parallel": {"tp": 8, "pp": 4}}),
    ("parallel-divides-gpus", {**MEGATRON, "parallel": {"tp": 3}}),
    ("tp-divides-heads", {**MEGATRON, "gpus": 3, "parallel": {"tp": 3}}),
    ("pp-exceeds-layers", {**MEGATRON, "gpus": 64, "parallel": {"pp": 64}}),
    ("vp-needs-pp", {**MEGATRON, "parallel": {"vp": 2}}),
    ("ep-without-experts", {**MEGATRON, "parallel": {"ep": 2}}),
    ("ep-exceeds-ranks", {**MEGATRON, "model": QWEN_MOE, "parallel": {"ep": 16}}),
    ("ep-divides-experts", {**MEGATRON, "model": QWEN_MOE, "parallel": {"ep": 6}}),
    ("zero3-with-pp", {**MEGATRON, "sharding": "zero3", "parallel": {"pp": 2}}),
    ("global-batch-divides", {"micro_batch": 8, "global_batch": 4}),
]


def broken(answer: EstimateDocument, rule: str) -> Finding | None:
    return next((p for p in answer.problems if p.rule == rule and p.severity == "error"), None)


def changed(job: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """The job with a finding's dotted changes."""
    job = {**job, "parallel": dict(job.get("parallel", {}))}
    for key, value in change.items():
        path = key.split(".")
        if path[:2] == ["finetune", "parallel"]:
            job["parallel"][path[2]] = value
        else:
            job[{"model.weights": "weights"}.get(key, path[-1])] = value
    return job


@pytest.mark.parametrize(("rule", "job"), BAD, ids=[f"{rule}-{i}" for i, (rule, _) in enumerate(BAD)])
def test_a_bad_job_is_a_finding_whose_change_cures_it(rule, job):
    job = {"method": "lora", **job}
    answer = estimate(**job)
    finding = broken(answer, rule)
    assert finding, [p.rule for p in answer.problems]
    assert answer.verdict == "illegal"
    assert finding.fix and len(finding.message) > 10
    if finding.change:
        assert broken(estimate(**changed(job, finding.change)), rule) is None


def test_figures_stand_beside_the_problems():
    answer = estimate(method="lora", lora_rank=8192)
    assert answer.finetune.allocated.value > 0


@pytest.mark.parametrize("model", [LLAMA, QWEN_MOE, V3])
@pytest.mark.parametrize("trainer", ["axolotl", "llama-factory", "trl", "megatron"])
def test_plain_jobs_are_legal(model, trainer):
    answer = estimate(model, hardware="h200-sxm-141gb", gpus=8, method="lora", trainer=trainer, seq_len=1024)
    assert answer.verdict != "illegal", answer.problems


def test_ranks_above_the_narrowest_weight_are_remarked():
    answer = estimate(V3, hardware="h200-sxm-141gb", gpus=8, method="lora", trainer="megatron", lora_rank=1024)
    assert any(p.rule == "rank-not-effective" and p.severity == "warning" for p in answer.problems)
    assert answer.verdict != "illegal"


@pytest.mark.parametrize("word", ["everything", "", "all-linear+tail", "$(reboot)", "q,v"])
def test_words_for_targets_that_nobody_knows(word):
    answer = estimate(method="lora", lora_targets=word)
    found = [p for p in answer.problems if p.rule == "targets-unknown"]
    assert answer.verdict == "illegal" and found[0].change == {"finetune.lora_targets": "all-linear"}
    for known in ("all-linear", "all-linear+head"):
        assert not [p for p in estimate(method="lora", lora_targets=known).problems if p.rule == "targets-unknown"]
