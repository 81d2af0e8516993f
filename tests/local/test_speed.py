from __future__ import annotations

from dataclasses import replace

import pytest

from planner.data import read_toml
from planner.documents.result import Performance
from planner.errors import UnknownFact
from planner.memory.gguf import gguf_memory
from planner.models.gguf_layout import gguf_layout
from planner.performance.local import local_performance
from planner.performance.local_curves import load_local_curves
from planner.performance.local_host import described_cores
from planner.performance.local_steps import machine
from planner.resolved import Resolved
from tests.local.build import LLAMA_8B, LLAMA_70B, QWEN_30B, QWEN_235B, R1, architecture, resolved

CURVES = load_local_curves(read_toml)
CARDS = [
    "rtx-3090",
    "rtx-4090",
    "h100-sxm-80gb",
    "mi300x",
    "apple-m4-pro",
    "gb10",
    "rx-7900-xtx",
    "t4",
    "arc-b580",
    "ryzen-ai-max-395-radeon-8060s",
]


def speed(deployment: Resolved) -> Performance:
    return local_performance(deployment, gguf_memory(deployment), CURVES)


def decode(deployment: Resolved) -> float:
    found = speed(deployment).decode_tok_s
    assert found is not None
    return found.value


def prefill(deployment: Resolved) -> float:
    found = speed(deployment).prefill_tok_s
    assert found is not None
    return found.value


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("mix", ["F16", "Q8_0", "Q4_K_M", "IQ2_XXS"])
def test_decode_never_beats_the_bandwidth(card, mix):
    deployment = resolved(LLAMA_8B, mix, card, hardware={"memory_bytes": 2**36})
    layout = gguf_layout(architecture(LLAMA_8B), f"gguf:{mix}")
    row = deployment.cluster.device.accelerator
    assert row is not None
    assert row.bandwidth_bytes_s
    assert decode(deployment) < row.bandwidth_bytes_s / (layout.file_bytes - layout.embedding_bytes)


def test_shares_are_shares():
    for device in CURVES.devices:
        for value in (device.share, device.kv_share, device.share * device.experts_share):
            assert 0 < value <= 1, device.name
        assert device.share * max(CURVES.gpu_types.values()) <= 1, device.name
    assert CURVES.host.share * max(1.0, CURVES.host.experts_share) <= 1


def test_more_bandwidth_never_hurts():
    for name in (LLAMA_8B, QWEN_30B):
        deployment = resolved(name, hardware={"memory_bytes": 2**36})
        row = deployment.cluster.device.accelerator
        assert row is not None
        found = []
        for factor in (0.5, 1, 2, 4):
            faster = replace(row, bandwidth_bytes_s=(row.bandwidth_bytes_s or 0) * factor)
            cluster = replace(deployment.cluster, device=replace(deployment.cluster.device, accelerator=faster))
            found.append(decode(replace(deployment, cluster=cluster)))
        assert found == sorted(found)


def test_more_host_bandwidth_never_hurts():
    found = []
    for rate in (50e9, 100e9, 200e9, 400e9, 800e9):
        host = {"memory_bandwidth_bytes_s": rate, "cores": 32}
        found.append(decode(resolved(QWEN_235B, card="cpu", hardware={"host": host})))
    assert found == sorted(found)


def test_a_layer_split_does_not_speed_one_request_up():
    one, two, eight = (decode(resolved(LLAMA_8B, hardware={"per_node": n})) for n in (1, 2, 8))
    assert one > two > eight > 0.8 * one


def test_deeper_is_slower_and_smaller_is_faster():
    depths = [decode(resolved(workload={"context": depth})) for depth in (1, 4096, 32768, 131072)]
    assert depths == sorted(depths, reverse=True)
    mixes = [decode(resolved(LLAMA_8B, mix)) for mix in ("F16", "Q8_0", "Q4_K_M")]
    assert mixes == sorted(mixes)


def test_layers_on_the_host_cost_speed():
    found = [decode(resolved(LLAMA_8B, serving={"n_gpu_layers": n})) for n in (0, 8, 16, 24, 33)]
    assert found == sorted(found)
    assert found[-1] > 5 * found[0]


def test_slots_raise_throughput_and_not_the_speed_of_one():
    found = [
        speed(resolved(serving={"parallel": n, "max_model_len": 65536}, workload={"concurrency": n}))
        for n in (1, 2, 4, 8)
    ]
    totals = [p.output_tok_s.value for p in found if p.output_tok_s]
    gaps = [p.tpot_s.value for p in found if p.tpot_s]
    assert totals == sorted(totals)
    assert gaps == sorted(gaps)
    assert totals[-1] < 8 * totals[0]


def test_requests_beyond_the_slots_wait():
    few = speed(resolved(serving={"parallel": 2}, workload={"concurrency": 2}))
    many = speed(resolved(serving={"parallel": 2}, workload={"concurrency": 50}))
    assert few.output_tok_s == many.output_tok_s


def test_published_speeds_are_inside_the_range():
    """llama.cpp discussion 4167 and the GPU benchmarks of XiongjieDai: tokens per second of one request."""
    assert _inside(resolved(LLAMA_8B, "Q4_K_M", "rtx-4090"), 127.7)
    assert _inside(resolved(LLAMA_8B, "F16", "rtx-4090"), 54.3)
    assert _inside(resolved(LLAMA_70B, "Q4_K_M", "a40", hardware={"per_node": 2}), 12.0)


def _inside(deployment: Resolved, measured: float) -> bool:
    found = speed(deployment).decode_tok_s
    return found is not None and found.low <= measured <= found.high


def test_a_host_nobody_described_widens_the_range():
    host = {"cpu": "AMD EPYC 9355", "sockets": 1}
    unknown = speed(resolved(R1, serving={"experts_on_cpu": True})).decode_tok_s
    told = speed(resolved(R1, serving={"experts_on_cpu": True}, hardware={"host": host})).decode_tok_s
    assert unknown is not None
    assert told is not None
    assert unknown.high / unknown.low > 2 * told.high / told.low
    assert unknown.origin == "assumed"


def test_an_unknown_bandwidth_is_an_unknown_fact():
    deployment = resolved()
    row = deployment.cluster.device.accelerator
    assert row is not None
    bare = replace(row, bandwidth_bytes_s=None)
    cluster = replace(deployment.cluster, device=replace(deployment.cluster.device, accelerator=bare))
    with pytest.raises(UnknownFact):
        speed(replace(deployment, cluster=cluster))


@pytest.mark.parametrize("workload", [{"isl": 0, "osl": 0}, {"isl": 2.0**50, "osl": 1}, {"context": 2.0**50}])
def test_absurd_loads_give_finite_speeds(workload):
    found = speed(resolved(workload=workload))
    for figure in (found.ttft_s, found.tpot_s, found.decode_tok_s, found.prefill_tok_s, found.output_tok_s):
        assert figure is not None
        assert 0 <= figure.low <= figure.value <= figure.high < float("inf")


@pytest.mark.parametrize(
    ("text", "cores"),
    [
        ("EPYC 9355 (32 cores), 12x DDR5-6400", 32),
        ("2x Xeon Gold 6138 (20c), 12ch DDR4-2666 total", 40),
        ("2x Xeon Gold 6454S (32c/socket)", 64),
        ("Xeon 6980P 128c single socket", 128),
        ("Ryzen 9 9950X", None),
        (None, None),
        ("9" * 100_000, None),
    ],
)
def test_cores_are_read_from_descriptions(text, cores):
    assert described_cores(text) == cores


def test_a_layer_of_one_block_is_launched_as_half_a_layer():
    """Nemotron-H lists mixers and feed-forwards as layers of their own."""
    work = machine(resolved("nvidia--NVIDIA-Nemotron-3-Nano-30B-A3B-BF16.json"), CURVES).work
    whole = machine(resolved(LLAMA_8B), CURVES).work
    assert sum(device.layers for device in work.values()) == 26
    assert sum(device.layers for device in whole.values()) == 32


def test_short_prompts_reach_less_of_the_peak():
    speeds = [prefill(resolved(workload={"isl": n})) for n in (8, 64, 512)]
    assert speeds == sorted(speeds)
    assert speeds[0] < 0.6 * speeds[-1]


def test_a_cpu_multiplies_trellis_codes_slower():
    """ik_llama.cpp unpacks them value by value; repacked 4-bit weights go through int8 products."""
    found = {
        mix: prefill(resolved(LLAMA_8B, mix, "cpu", engine={"name": "ik_llama.cpp"}))
        for mix in ("IQ4_KT", "F16", "Q4_0")
    }
    assert found["IQ4_KT"] < found["F16"] < found["Q4_0"]


def test_ranges_are_wider_where_runs_differ_more():
    """Desktop Radeons differ by backend and build far more than GeForces."""
    by = {row.name: row.spread for row in CURVES.devices}
    assert by["nvidia-geforce"][0] < by["amd"][0]
    assert all(1.05 < factor < 5 for pair in by.values() for factor in pair)
