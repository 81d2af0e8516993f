"""Collectives: published rates, monotony in size, slower over slower links."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import cache

import pytest

from hwdb.database import Database
from planner.performance.collectives import Network
from planner.resolved import Cluster, Link
from tests.performance.builders import LLAMA_8B, deployment, library


def network(chip: str, per_node: int, nodes: int = 1, fabric: str | None = None) -> Network:
    hardware = {"accelerator": chip, "per_node": per_node, "nodes": nodes} | ({"fabric": fabric} if fabric else {})
    return Network(deployment(LLAMA_8B, hardware=hardware).cluster, library().curves)


def test_h100_all_reduce_reaches_its_published_bus_bandwidth() -> None:
    """445-480 GB/s bus bandwidth of eight H100 or H200 over NVLink at large sizes."""
    size = 512 * 2**20
    for chip in ("h100-sxm-80gb", "h200-sxm-141gb"):
        bus = 2 * 7 / 8 * size / network(chip, 8).seconds("all_reduce", size, 8)
        assert 4.2e11 < bus < 5.1e11


@pytest.mark.parametrize("chip", ["h100-sxm-80gb", "b200-sxm", "l40s", "rtx-4090", "mi300x", "gaudi-3"])
@pytest.mark.parametrize("operation", ["all_reduce", "all_gather", "reduce_scatter", "all_to_all"])
def test_time_never_falls_with_size(chip: str, operation: str) -> None:
    times = [network(chip, 8).seconds(operation, 2.0**i, 8) for i in range(6, 34)]
    assert all(before <= after * 1.0001 for before, after in itertools.pairwise(times))
    assert times[0] > 0


def test_one_device_needs_none() -> None:
    assert network("h100-sxm-80gb", 8).seconds("all_reduce", 1e9, 1) == 0.0


def test_pcie_is_slower_than_nvlink() -> None:
    assert network("l40s", 8).seconds("all_reduce", 2**24, 8) > 4 * network("h100-sxm-80gb", 8).seconds(
        "all_reduce", 2**24, 8
    )


def test_crossing_nodes_costs_more_and_less_with_a_faster_fabric() -> None:
    inside = network("h100-sxm-80gb", 8).seconds("all_reduce", 2**26, 8)
    cluster = deployment(LLAMA_8B, hardware={"accelerator": "h100-sxm-80gb", "per_node": 8, "nodes": 2}).cluster
    times = [
        Network(replace(cluster, fabric=Link("net", rate, 5e-6)), library().curves).seconds("all_reduce", 2**26, 16)
        for rate in (1.25e9, 2.5e10, 5e10, 1e11)
    ]
    assert times == sorted(times, reverse=True)
    assert times[-1] > inside


ACCELERATORS = [row.id for row in Database().accelerators() if row.bandwidth_bytes_s]


@pytest.mark.parametrize("operation", ["all_reduce", "all_gather", "reduce_scatter", "all_to_all"])
def test_a_faster_link_never_hurts(operation: str) -> None:
    """Every accelerator, two to sixteen of them, a kilobyte to a gigabyte; also links of a speed that no chip has."""
    factors = [1.5**i for i in range(-6, 8)]
    for chip in ACCELERATORS:
        cluster = network_cluster(chip)
        link = cluster.link or Link("pcie-4", 3.15e10, 5e-6)
        nets = [
            Network(replace(cluster, link=replace(link, bytes_s=link.bytes_s * f)), library().curves) for f in factors
        ]
        for devices in (2, 3, 4, 6, 8, 16):
            timers = [net.timer(operation, devices) for net in nets]
            for size in (2.0**10, 2.0**14, 2.0**18, 2.0**22, 2.0**26, 2.0**30):
                times = [timer(size) for timer in timers]
                assert times == sorted(times, reverse=True), (chip, devices, size)


def test_an_unknown_links_time_lies_near_that_of_its_neighbours() -> None:
    """What the envelope takes away is a few percent."""
    for chip in ("l40s", "h100-sxm-80gb", "gaudi-3", "mi300x"):
        cluster = network_cluster(chip)
        assert cluster.link is not None
        one = Network(cluster, library().curves).seconds("all_reduce", 2.0**22, 8)
        faster = Network(
            replace(cluster, link=replace(cluster.link, bytes_s=1.02 * cluster.link.bytes_s)), library().curves
        )
        assert 0.9 * one < faster.seconds("all_reduce", 2.0**22, 8) <= one


@cache
def network_cluster(chip: str) -> Cluster:
    return deployment(LLAMA_8B, hardware={"accelerator": chip, "per_node": 16}).cluster
