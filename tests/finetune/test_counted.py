"""Named parts against what autograd, gradients and AdamW of real models hold: 42 jobs counted without a GPU.

``tests/truth/finetune_counted.json`` was written by ``benchmarks/count_training.py``: ten families built from configs
with small widths, trained in full (16 bits, and fp32 under autocast) and through LoRA and DoRA of peft.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks.truth import TRUTH
from planner.memory.finetune_activations import Saving, layer_bytes_per_token
from planner.memory.finetune_adapters import EXPERTS_TOO, Adapters, adapter_parameters, adapts_experts
from planner.memory.finetune_tokens import SCORE_BYTES
from planner.models.architecture import Architecture
from planner.models.hf_config import architecture_from_config
from planner.models.parameters import count_parameters

FILE = json.loads((TRUTH / "finetune_counted.json").read_text(encoding="utf-8"))
JOBS = {job["name"]: job for job in FILE["jobs"]}
SHORT = {"q_proj": "q", "k_proj": "k", "v_proj": "v", "o_proj": "o"}
BESIDE = 0.15
"""Of a layer's activations, that may be missing or too much."""
FUSED_HERE = {"phi3-lora-all"}
"""transformers holds Phi-3's Q, K, V (and gate, up) as one weight: an adapter of the whole instead of one for each."""


def architecture(job: dict[str, Any]) -> Architecture:
    return architecture_from_config(job["config"])


def adapters(job: dict[str, Any]) -> Adapters:
    targets = job["targets"]
    if isinstance(targets, list):
        return Adapters(job["rank"], tuple(SHORT[name] for name in targets), job["method"] == "dora", True)
    experts = any(t.part == "experts" for kind in architecture(job).layer_kinds for t in kind.tensors)
    return Adapters(job["rank"], targets + (EXPERTS_TOO if experts else ""), job["method"] == "dora", True)


def test_many_families_and_methods_were_counted():
    assert len(JOBS) >= 40
    assert len({job["config"]["model_type"] for job in JOBS.values()}) >= 9
    assert {job["method"] for job in JOBS.values()} == {"full", "lora", "dora"}


@pytest.mark.parametrize("name", sorted(set(JOBS) - FUSED_HERE))
def test_trained_parameters_are_exact(name):
    job = JOBS[name]
    whole = job["method"] == "full"
    mine = count_parameters(architecture(job)).total if whole else adapter_parameters(architecture(job), adapters(job))
    assert mine == job["counted"]["trained"]


@pytest.mark.parametrize("name", JOBS)
def test_gradients_and_states_are_as_wide_as_what_is_trained(name):
    job = JOBS[name]
    width = 2 if job["method"] == "full" and job.get("weights") != "fp32" else 4
    assert job["counted"]["gradients"] == width * job["counted"]["trained"]
    assert job["counted"]["states"] == 2 * width * job["counted"]["trained"]


def saving(job: dict[str, Any]) -> Saving:
    scores = SCORE_BYTES * job["tokens"] if job.get("attention") == "eager" else 0.0
    if job["method"] == "full":
        return Saving(autocast=job.get("weights") == "fp32", scores=scores)
    copies = 2.0 if job.get("autocast") else 4.0
    return Saving(targets=adapters(job).targets, copies=copies, dora=job["method"] == "dora", scores=scores)


def beside(job: dict[str, Any], model: Architecture) -> float:
    """Bytes per token of what a layer keeps whatever its tokens: casts under autocast, experts with adapters added."""
    layer, found = model.layers[-1], 0.0
    if saving(job).autocast:
        found = sum(t.numel for t in layer.tensors if len(t.shape) > 1)
    elif job["method"] != "full" and adapts_experts(model, adapters(job).targets):
        found = sum(t.numel for t in layer.tensors if t.part == "experts")
    return 2.0 * found / (job["tokens"] * job["sequences"])


DENSE_OR_16_BITS = [n for n, j in JOBS.items() if not (saving(j).autocast and "expert" in json.dumps(j["config"]))]
"""Under autocast the grouped products of experts cast in ways of their own, which no trainer uses."""


@pytest.mark.parametrize("name", DENSE_OR_16_BITS)
def test_kept_activations(name):
    job = JOBS[name]
    model = architecture(job)
    mine = layer_bytes_per_token(model, model.layers[-1], saving(job)) + beside(job, model)
    assert mine == pytest.approx(job["counted"]["layers"][-1], rel=BESIDE)
