"""What is listed as assumed: settings that the engine has, and none of another's."""

from __future__ import annotations

import pytest

from planner.documents.deployment import Deployment
from planner.documents.files import parse_deployment
from planner.engines.defaults import own_settings
from planner.engines.registry import engine_profile, engines
from planner.library import Library
from planner.resolve import resolve

LIBRARY = Library(())
SLOTS = {"ubatch", "parallel", "flash_attention"}
PAGES = {"gpu_memory_utilization", "max_num_seqs", "block_size"}


def served_by(engine: str, serving: dict[str, object]) -> Deployment:
    document = {
        "model": {"id": "meta-llama/Llama-3.1-8B-Instruct", "weights": "bf16"},
        "hardware": {"accelerator": "h100-sxm-80gb", "per_node": 1, "nodes": 1},
        "engine": {"name": engine},
        "serving": serving,
    }
    return parse_deployment(document, "test")


def told(engine: str, **serving: object) -> set[str]:
    """Settings listed as assumed."""
    keys = resolve(served_by(engine, serving), LIBRARY).assumed
    return {key.removeprefix("serving.") for key in keys if key.startswith("serving.")}


@pytest.mark.parametrize("engine", engines())
def test_only_settings_of_the_engine_are_listed(engine: str) -> None:
    listed = told(engine)
    own = own_settings(engine_profile(engine))
    assert listed & (SLOTS | PAGES) <= own
    assert {"max_model_len", "kv_cache_dtype"} <= listed
    assert own - {"kv_offload_bytes", "prefix_caching"} <= listed, "what it has and nobody said is listed"


@pytest.mark.parametrize("engine", ["vllm", "sglang", "trtllm", "vllm-ascend", "vllm-gaudi", "mindie"])
def test_engines_with_pages_have_no_slots(engine: str) -> None:
    assert not told(engine) & SLOTS
    assert told(engine) >= PAGES


@pytest.mark.parametrize("engine", ["llama.cpp", "ik_llama.cpp", "ollama"])
def test_engines_with_slots_have_no_pages(engine: str) -> None:
    assert told(engine) >= SLOTS
    assert not told(engine) & PAGES


def test_what_is_said_is_not_assumed_and_what_is_unlisted_still_counts() -> None:
    assert told("llama.cpp") - told("llama.cpp", ubatch=1024) == {"ubatch"}
    serving = resolve(served_by("vllm", {}), LIBRARY).serving
    assert (serving.ubatch, serving.parallel, serving.flash_attention) == (512, 1, True)
