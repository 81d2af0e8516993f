from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.memory.finetune_moments import stages
from planner.models.parameters import count_parameters
from planner.units import GIB
from tests.finetune.build import LLAMA, QWEN_MOE, V3, estimate, gib, job, library

EIGHT_B = 8.030261248e9


def test_published_bytes_per_parameter_of_full_fine_tuning():
    """Pure bf16 AdamW 10 bytes at the step; fp32 masters under FSDP 20, divided by the GPUs (runs on A100)."""
    pure = estimate(method="full", trainer="transformers", seq_len=512)
    assert gib(pure) * GIB / EIGHT_B == pytest.approx(10.0, rel=0.01)
    assert pure.finetune.moment == "step"
    mixed = estimate(
        gpus=2, method="full", trainer="transformers", seq_len=512, precision="bf16-mixed", sharding="fsdp"
    )
    assert gib(mixed) * GIB / EIGHT_B == pytest.approx(10.0, rel=0.01)


@pytest.mark.parametrize("stage", [1, 2, 3])
def test_zero_stages_shard_what_they_name(stage):
    """DeepSpeed: 2 + 2 bytes and 12 of states; stage 1 shards the states, 2 also gradients, 3 also weights."""
    fixed = stages(job(gpus=8, method="full", sharding=f"zero{stage}", grad_accum=2, hardware="h100-sxm-80gb"))[0].fixed
    each = 8 if stage == 3 else 1
    assert fixed.weights == pytest.approx(EIGHT_B * 2 / each)
    assert fixed.optimizer == pytest.approx(EIGHT_B * 12 / 8)
    assert fixed.gradients == pytest.approx(EIGHT_B * 2 / (8 if stage > 1 else 1))


def test_offload_moves_states_to_the_host():
    here = estimate(gpus=4, method="full", sharding="zero3", optimizer="adamw")
    away = estimate(gpus=4, method="full", sharding="zero3", optimizer="adamw", offload="optimizer")
    everything = estimate(gpus=4, method="full", sharding="zero3", optimizer="adamw", offload="optimizer+params")
    assert gib(everything) < gib(away) < gib(here)
    ram = [r.finetune.host_ram.value for r in (here, away, everything)]
    assert ram[0] < ram[1] < ram[2]
    assert ram[1] >= EIGHT_B * 16


def test_methods_in_their_order():
    sizes = [gib(estimate(method=m, seq_len=1024)) for m in ("full", "dora", "lora", "qlora")]
    assert sizes == sorted(sizes, reverse=True)
    int8 = gib(estimate(weights="bnb-int8", method="lora", seq_len=1024))
    assert sizes[3] < int8 < sizes[2]


def test_qlora_quantises_stacked_experts_too():
    """Mixtral under QLoRA holds about half a byte per parameter, not two."""
    answer = estimate(QWEN_MOE, method="qlora", seq_len=512)
    total = count_parameters(job(QWEN_MOE, method="qlora").architecture).total
    assert answer.finetune.resident.value / total < 0.65


def test_preference_pairs_hold_a_reference_and_two_answers():
    sft, dpo = (estimate(method="full", objective=o, hardware="h200-sxm-141gb") for o in ("sft", "dpo"))
    assert dpo.finetune.resident.value - sft.finetune.resident.value == pytest.approx(EIGHT_B * 2, rel=0.01)
    adapters = [estimate(method="lora", objective=o) for o in ("sft", "dpo")]
    assert adapters[0].finetune.resident.value == adapters[1].finetune.resident.value
    assert adapters[0].finetune.max_seq_len // 2 == adapters[1].finetune.max_seq_len


def test_rollouts_need_an_engine_beside_the_trainer():
    sft, grpo = (estimate(method="lora", objective=o, seq_len=1024) for o in ("sft", "grpo"))
    assert grpo.finetune.allocated.terms["rollout"] == pytest.approx(0.3 * 79.25 * GIB)
    assert grpo.finetune.tok_s.value < sft.finetune.tok_s.value
    assert "rollout" in grpo.finetune.step_s.terms


def test_pipeline_keeps_micro_batches_in_flight():
    """1F1B: the first of four stages holds four micro-batches of a quarter of the layers; interleaving holds more."""
    layout = {"method": "full", "trainer": "megatron", "global_batch": 64, "gradient_checkpointing": False}
    plain = stages(job(gpus=4, parallel={"pp": 4}, **layout))[0]
    one = stages(job(gpus=1, **layout))[0]
    assert plain.moments[0].per_token["activations"] == pytest.approx(one.moments[0].per_token["activations"], rel=0.01)
    chunks = stages(job(gpus=4, parallel={"pp": 4, "vp": 2}, **layout))[0]
    assert chunks.moments[0].per_token["activations"] > plain.moments[0].per_token["activations"]
    last = stages(job(gpus=4, parallel={"pp": 4}, **layout))[1]
    assert plain.tokens.logits == 0 < last.tokens.logits


def test_tensor_and_context_parallelism_divide_activations():
    layout = {"method": "full", "trainer": "megatron", "hardware": "h100-sxm-80gb", "gradient_checkpointing": False}
    one, cut = job(gpus=8, **layout), job(gpus=8, parallel={"tp": 4, "cp": 2}, **layout)
    before, after = (stages(j)[0].moments[0] for j in (one, cut))
    assert after.per_token["activations"] == pytest.approx(before.per_token["activations"] / 4)
    assert cut.tokens == one.tokens / 2


def test_expert_parallelism_divides_experts_only():
    layout = {"method": "full", "trainer": "megatron", "hardware": "h100-sxm-80gb"}
    whole = stages(job(QWEN_MOE, gpus=8, **layout))[0].fixed
    split = stages(job(QWEN_MOE, gpus=8, parallel={"ep": 8}, **layout))[0].fixed
    experts = count_parameters(job(QWEN_MOE, **layout).architecture).routed_experts
    assert whole.weights - split.weights == pytest.approx(experts * 2 * 7 / 8)


def test_checkpointing_in_its_order():
    modes = (False, "selective", True, "offloaded")
    peaks = [
        gib(estimate(method="lora", seq_len=8192, gradient_checkpointing=m, hardware="h200-sxm-141gb")) for m in modes
    ]
    assert peaks == sorted(peaks, reverse=True)
    offloaded = estimate(method="lora", seq_len=8192, micro_batch=8, gradient_checkpointing="offloaded").finetune
    assert offloaded.host_ram.terms["activations"] == pytest.approx(8 * 8192 * 32 * 4096 * 2)


def test_accumulation_without_reduction_keeps_whole_gradients():
    """litgpt's 7B full runs on 4 x 24 GB ended out of memory."""
    answer = estimate("meta-llama/Llama-2-7b-hf", hardware="a10g", gpus=4, method="full", trainer="litgpt",
                      sharding="fsdp", seq_len=512, micro_batch=4, global_batch=64)  # fmt: skip
    assert answer.verdict == "does-not-fit"


def test_paged_states_are_the_driver_s():
    answer = estimate(method="full", optimizer="paged-adamw-8bit", seq_len=1024).finetune
    assert "optimizer" not in answer.allocated.terms
    assert answer.driver.terms["paged"] == pytest.approx(EIGHT_B * 2.04, rel=0.01)


def test_conversion_of_fp8_and_host_memory_of_processors():
    """DeepSeek-V3: 688 GB become 1.34 TB; KTransformers holds the experts in 1.2-1.3 TB of RAM."""
    files = estimate(V3, hardware="h100-sxm-80gb", gpus=8, method="lora").finetune.files
    assert files.base == pytest.approx(672e9, rel=0.03)
    assert files.converted == pytest.approx(1.342e12, rel=0.01)
    assert files.disk > files.base + files.converted + files.merged
    hybrid = estimate(V3, hardware="rtx-4090", gpus=4, method="lora", trainer="ktransformers", seq_len=2048).finetune
    assert hybrid.host_ram.value == pytest.approx(1.3e12, rel=0.1)


SHAPES = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["full", "lora", "qlora", "dora"]),
        "seq_len": st.sampled_from([128, 2048, 16384]),
        "micro_batch": st.sampled_from([1, 3, 8]),
        "grad_accum": st.sampled_from([1, 4]),
        "sharding": st.sampled_from(["none", "ddp", "zero1", "zero2", "zero3", "fsdp"]),
        "gpus": st.sampled_from([1, 2, 8]),
        "precision": st.sampled_from(["bf16", "bf16-mixed", "fp8-mixed", "fp32"]),
        "objective": st.sampled_from(["sft", "dpo", "grpo"]),
        "offload": st.sampled_from(["none", "optimizer", "optimizer+params"]),
        "gradient_checkpointing": st.sampled_from([True, False, "selective", "offloaded"]),
        "fused_cross_entropy": st.booleans(),
        "compile": st.booleans(),
    }
)


@settings(max_examples=40, deadline=None)
@given(SHAPES)
def test_sums_order_and_limits_hold_for_any_job(shape):
    shape = {**shape, "hardware": "h100-sxm-80gb"}
    answer = estimate(**shape)
    result = answer.finetune
    for counter in (result.allocated, result.reserved, result.driver, result.resident):
        assert math.isclose(sum(counter.terms.values()), counter.value, rel_tol=1e-9, abs_tol=1)
        assert 0 <= counter.low <= counter.value <= counter.high < math.inf
    assert result.resident.value <= result.allocated.value <= result.reserved.value <= result.driver.value
    longest, most = result.max_seq_len, result.max_micro_batch
    assert (answer.verdict in ("fits", "tight")) == (longest >= shape["seq_len"]) == (most >= shape["micro_batch"])
    if 2 < longest < 131072:
        assert estimate(**{**shape, "seq_len": longest - 1}).verdict in ("fits", "tight")
        assert estimate(**{**shape, "seq_len": longest + 2}).verdict == "does-not-fit"


def test_the_way_out_is_computed():
    answer = estimate(hardware="rtx-4090", method="lora", micro_batch=8, gradient_checkpointing=False, seq_len=4096)
    assert answer.verdict == "does-not-fit"
    change = next(p.change for p in answer.problems if p.rule == "does-not-fit")
    table = {key.removeprefix("finetune."): value for key, value in change.items()}
    fixed = estimate(hardware="rtx-4090", **{"method": "lora", "seq_len": 4096, **table})
    assert fixed.verdict in ("fits", "tight")


def test_tied_heads_count_once_but_where_a_trainer_copies_them():
    tied = "meta-llama/Llama-3.2-1B-Instruct"
    assert library().catalogue.get(tied)
    shared, copied = (stages(job(tied, method="lora", trainer=t))[0].fixed.weights for t in ("axolotl", "litgpt"))
    assert copied - shared == pytest.approx(128256 * 2048 * 2)


def test_model_of_the_tests_is_the_published_one():
    assert count_parameters(job(LLAMA).architecture).total == EIGHT_B
