from __future__ import annotations

import pytest

from hwdb.schema import Accelerator
from planner.cost.power import TrainingStage, training_cost
from planner.errors import UnknownFact
from planner.models.parameters import count_parameters
from planner.performance.finetune import peak_of
from planner.performance.finetune_work import attention_flop_per_token, work_per_token
from tests.finetune.build import LLAMA, V3, estimate, job, library


def test_flops_are_six_per_weight_and_less_for_a_frozen_base():
    full, lora = (job(method=m, gradient_checkpointing=False, seq_len=128) for m in ("full", "lora"))
    active = count_parameters(full.architecture).active
    attention = attention_flop_per_token(full.architecture, 128)
    assert work_per_token(full).model == pytest.approx(6 * active + 3 * attention)
    assert work_per_token(lora).model == pytest.approx(4 * active + 3 * attention)
    again = work_per_token(job(method="full", gradient_checkpointing=True, seq_len=128))
    assert again.executed == pytest.approx(8 * active + 4 * attention)


def test_pretraining_of_deepseek_v3_takes_its_published_hours():
    """2.664 M H800 hours for 14.8 T tokens: 16 stages, 64-way experts, FP8, no tensor ranks (arXiv:2412.19437)."""
    answer = estimate(V3, hardware="h800-sxm-80gb", gpus=8, nodes=256, method="full", trainer="megatron",
                      objective="pretrain", precision="fp8-mixed", seq_len=4096, global_batch=15360,
                      sharding="zero1", parallel={"pp": 16, "ep": 64}, gradient_checkpointing="selective",
                      tokens=14.8e12)  # fmt: skip
    assert answer.finetune.gpu_hours.value == pytest.approx(2.664e6, rel=0.15)
    assert answer.verdict in ("fits", "tight")


def test_the_three_stages_cost_what_was_published():
    stages = (
        TrainingStage("pre-training", 2.664e6),
        TrainingStage("context extension", 0.119e6),
        TrainingStage("post-training", 0.005e6),
    )
    assert training_cost(stages, 2.0).value == 5.576e6


@pytest.mark.parametrize(("model", "tok_s"), [(V3, 40.35), ("deepseek-ai/DeepSeek-V2-Lite", 530.38)])
def test_experts_on_processors(model, tok_s):
    """KTransformers' published LoRA speeds on two processors with AMX; one rate explains both."""
    result = estimate(model, hardware="rtx-4090", gpus=1, method="lora", trainer="ktransformers", seq_len=2048).finetune
    assert result.tok_s.value == pytest.approx(tok_s, rel=0.25)
    assert result.bound == "processors"


def test_slow_links_cost_time_and_fast_ones_do_not():
    fast, slow = (
        estimate(hardware=h, gpus=8, method="full", sharding="fsdp", seq_len=2048).finetune
        for h in ("h100-sxm-80gb", "l40s")
    )
    assert "communication" not in fast.step_s.terms
    assert slow.step_s.terms["communication"] > slow.step_s.terms["compute"]


def test_pipeline_bubbles_shrink_with_micro_batches():
    layout = {"gpus": 8, "method": "full", "trainer": "megatron", "hardware": "h100-sxm-80gb", "parallel": {"pp": 8}}
    few, many = (estimate(global_batch=b, **layout).finetune.tok_s.value for b in (8, 128))
    assert many == pytest.approx(few * (1 + 7 / 8) / (1 + 7 / 128), rel=0.01)


def test_time_energy_and_money_of_a_run():
    result = estimate(LLAMA, method="lora", tokens=10e6, epochs=2).finetune
    assert result.hours.value == pytest.approx(20e6 / result.tok_s.value / 3600)
    assert result.gpu_hours.value == result.hours.value
    assert 200 < result.energy_wh.value / result.hours.value < 1000
    assert 0.3 < result.money.value / result.gpu_hours.value < 10
    assert result.money.low <= result.money.value <= result.money.high


def test_a_chip_without_a_known_peak_is_an_unknown_fact():
    with pytest.raises(UnknownFact):
        peak_of(Accelerator(id="some-chip", vendor="someone", name="Some Chip"), "bf16")


def test_every_accelerator_answers_or_says_what_is_missing():
    for row in library().database.accelerators():
        answer = estimate(hardware=row.id, method="qlora", seq_len=512)
        assert answer.verdict in ("fits", "tight", "does-not-fit", "illegal", "unknown")
        known = any(name in row.peak_flop_s for name in ("bf16", "fp16"))
        assert (answer.finetune.tok_s is not None) == known
