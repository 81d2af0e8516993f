"""What must hold between jobs whatever they are: more needs no less, better hardware is never slower."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from planner.documents.result import FinetuneResult
from tests.finetune.build import LLAMA, QWEN_MOE, V3, estimate

MODELS = [
    "meta-llama/Llama-3.2-1B-Instruct",
    LLAMA,
    "Qwen/Qwen3-32B",
    "google/gemma-2-9b-it",
    "openai/gpt-oss-20b",
    QWEN_MOE,
    V3,
]
JOBS: list[dict[str, Any]] = [
    {"method": "lora", "gpus": 8, "sharding": "fsdp", "trainer": "axolotl"},
    {"method": "qlora", "trainer": "unsloth"},
    {"method": "full", "gpus": 8, "sharding": "zero3", "trainer": "llama-factory", "precision": "bf16-mixed"},
    {"method": "full", "gpus": 8, "sharding": "fsdp", "trainer": "torchtitan", "gradient_checkpointing": "selective"},
    {"method": "lora", "gpus": 8, "trainer": "megatron", "gradient_checkpointing": False},
    {"method": "dora", "gpus": 2, "sharding": "ddp", "trainer": "trl", "attention": "eager"},
]


def result(**job: Any) -> FinetuneResult:
    return estimate(**{"hardware": "h100-sxm-80gb", **job}).finetune


def never_falls(values: list[float]) -> None:
    assert all(b >= a * (1 - 1e-9) for a, b in pairwise(values)), values


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("job", JOBS, ids=lambda j: f"{j['trainer']}-{j['method']}")
def test_more_tokens_need_more_memory(model, job):
    by_length = [result(model=model, seq_len=n, **job) for n in (512, 4096, 32768, 131072)]
    by_batch = [result(model=model, micro_batch=n, seq_len=1024, **job) for n in (1, 2, 8)]
    for found in (by_length, by_batch):
        for counter in ("allocated", "driver"):
            never_falls([getattr(r, counter).value for r in found])
        assert all(value >= 0 for r in found for value in r.driver.terms.values())
    never_falls([r.tok_s_per_gpu.value for r in by_batch])
    never_falls([-r.max_micro_batch for r in by_length])


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("job", JOBS, ids=lambda j: f"{j['trainer']}-{j['method']}")
def test_speeds_are_those_of_a_machine(model, job):
    for length in (512, 8192, 131072):
        speed = result(model=model, seq_len=length, **job)
        assert 0 < speed.mfu.value < 0.8
        assert 0 < speed.tok_s_per_gpu.low < speed.tok_s_per_gpu.value < speed.tok_s_per_gpu.high
        assert sum(speed.step_s.terms.values()) == pytest.approx(speed.step_s.value)


@pytest.mark.parametrize("sharding", ["fsdp", "zero3"])
def test_more_shards_need_less(sharding):
    found = [result(method="full", gpus=n, sharding=sharding) for n in (2, 4, 8)]
    never_falls([-r.allocated.value for r in found])


def test_higher_ranks_train_more():
    found = [result(method="lora", lora_rank=r, seq_len=1024) for r in (4, 16, 64, 256)]
    never_falls([r.resident.value for r in found])
    never_falls([r.files.checkpoint for r in found])


@pytest.mark.parametrize("job", JOBS[:2], ids=lambda j: f"{j['trainer']}-{j['method']}")
def test_newer_cards_are_faster(job):
    cards = ("rtx-3090", "rtx-4090", "a100-sxm-80gb", "h100-sxm-80gb", "b200-sxm")
    never_falls([result(hardware=card, seq_len=2048, **job).tok_s.value for card in cards])
    larger = ("meta-llama/Llama-3.2-1B-Instruct", LLAMA, "meta-llama/Llama-3.1-70B-Instruct")
    never_falls([-result(model=model, seq_len=2048, **job).tok_s.value for model in larger])
