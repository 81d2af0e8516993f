"""What trainers publish of themselves, beside the measured cases: contexts that fit, memory, tokens per second."""

from __future__ import annotations

import statistics
from functools import cache

import pytest

from planner.documents.result import FinetuneResult
from planner.memory.finetune_limits import most_tokens
from planner.memory.finetune_moments import stages
from planner.units import GIB, GIGA
from tests.finetune.build import LLAMA, estimate, job
from tests.finetune.published import rows

ROWS = {row.name: row for row in rows()}
UNSLOTH = [
    (LLAMA, 12, 21_848),
    (LLAMA, 16, 40_724),
    (LLAMA, 24, 78_475),
    (LLAMA, 40, 153_977),
    (LLAMA, 48, 191_728),
    (LLAMA, 80, 342_733),
    ("meta-llama/Llama-3.1-70B-Instruct", 48, 12_106),
    ("meta-llama/Llama-3.1-70B-Instruct", 80, 89_389),
]
"""(model, GiB of the card, longest context): QLoRA of rank 32 on all linear layers, one sample (its benchmarks)."""
BESIDE = {"memory": (0.12, 0.35), "tok_s": (0.15, 0.5)}
"""(median, worst) error over all rows."""


@pytest.mark.parametrize(("model", "memory", "context"), UNSLOTH)
def test_longest_contexts_that_unsloth_publishes(model, memory, context):
    asked = job(
        model, method="qlora", trainer="unsloth", seq_len=1024, lora_rank=32, lora_targets="all-linear",
        gradient_checkpointing="offloaded", optimizer="adamw-8bit", fused_cross_entropy=True, fused_kernels=True,
        memory_bytes=memory * GIB,
    )  # fmt: skip
    assert most_tokens(asked, stages(asked)) == pytest.approx(context, rel=0.15)


def test_liger_fits_to_16k_where_plain_kernels_end_between_2k_and_8k():
    """Its README: 8B in full over 8 A100 with FSDP, 8 samples a GPU."""
    shared = {"gpus": 8, "method": "full", "sharding": "fsdp", "micro_batch": 8, "trainer": "transformers"}
    for length, fused, fits in ((2048, False, True), (8192, False, False), (16384, True, True), (32768, True, False)):
        answer = estimate(**shared, seq_len=length, fused_kernels=fused, fused_cross_entropy=fused)
        assert (answer.verdict in ("fits", "tight")) == fits, (length, fused)


@cache
def predicted(name: str) -> FinetuneResult:
    return estimate(**ROWS[name].job).finetune


def errors(figure: str) -> dict[str, float]:
    found = {}
    for name, row in ROWS.items():
        if figure == "tok_s" and row.tok_s_per_gpu:
            found[name] = predicted(name).tok_s_per_gpu.value / row.tok_s_per_gpu - 1
        elif figure == "memory" and row.reserved_gib:
            found[name] = predicted(name).reserved.value / GIB / row.reserved_gib - 1
        elif figure == "memory" and row.driver_gb:
            found[name] = predicted(name).driver.value / GIGA / row.driver_gb - 1
    return found


@pytest.mark.parametrize("figure", BESIDE)
def test_published_tables(figure):
    found = errors(figure)
    assert len(found) >= 25
    middle, worst = BESIDE[figure]
    assert statistics.median(map(abs, found.values())) <= middle
    assert not {name: round(error, 2) for name, error in found.items() if abs(error) > worst}


@pytest.mark.parametrize(("model", "gpus", "gib"), [("openai/gpt-oss-20b", 2, 21), ("openai/gpt-oss-120b", 8, 49)])
def test_offloaded_recipes_of_axolotl_with_the_offload_that_they_name(model, gpus, gib):
    """Rows of the truth table say offload = none under these names; with the recipe's own setting they are met."""
    answer = estimate(
        model, hardware="h100-sxm-80gb", gpus=gpus, method="full", trainer="axolotl", sharding="fsdp", grad_accum=2,
        optimizer="adamw-fused", fused_cross_entropy=True, offload="optimizer+params", packing=True,
    )  # fmt: skip
    assert answer.finetune.reserved.value / GIB == pytest.approx(gib, rel=0.25)
