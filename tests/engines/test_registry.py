from __future__ import annotations

from dataclasses import replace

import pytest

from planner.data import read_toml
from planner.engines.defaults import Placement, serving_defaults, vision_share
from planner.engines.registry import backend_of, engine_profile, engines
from planner.engines.version import in_range
from planner.errors import UnknownName
from planner.models.architecture import Architecture, VisionTower
from planner.units import GIB


@pytest.mark.parametrize("name", engines())
def test_every_profile_says_where_each_fact_comes_from(name):
    document = read_toml(f"engines/profiles/{name}.toml")
    assert document["name"] == name
    for row in document["rows"]:
        assert len(row["source"]) > 20
        in_range((1,), row.get("versions", ""))
    profile = engine_profile(name)
    assert profile.sources["defaults.max_num_seqs"]
    assert serving_defaults(profile, 80 * GIB)["max_num_batched_tokens"] > 0


def test_unknown_engine_names_the_nearest():
    with pytest.raises(UnknownName) as error:
        engine_profile("vlm")
    assert error.value.nearest[0][0] == "vllm"


@pytest.mark.parametrize(
    ("written", "name"), [("TensorRT-LLM", "trtllm"), ("VLLM", "vllm"), ("ik_llama.cpp", "ik_llama.cpp")]
)
def test_aliases(written, name):
    assert engine_profile(written).name == name


def test_versions_that_cannot_be_read_take_the_newest_and_say_so():
    newest, commit, future = (engine_profile("vllm", v) for v in (None, "2841a84ac", "9.0"))
    assert not newest.exact and not commit.exact and not future.exact
    assert newest.facts == commit.facts
    share = "gpu_memory_utilization"  # the smaller one is safe on every release
    assert newest.facts["defaults"][share] <= future.facts["defaults"][share]
    assert {**newest.facts["defaults"], share: 0} == {**future.facts["defaults"], share: 0}
    sampler = [p.fact("activations.sampler_bytes") for p in (newest, future)]
    assert sampler[0] > sampler[1], "without a release the largest peak of all releases is taken"
    assert engine_profile("vllm", "0.19.0").exact
    assert engine_profile("llama.cpp", "0.3.1").release is None


def test_vllm_defaults_by_version_and_card():
    h100 = serving_defaults(engine_profile("vllm", "0.19.0"), 79 * GIB)
    assert (h100["max_num_seqs"], h100["max_num_batched_tokens"], h100["gpu_memory_utilization"]) == (1024, 8192, 0.9)
    a100 = serving_defaults(engine_profile("vllm", "0.19.0"), 79 * GIB, None, Placement(accelerator="a100-sxm-80gb"))
    assert (a100["max_num_seqs"], a100["max_num_batched_tokens"]) == (256, 2048)
    assert serving_defaults(engine_profile("vllm", "0.33.0"), 79 * GIB)["gpu_memory_utilization"] == 0.92
    old = serving_defaults(engine_profile("vllm", "0.6.6"), 79 * GIB, None, Placement(max_model_len=8192))
    assert old["max_num_batched_tokens"] == 8192


def test_sglang_static_fraction_follows_its_rule():
    h100 = serving_defaults(engine_profile("sglang", "0.5.6"), 79 * GIB, None, Placement(tp=8))
    reserve = 512 + 8192 * 1.5 + 512 * 2 + 1024
    assert h100["gpu_memory_utilization"] == pytest.approx((79 * 1024 - reserve) / (79 * 1024), abs=1e-3)
    small = serving_defaults(engine_profile("sglang"), 2 * GIB)
    assert 0 < small["gpu_memory_utilization"] < 1


def test_backends():
    assert [backend_of(v) for v in ("nvidia", "amd", "cpu")] == ["cuda", "rocm", "cpu"]


def test_sglang_lowers_its_share_for_a_vision_tower():
    """A tower of 27 layers of 1,152 (1.42 × ViT-L): 0.95 × (1 − 0.1 × 0.42)."""
    rule = engine_profile("sglang").fact("defaults.static_fraction")
    tower = VisionTower(16, 27, 1152, 4304)
    text = Architecture("x", "decoder", 64, 64, 64, (), (), (), (), True)
    assert vision_share(rule, replace(text, vision_tower=tower)) == pytest.approx(0.9097, abs=1e-4)
    assert vision_share(rule, text) == 1.0
