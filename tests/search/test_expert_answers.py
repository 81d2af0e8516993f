"""The first answer is what an expert would start."""

from __future__ import annotations

from planner.models.quality import at_least
from tests.search.build import (
    engine_of,
    first,
    library,
    model_of,
    planned,
    rules,
    serving_of,
    small_machine,
    weights_of,
)  # fmt: skip

BATCHING = {"vllm", "sglang", "trtllm"}


def test_deepseek_r1_on_eight_h200() -> None:
    """FP8, all eight cards in one group: TP8, or attention groups with the experts spread."""
    document = planned("8xH200-SXM", "deepseek-ai/DeepSeek-R1", "deepseek-ai/DeepSeek-R1")
    best, serving = first(document), serving_of(first(document))
    assert (document.verdict, weights_of(best)) == ("fits", "fp8")
    assert engine_of(best) in BATCHING
    assert serving["tp"] * serving["attention_dp"] == 8 and serving["pp"] == 1
    assert serving["attention_dp"] == 1 or serving["ep"] == 8
    assert best.estimate.performance is not None and best.gpus_used == 8


def test_the_best_of_the_catalogue_on_eight_h200_is_a_frontier_model() -> None:
    document = planned("8xH200-SXM")
    row = library().catalogue.get(model_of(first(document)))
    assert row.tier == "frontier" and (row.parameters_total or 0) > 300e9
    assert len({model_of(c) for c in document.candidates}) >= 3


def test_qwen3_32b_on_one_4090() -> None:
    """AWQ int4, with the context that is left: more than the workload needs, less than the model's own."""
    document = planned("rtx-4090", "Qwen/Qwen3-32B")
    best = first(document)
    assert (weights_of(best), engine_of(best)) == ("awq-int4", "vllm")
    assert 4096 <= serving_of(best)["max_model_len"] < 32768
    memory = best.estimate.memory
    assert memory is not None and memory.kv_tokens.value >= serving_of(best)["max_model_len"]
    assert any("memory ends the context" in reason for reason in best.reasons)


def test_deepseek_r1_on_eight_a100() -> None:
    """No FP8 units, and FP8 weights would not fit: 4 bits, or more nodes."""
    best = first(planned("8xA100-SXM-80GB", "deepseek-ai/DeepSeek-R1"))
    assert weights_of(best) == "awq-int4"
    only_fp8 = planned("8xA100-SXM-80GB", "deepseek-ai/DeepSeek-R1", weights=("fp8",))
    assert only_fp8.verdict == "does-not-fit" and not only_fp8.candidates
    (way_out,) = [r for r in only_fp8.rejected if r.rule == "does-not-fit"]
    assert way_out.change == {"hardware.nodes": 2} and "2 nodes" in way_out.fix


def test_this_kind_of_small_machine() -> None:
    """A small GGUF on llama.cpp, and no speed that two cores cannot have."""
    document = planned(small_machine())
    best = first(document)
    assert engine_of(best) == "llama.cpp" and weights_of(best).startswith("gguf:")
    row = library().catalogue.get(model_of(best))
    assert (row.parameters_total or 0) < 40e9
    speed = best.estimate.performance
    assert speed is not None and speed.tpot_s is not None and 0.03 < speed.tpot_s.value < 0.5
    assert speed.tpot_s.origin in ("formula", "assumed") and speed.tpot_s.low < speed.tpot_s.high


def test_gpt_oss_120b_on_a_dgx_spark() -> None:
    best = first(planned("gb10", "openai/gpt-oss-120b"))
    assert best.estimate.verdict == "fits" and at_least(weights_of(best), "int4")
    assert best.gpus_used == 1 and engine_of(best) in BATCHING | {"llama.cpp"}


def test_qwen3_235b_on_eight_mi300x() -> None:
    document = planned("8xMI300X", "Qwen/Qwen3-235B-A22B")
    best = first(document)
    assert engine_of(best) in ("vllm", "sglang") and weights_of(best) in ("fp8", "bf16")
    assert {engine_of(c) for c in document.candidates} <= {"vllm", "sglang", "llama.cpp"}


def test_a_70b_on_four_l40s() -> None:
    """FP8 is native there and leaves room for the cache; BF16 hardly fits."""
    best = first(planned("4xL40S", "meta-llama/Llama-3.3-70B-Instruct"))
    assert weights_of(best) == "fp8" and best.gpus_used == 4


def test_deepseek_r1_on_two_nodes_of_h100() -> None:
    """Without a named network stages cross the nodes; over InfiniBand tensor ranks may as well."""
    document = planned("2x8xH100-SXM", "deepseek-ai/DeepSeek-R1", weights=("fp8",))
    serving = serving_of(first(document))
    assert (serving["tp"] * serving["attention_dp"], serving["pp"]) == (8, 2)
    assert "tp-across-nodes-needs-fabric" in rules(document)


def test_fabric_allows_groups_across_nodes() -> None:
    from dataclasses import replace

    from tests.search.build import hardware

    fabric = library().database.fabric("infiniband-ndr").id
    inventory = replace(hardware("2x8xH100-SXM"), fabric=fabric)
    document = planned(inventory, "deepseek-ai/DeepSeek-R1", weights=("fp8",), limit=20)
    groups = {serving_of(c)["tp"] * serving_of(c)["attention_dp"] for c in document.candidates}
    assert 16 in groups and "tp-across-nodes-needs-fabric" not in rules(document)
    assert all(c.deployment["hardware"]["nodes"] == 2 for c in document.candidates)
