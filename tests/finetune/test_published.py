"""What trainers publish of themselves, beside the measured cases: contexts that fit, tokens per second."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.memory.finetune_job import job_of
from planner.memory.finetune_limits import most_tokens
from planner.memory.finetune_moments import stages
from planner.resolve import resolve
from planner.units import GIB
from tests.finetune.build import LLAMA, document, estimate, library

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
"""(model, GiB of the card, longest context): QLoRA of rank 32 on all linear layers, one sample (unsloth's README)."""


@pytest.mark.parametrize(("model", "memory", "context"), UNSLOTH)
def test_longest_contexts_that_unsloth_publishes(model, memory, context):
    deployment = document(
        model, method="qlora", trainer="unsloth", seq_len=1024, lora_rank=32, lora_targets="all-linear",
        gradient_checkpointing="offloaded", optimizer="adamw-8bit", fused_cross_entropy=True, fused_kernels=True,
    )  # fmt: skip
    hardware = replace(deployment.hardware, memory_bytes=memory * GIB)
    job = job_of(resolve(replace(deployment, hardware=hardware), library()))
    assert most_tokens(job, stages(job)) == pytest.approx(context, rel=0.15)


TORCHTITAN = [({}, 5_762), ({"compile": True}, 6_667), ({"compile": True, "precision": "fp8-mixed"}, 8_532)]
"""Llama-3.1-8B on 8 H100, FSDP, two samples of 8192 tokens, selective checkpoints (its performance page)."""


@pytest.mark.parametrize(("changes", "tok_s"), TORCHTITAN)
def test_tokens_per_second_that_torchtitan_publishes(changes, tok_s):
    job = {
        "precision": "bf16-mixed",
        "gradient_checkpointing": "selective",
        "seq_len": 8192,
        "micro_batch": 2,
        **changes,
    }
    answer = estimate(
        hardware="h100-sxm-80gb",
        gpus=8,
        trainer="torchtitan",
        method="full",
        objective="pretrain",
        sharding="fsdp",
        **job,
    )
    speed = answer.finetune.tok_s_per_gpu
    assert speed.value == pytest.approx(tok_s, rel=0.2)
    assert speed.low <= tok_s <= speed.high
