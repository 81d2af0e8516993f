"""RAM, offload and start-up of one node."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from planner.engines.registry import engines
from planner.memory import serving
from planner.memory.complete import completed
from planner.memory.host import disk_bytes
from planner.memory.obstacle import starts
from planner.memory.startup import ASSUMED_DISK_BYTES_S, timing, warm_up_s
from planner.memory.verdict import serving_verdict
from planner.resolved import Host
from planner.units import GIB, GIGA
from tests.export.deployments import DENSE, context, tables
from tests.memory import build
from tests.memory.test_serving import applied


def serving_memory(case):
    return completed(case, serving.serving_memory(case))


def with_host(case, **host):
    return replace(case, cluster=replace(case.cluster, host=Host(**host)))


def test_offloaded_blocks_are_pinned_per_rank_and_hold_tokens():
    case = build.resolved(build.LLAMA_70B, build.H200, tp=4, kv_offload_bytes=64 * GIB)
    memory = serving_memory(case)
    assert memory.host.pinned.value == memory.host.pinned.terms["kv_offload"] == 4 * 64 * GIB
    assert memory.host.kv_tokens.value == pytest.approx(64 * GIB / 81_920)
    plain = serving_memory(build.resolved(build.LLAMA_70B, build.H200, tp=4))
    assert memory.host_ram.value - plain.host_ram.value == 4 * 64 * GIB
    assert plain.host.kv_tokens is None and plain.host.pinned.value == 0
    assert plain.per_gpu == memory.per_gpu
    assert memory.host.loading.value == plain.host.loading.value


def test_a_node_pins_for_its_own_ranks_only():
    case = build.resolved(build.LLAMA_70B, build.H200, tp=4, pp=4, per_node=8, nodes=2, kv_offload_bytes=GIB)
    assert serving_memory(case).host.pinned.value == 8 * GIB


def test_swap_space_of_the_first_engine_was_on_by_default():
    old, new = (serving_memory(build.resolved(build.LLAMA_8B, version=v)).host.pinned.value for v in ("0.6.3", "0.8.0"))
    assert (old, new) == (4 * GIB, 0)


def test_offload_beyond_ram_does_not_fit_and_the_way_out_does():
    case = with_host(build.resolved(build.LLAMA_70B, build.H200, tp=4, kv_offload_bytes=200 * GIB), ram_bytes=256 * GIB)
    verdict, findings = serving_verdict(case, serving_memory(case))
    assert verdict == "does-not-fit"
    assert "RAM" in findings[0].message
    changed = applied(case, findings[0].change)
    assert starts(changed) and changed.serving.kv_offload_bytes > 0
    assert not starts(replace(changed, serving=replace(changed.serving, kv_offload_bytes=100 * GIB)))


def on_spark(share: float, *, version="0.20.0", **serving):
    """A machine of 119.6 GiB that GPU and host share."""
    case = build.resolved(
        build.LLAMA_8B,
        119.6 * GIB,
        version="0.20.0",
        per_node=1,
        gpu_memory_utilization=share,
        max_num_seqs=8,
        **serving,
    )
    device = build.device(119.6 * GIB, unified_memory=True)
    return replace(case, cluster=replace(case.cluster, device=device))


@pytest.mark.parametrize(
    ("share", "expected"), [(0.6, "fits"), (0.85, "fits"), (0.9, "tight"), (0.93, "tight"), (0.98, "does-not-fit")]
)
def test_where_gpu_and_host_share_memory_the_engine_leaves_room_for_its_own_processes(share, expected):
    """GB10 with vLLM: 0.85 to 0.87 is what operators settle on, above 0.90 starts fail (public reports of 2026)."""
    case = on_spark(share)
    verdict, findings = serving_verdict(case, serving_memory(case))
    assert verdict == expected
    assert bool(findings) == (expected != "fits")
    if findings:
        roomier = applied(case, findings[0].change)
        assert roomier.serving.gpu_memory_utilization < share
        assert serving_verdict(roomier, serving_memory(roomier))[0] in ("fits", "tight")


@pytest.mark.parametrize(("engine", "version"), [("vllm", "0.20.0"), ("sglang", "0.5.16"), ("trtllm", "1.3.0")])
def test_the_share_that_is_named_for_shared_memory_is_enough_by_each_convention(engine, version):
    case = on_spark(0.97, engine=engine, version=version)
    findings = serving_verdict(case, serving_memory(case))[1]
    roomier = applied(case, findings[0].change)
    assert serving_verdict(roomier, serving_memory(roomier)) == ("fits", ())
    share = roomier.serving.gpu_memory_utilization + 0.02
    fuller = replace(roomier, serving=replace(roomier.serving, gpu_memory_utilization=share))
    assert serving_verdict(fuller, serving_memory(fuller))[0] == "tight"


def test_offload_takes_from_the_same_memory_where_it_is_shared():
    case = on_spark(0.6, kv_offload_bytes=60 * GIB)
    verdict, findings = serving_verdict(case, serving_memory(case))
    assert verdict == "does-not-fit"
    assert "share" in findings[0].message
    assert starts(applied(case, findings[0].change))


def test_unknown_ram_is_no_obstacle():
    assert starts(build.resolved(build.LLAMA_70B, build.H200, tp=4, kv_offload_bytes=2000 * GIB))


def test_page_cache_takes_what_ram_leaves():
    case = build.resolved(build.LLAMA_70B, build.H200, tp=4)
    files = disk_bytes(case)
    small, large = (with_host(case, ram_bytes=n * GIB) for n in (64, 1024))
    assert serving_memory(small).host.page_cache.value < files == serving_memory(large).host.page_cache.value


def test_start_is_load_and_warm_up():
    case = with_host(build.resolved(build.LLAMA_70B, build.H200, tp=4), disk_bytes_s=2 * GIGA)
    found = serving_memory(case).startup
    assert found.load_s.value == pytest.approx(disk_bytes(case) / (2 * GIGA))
    assert found.start_s.value == pytest.approx(found.load_s.value + warm_up_s(case)[0])
    assert found.load_s.low < found.load_s.value < found.load_s.high
    assert found.probe_s.value >= found.start_s.value
    slow = serving_memory(with_host(case, disk_bytes_s=0.1 * GIGA)).startup
    assert slow.load_s.value == pytest.approx(20 * found.load_s.value)


def test_without_a_rate_one_is_assumed_and_the_range_is_wider():
    stated = with_host(build.resolved(build.LLAMA_8B), disk_bytes_s=ASSUMED_DISK_BYTES_S)
    open_ = with_host(build.resolved(build.LLAMA_8B))
    one, other = (serving_memory(c).startup.load_s for c in (stated, open_))
    assert one.value == other.value and other.high > one.high and other.origin == "assumed"


def test_exports_probe_for_the_same_time():
    exported = context(tables(DENSE, "bf16", "8xh200-sxm-141gb", ("vllm", "0.19.0"), tp=2, max_model_len=4096))
    assert exported.timing == timing(exported.resolved)
    found = serving_memory(exported.resolved).startup
    assert found.probe_s.value == exported.timing.patience_s
    assert exported.timing.probe_failures * exported.timing.probe_period_s >= found.probe_s.value


@pytest.mark.parametrize("engine", engines())
def test_every_engine_says_how_long_it_warms_up(engine):
    usual, slow = warm_up_s(build.resolved(build.LLAMA_8B, engine=engine, version=None))
    assert 0 < usual <= slow < 2 * 3600


@pytest.mark.parametrize("size", [0.0, 1.0, 2.0**60])
def test_odd_sizes_stay_finite(size):
    case = build.resolved(build.LLAMA_8B, kv_offload_bytes=size, cpu_offload_bytes=size)
    memory = serving_memory(case)
    for figure in (memory.host_ram, memory.host.loading, memory.host.pinned, memory.host.page_cache):
        assert 0 <= figure.low <= figure.value <= figure.high < math.inf


@pytest.mark.parametrize("rate", [1e-300, 1e-9, 1.0, 1e18])
def test_odd_disks_keep_seconds_finite(rate):
    start = serving_memory(with_host(build.resolved(build.LLAMA_8B), disk_bytes_s=rate)).startup
    for figure in (start.load_s, start.start_s, start.probe_s):
        assert 0 <= figure.low <= figure.value <= figure.high < 1e11
