"""What must hold for any load on any layout: physics, order in load, more of anything never hurts.

Prompts of hundreds of tokens and more: those of a few share steps, the more the slower a step is, so that a faster
device or a lower load can make each of them dearer by a per cent or so.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.documents.result import Performance
from planner.models.parameters import count_parameters
from planner.resolved import Resolved
from tests.performance.builders import LLAMA_8B, LLAMA_70B, QWEN3_30B, deployment, speed

NAMES = ("ttft_s", "tpot_s", "output_tok_s", "request_s", "ttft_p50_s", "ttft_p95_s", "ttft_p99_s")
CONFIGS = {"8B": LLAMA_8B, "70B": LLAMA_70B, "MoE": QWEN3_30B}
LAYOUTS: tuple[dict[str, int], ...] = ({"tp": 4}, {"tp": 8}, {"tp": 4, "pp": 2}, {"tp": 2, "attention_dp": 4, "ep": 8})
ENGINES = (("vllm", "0.19.0"), ("vllm", "0.7.3"), ("sglang", "0.5.6"), ("trtllm", "1.0"))

cases = st.fixed_dictionaries(
    {
        "config": st.sampled_from(sorted(CONFIGS)),
        "layout": st.sampled_from(LAYOUTS),
        "engine": st.sampled_from(ENGINES),
        "chip": st.sampled_from(["h100-sxm-80gb", "b200-sxm", "mi300x", "a100-sxm-80gb"]),
        "isl": st.integers(1000, 20000),
        "osl": st.integers(100, 4000),
        "hits": st.sampled_from([0.0, 0.5]),
    }
).filter(lambda case: "attention_dp" not in case["layout"] or case["config"] == "MoE")
TIMED_LINKS = ("h100-sxm-80gb", "b200-sxm", "a100-sxm-80gb")
"""Chips with collectives of their own; others take the nearest link's, which may be another one for a faster link."""
few = settings(max_examples=40, deadline=None, derandomize=True)


def at(case: dict[str, Any], **load: Any) -> Resolved:
    name, version = case["engine"]
    work = {"isl": case["isl"], "osl": case["osl"], "prefix_hit_rate": case["hits"]} | load
    return deployment(
        CONFIGS[case["config"]],
        hardware={"accelerator": case["chip"], "per_node": 8},
        engine={"name": name, "version": version},
        serving={"max_model_len": 32768, "max_num_seqs": 1024, **case["layout"]},
        workload=work,
    )


def value(found: Performance, name: str) -> float:
    estimate = getattr(found, name)
    assert estimate is not None, name
    assert 0 <= estimate.low <= estimate.value <= estimate.high
    return float(estimate.value)


@few
@given(cases)
def test_order_in_concurrency(case: dict[str, Any]) -> None:
    """Throughput does not fall, nobody gets faster, by more in flight.

    Slots are stated here: where they are not, an engine set up for the load loses some, which few requests feel most.
    Attention groups hold each other up with every prompt, the less the more often their prompts coincide.
    """
    slack = 0.97 if "attention_dp" in case["layout"] else 0.99
    found = [speed(at(case, concurrency=n)) for n in (1, 2, 5, 17, 64, 200, 700)]
    for before, after in itertools.pairwise(found):
        assert value(after, "output_tok_s") >= slack * value(before, "output_tok_s")
        assert value(after, "tpot_s") >= slack * value(before, "tpot_s")
        assert value(after, "ttft_s") >= 0.95 * value(before, "ttft_s")


@few
@given(cases)
def test_order_in_the_rate(case: dict[str, Any]) -> None:
    """Waits grow with the rate, to one and the same largest stable rate; percentiles are in order.

    Attention groups hold each other up with every prompt, the less the more often their prompts coincide.
    """
    slack = 0.9 if "attention_dp" in case["layout"] else 0.97
    limit = value(speed(at(case, request_rate=1e-3)), "stable_request_s")
    found = [speed(at(case, request_rate=share * limit)) for share in (0.01, 0.2, 0.5, 0.8, 0.97)]
    for share, each in zip((0.01, 0.2, 0.5, 0.8, 0.97), found, strict=True):
        assert value(each, "stable_request_s") == pytest.approx(limit)
        assert value(each, "utilisation") == pytest.approx(share)
        assert value(each, "request_s") == pytest.approx(share * limit)
        assert value(each, "ttft_p50_s") <= value(each, "ttft_p95_s") <= value(each, "ttft_p99_s")
        assert value(each, "itl_p50_s") <= value(each, "itl_p95_s") <= value(each, "itl_p99_s")
    for name in ("ttft_s", "tpot_s", "ttft_p95_s"):
        for before, after in itertools.pairwise(found):
            assert value(after, name) >= slack * value(before, name), name


@few
@given(cases, st.sampled_from([{"concurrency": 1}, {"concurrency": 100}, {"saturated": True}, {"request_rate": 1e9}]))
def test_never_above_the_peak(case: dict[str, Any], load: dict[str, Any]) -> None:
    """Every computed token takes 2 FLOP per active weight, outside the input table."""
    resolved = at(case, **load)
    device = resolved.cluster.device.accelerator
    assert device is not None
    count = count_parameters(resolved.architecture)
    rate = value(speed(resolved), "request_s")
    tokens = case["isl"] * (1 - case["hits"]) + case["osl"]
    assert 2 * (count.active - count.embedding) * rate * tokens < 8 * device.peak_flop_s["bf16"]


@few
@given(cases, st.sampled_from([1, 40, 300]))
def test_never_above_the_bandwidth(case: dict[str, Any], concurrency: int) -> None:
    """A step reads the cache of all that run, on the devices of a stage; all output comes from steps."""
    resolved = at(case, concurrency=concurrency, prefix_hit_rate=0.0)
    device = resolved.cluster.device.accelerator
    assert device is not None and device.bandwidth_bytes_s
    found = speed(resolved)
    kv = sum(2 * 2 * m.num_kv_heads * m.head_dim for m in _mixers(resolved))
    read = value(found, "output_tok_s") * kv * case["isl"]
    assert read < 8 * device.bandwidth_bytes_s


def _mixers(resolved: Resolved) -> list[Any]:
    kinds = resolved.architecture.layer_kinds
    return [mixer for index in resolved.architecture.layer_order for mixer in kinds[index].mixers]


@few
@given(cases, st.sampled_from([{"concurrency": 4}, {"concurrency": 128}, {"request_rate": 0.5}]))
def test_more_of_anything_never_hurts(case: dict[str, Any], load: dict[str, Any]) -> None:
    """Bandwidth, compute, links. Where the API process bounds the rate, what is gained after the first token is waited
    before it."""
    resolved = at(case, **load)
    before = speed(resolved)
    device, link = resolved.cluster.device, resolved.cluster.link
    row = device.accelerator
    assert row is not None and row.bandwidth_bytes_s and link is not None
    peaks = row.peak_flop_s
    faster = {
        "bandwidth": replace(device, accelerator=replace(row, bandwidth_bytes_s=1.5 * row.bandwidth_bytes_s)),
        "compute": replace(device, accelerator=replace(row, peak_flop_s={k: 1.5 * v for k, v in peaks.items()})),
    }
    clusters = {name: replace(resolved.cluster, device=each) for name, each in faster.items()}
    if case["chip"] in TIMED_LINKS:
        clusters["link"] = replace(resolved.cluster, link=replace(link, bytes_s=1.5 * link.bytes_s))
    for name, cluster in clusters.items():
        after = speed(replace(resolved, cluster=cluster))
        assert value(after, "tpot_s") <= 1.005 * value(before, "tpot_s"), name
        if after.bound.get("deployment") == "API process":
            assert until_last(after, case) <= 1.005 * until_last(before, case), name
        else:
            assert value(after, "ttft_s") <= 1.025 * value(before, "ttft_s"), name
        assert value(after, "output_tok_s") >= 0.995 * value(before, "output_tok_s"), name


def until_last(performance: Performance, case: dict[str, Any]) -> float:
    """Seconds from request to last token."""
    return value(performance, "ttft_s") + (case["osl"] - 1) * value(performance, "tpot_s")


@few
@given(cases, st.sampled_from([{"concurrency": 1}, {"concurrency": 64}]))
def test_hits_and_shorter_prompts_help(case: dict[str, Any], load: dict[str, Any]) -> None:
    cold, warm = (speed(at(case, prefix_hit_rate=hits, **load)) for hits in (0.0, 0.9))
    shorter = speed(at(case | {"isl": max(case["isl"] // 2, 8)}, prefix_hit_rate=0.0, **load))
    for better in (warm, shorter):
        if better.bound.get("deployment") == "API process":
            assert until_last(better, case) <= 1.005 * until_last(cold, case)
        else:
            assert value(better, "ttft_s") <= 1.01 * value(cold, "ttft_s")
        assert value(better, "request_s") >= 0.995 * value(cold, "request_s")
