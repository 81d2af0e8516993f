"""Values that no model, card or command has: a typed answer always, and never a "fits" from an overflow."""

from __future__ import annotations

import copy
import json
import math
from functools import cache
from typing import Any

import pytest

from planner.documents.encode import to_json
from planner.documents.files import parse_deployment
from planner.documents.result import EstimateDocument
from planner.errors import PlannerError
from planner.library import Library
from planner.predict import predict
from tests.memory import build

HOSTILE = (0, -1, 3, 10**12, 10**30, 1e300, "8", "x", [1], {}, True, 1.5, math.nan, math.inf, -math.inf, "\x00")
SIZES = (
    "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "hidden_size", "vocab_size",
    "intermediate_size", "max_position_embeddings", "head_dim", "sliding_window",
)  # fmt: skip
SERVING = (
    "tp", "pp", "dp", "ep", "dcp", "attention_dp", "max_model_len", "max_num_seqs", "max_num_batched_tokens",
    "gpu_memory_utilization", "block_size", "cpu_offload_bytes", "kv_offload_bytes", "prefix_caching", "ubatch",
    "parallel", "attention_max_bytes", "speculative", "lora", "n_gpu_layers", "experts_on_cpu",
)  # fmt: skip
ENGINES = ("vllm", "sglang", "trtllm", "llama.cpp", "ik_llama.cpp")


@cache
def library() -> Library:
    return Library()


def asked(engine: str, table: str, key: str, value: object) -> dict[str, Any]:
    local = "llama" in engine
    document: dict[str, Any] = {
        "schema": "deploy-planner/deployment/1",
        "model": {"id": "x", "weights": "gguf:Q4_K_M" if local else "bf16", "config": copy.deepcopy(build.LLAMA_8B)},
        "hardware": {"accelerator": "h100-sxm-80gb", "per_node": 8, "host": {}},
        "engine": {"name": engine},
        "serving": {"max_model_len": 8192},
    }
    place = {"config": document["model"]["config"], "host": document["hardware"]["host"]}.get(table)
    (document[table] if place is None else place)[key] = value
    return document


def said(document: dict[str, Any]) -> EstimateDocument | None:
    """The answer; None where the document is refused with a reason."""
    try:
        return predict(parse_deployment(document, "test"), library())
    except PlannerError as error:
        assert str(error)
        return None


def check(answer: EstimateDocument | None) -> None:
    if answer is not None:
        json.loads(to_json(answer), parse_constant=lambda name: pytest.fail(f"{name} in the answer"))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("value", HOSTILE, ids=repr)
def test_every_answer_is_typed_and_finite(engine: str, value: object) -> None:
    for key in SIZES:
        check(said(asked(engine, "config", key, value)))
    for key in SERVING:
        check(said(asked(engine, "serving", key, value)))
    for key in ("ram_bytes", "disk_bytes_s", "memory_bandwidth_bytes_s"):
        check(said(asked(engine, "host", key, value)))
    for key in ("memory_bytes", "per_node", "nodes"):
        check(said(asked(engine, "hardware", key, value)))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("key", ["num_hidden_layers", "hidden_size", "vocab_size", "intermediate_size"])
def test_absurd_sizes_never_fit(engine: str, key: str) -> None:
    for value in (10**9, 10**12, 10**30):
        answer = said(asked(engine, "config", key, value))
        assert answer is None or answer.verdict not in ("fits", "tight")


@pytest.mark.parametrize("engine", ENGINES)
def test_absurd_lengths_never_fit(engine: str) -> None:
    answer = said(asked(engine, "serving", "max_model_len", 10**12))
    assert answer is None or answer.verdict not in ("fits", "tight")
    draft = {"method": "eagle3", "tokens": 10**6, "draft": "../../etc"}
    check(said(asked(engine, "serving", "speculative", draft)))
    check(said(asked(engine, "serving", "lora", {"max_rank": 10**6, "adapters": 10**6})))


def test_heads_that_do_not_divide_are_named() -> None:
    document = asked("vllm", "config", "num_key_value_heads", 3)
    document["serving"]["tp"] = 2
    answer = said(document)
    assert answer is not None and answer.verdict == "illegal"
    assert any("heads" in problem.rule for problem in answer.problems)
    assert all(problem.fix for problem in answer.problems if problem.severity == "error")
