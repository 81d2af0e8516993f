"""Parts that only some jobs have: scores of eager attention, casts, experts with adapters, rollouts, Muon's tables."""

from __future__ import annotations

import pytest

from planner.memory.finetune_moments import stages
from planner.memory.finetune_objective import cache_bytes_per_token, rollout_ranks, rollout_share
from planner.models.parameters import count_parameters
from tests.finetune.build import LLAMA, QWEN_MOE, V3, estimate, job

EIGHT_B = 8.030261248e9
TABLE = 128256 * 4096


def test_eager_attention_keeps_scores_with_the_square_of_the_sequence():
    for length in (1024, 4096):
        fused, eager = (
            stages(job(method="lora", gradient_checkpointing=False, seq_len=length, attention=a))[0].tokens.kept
            for a in ("flash", "eager")
        )
        assert eager - fused == pytest.approx(32 * 32 * length * 6)


def test_the_longest_eager_sequence_is_exact():
    longest = estimate(method="lora", attention="eager", seq_len=1024).finetune.max_seq_len
    assert 1024 < longest < 65536
    fits, does_not = (estimate(method="lora", attention="eager", seq_len=n).verdict for n in (longest, longest + 1))
    assert fits in ("fits", "tight") and does_not == "does-not-fit"
    answer = estimate(method="lora", attention="eager", seq_len=8192)
    assert "eager-attention" in {p.rule for p in answer.problems}


def test_padding_costs_hours_and_is_said():
    job_ = {"method": "lora", "micro_batch": 8, "seq_len": 4096, "tokens": 1e7, "sample_tokens": 500}
    packed, padded = (estimate(**job_, packing=p) for p in (True, False))
    harmonic = sum(1 / n for n in range(1, 9))
    assert padded.finetune.hours.value / packed.finetune.hours.value == pytest.approx(harmonic)
    assert [p.change for p in padded.problems if p.rule == "padding"] == [{"finetune.packing": True}]
    alone = estimate(**{**job_, "micro_batch": 1}, packing=False)
    assert not [p for p in alone.problems if p.rule == "padding"]


def test_autocast_keeps_casts_of_whole_weights_through_the_forward_pass():
    whole = stages(job(method="full", precision="bf16-mixed", gradient_checkpointing=False))[0]
    assert whole.fixed.casts == pytest.approx(2 * (EIGHT_B - TABLE))
    held = {moment.name: moment.fixed.get("casts", 0.0) for moment in whole.moments}
    assert held["loss"] == held["layers"] == whole.fixed.casts and held["step"] == 0
    again = stages(job(method="full", precision="bf16-mixed", gradient_checkpointing=True))[0]
    assert {m.name: m.fixed.get("casts", 0.0) for m in again.moments}["layers"] == 0
    for sharded in ("fsdp", "zero3"):
        assert stages(job(gpus=2, method="full", precision="bf16-mixed", sharding=sharded))[0].fixed.casts == 0


def test_all_linear_takes_in_experts_where_peft_does():
    """peft over transformers 5 (TRL) adapts stacked experts; Axolotl and LLaMA-Factory look for linear layers."""
    apart, peft = (job(QWEN_MOE, method="lora", lora_targets="all-linear", trainer=t) for t in ("axolotl", "trl"))
    few, many = (stages(j)[0].fixed for j in (apart, peft))
    assert many.adapters > 20 * few.adapters
    assert few.merged == 0 < many.merged
    layer = 3 * 128 * 768 * 2048
    assert many.merged == pytest.approx(3 * layer * 2)
    unchecked = job(QWEN_MOE, method="lora", trainer="trl", gradient_checkpointing=False)
    assert stages(unchecked)[0].fixed.merged == pytest.approx((3 + 48) * layer * 2)
    assert stages(job(LLAMA, method="lora", trainer="trl"))[0].fixed.merged == 0


def test_the_rollout_engine_takes_what_its_weights_need():
    small = job("meta-llama/Llama-3.2-1B-Instruct", method="lora", objective="grpo")
    assert rollout_share(small) == 0.3
    large = job("Qwen/Qwen3-32B", method="qlora", objective="grpo")
    weights = count_parameters(large.architecture).total * 2
    assert rollout_share(large) * large.cluster.device.memory_bytes > weights
    together = job("meta-llama/Llama-3.1-70B-Instruct", gpus=8, method="lora", objective="grpo", sharding="fsdp")
    assert rollout_ranks(together) == 8 and rollout_share(together) == 0.3
    assert rollout_ranks(small) == 1
    assert cache_bytes_per_token(job(LLAMA).architecture) == 32 * 2 * 8 * 128 * 2
    assert cache_bytes_per_token(job(V3).architecture) == 61 * 576 * 2


def test_muon_has_one_moment_but_for_tables():
    adamw, muon, sgd = (
        stages(job(method="full", optimizer=o, trainer="axolotl"))[0].fixed.optimizer for o in ("adamw", "muon", "sgd")
    )
    assert adamw == pytest.approx(EIGHT_B * 4)
    assert muon == pytest.approx(EIGHT_B * 2 + 2 * TABLE * 2)
    assert sgd == 0


def test_experts_apart_cost_what_the_link_takes():
    layout = {"gpus": 8, "method": "full", "trainer": "megatron", "seq_len": 4096, "precision": "bf16-mixed"}
    for card, waits in (("h100-sxm-80gb", False), ("l40s", True)):
        alone, apart = (
            estimate(QWEN_MOE, hardware=card, parallel={"ep": ep}, sharding="none", **layout).finetune.step_s
            for ep in (1, 8)
        )
        assert (apart.terms.get("communication", 0.0) > 0.2 * apart.terms["compute"]) == waits
        assert apart.terms["compute"] == pytest.approx(alone.terms["compute"])
