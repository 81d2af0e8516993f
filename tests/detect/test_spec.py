"""Hardware in a few words, and ``--hardware`` as file or spec."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hwdb.database import Database
from planner.detect.spec import inventory_from_spec, load_hardware, parse_spec
from planner.documents.encode import to_json
from planner.documents.inventory import HostInfo
from planner.errors import BadInput, UnknownName
from tests.detect.trees import FIXTURES

MIB = 1 << 20
DB = Database()


@pytest.mark.parametrize(
    ("spec", "count", "devices", "accelerator", "link"),
    [
        ("8xH200-SXM", 1, 8, "h200-sxm-141gb", "nvlink4"),
        ("2x8xH100", 2, 8, "h100-sxm-80gb", "nvlink4"),
        ("4xRTX-4090", 1, 4, "rtx-4090", "pcie4-x16"),
        ("rtx-4090", 1, 1, "rtx-4090", "pcie4-x16"),
        (" 16 × 8 X mi300x ", 16, 8, "mi300x", "xgmi4"),
        ("8x910b3", 1, 8, "ascend-910b3", "hccs"),
        ("1xNVIDIA GB10", 1, 1, "gb10", None),
    ],
)
def test_specs(spec: str, count: int, devices: int, accelerator: str, link: str | None) -> None:
    inventory = inventory_from_spec(spec, DB)
    (node,) = inventory.nodes
    assert (inventory.origin, node.count, len(node.devices)) == ("simulated", count, devices)
    assert {device.accelerator for device in node.devices} == {accelerator}
    assert [device.index for device in node.devices] == list(range(devices))
    assert {device.match for device in node.devices} == {"exact"}
    if link:
        assert node.link == link
    assert node.host == HostInfo(), "not reported"


def test_memory_is_what_the_driver_would_say() -> None:
    device = inventory_from_spec("h200", DB).nodes[0].devices[0]
    assert (device.total_bytes, device.free_bytes, device.used_bytes) == (143771 * MIB, 143771 * MIB, 0)


def test_cpu_has_no_devices() -> None:
    assert inventory_from_spec("CPU", DB).nodes[0].devices == ()
    assert inventory_from_spec("3xcpu", DB).nodes[0].count == 3


def test_groups() -> None:
    (node,) = inventory_from_spec("2xRTX-4090 + rtx-3090", DB).nodes
    assert [device.accelerator for device in node.devices] == ["rtx-4090", "rtx-4090", "rtx-3090"]
    assert [device.index for device in node.devices] == [0, 1, 2]
    assert node.link == "pcie4-x16"
    nodes = inventory_from_spec("2x8xH100+1x4xL40S", DB).nodes
    assert [(node.count, len(node.devices)) for node in nodes] == [(2, 8), (1, 4)]
    assert len(parse_spec("Ryzen AI Max+ 395 / Radeon 8060S")) == 1


def test_host_is_kept() -> None:
    host = HostInfo(cpu="AMD EPYC 9355", ram_bytes=1 << 40)
    assert inventory_from_spec("h100", DB, host).nodes[0].host == host


@pytest.mark.parametrize(
    ("spec", "gib", "cpu", "sockets", "devices"),
    [
        ("rtx-4090+64GB", 64, None, None, 1),
        ("2xEPYC-9654+768GB", 768, "epyc-9004", 2, 0),
        ("2 x EPYC 9654 + 768 GiB", 768, "epyc-9004", 2, 0),
        ("EPYC-9755+1.5TB", 1536, "epyc-9005", 1, 0),
        ("8xH200 + 2xXeon-8480C + 2TB", 2048, "xeon-4", 2, 8),
        ("cpu+32GB", 32, None, None, 0),
        ("256GB", 256, None, None, 0),
        ("Ryzen AI Max+ 395 / Radeon 8060S + 128GB", 128, None, None, 1),
    ],
)
def test_the_machine_around(spec: str, gib: int, cpu: str | None, sockets: int | None, devices: int) -> None:
    (node,) = inventory_from_spec(spec, DB).nodes
    assert node.host.ram_bytes == gib << 30
    assert (node.host.cpu_id, node.host.sockets, len(node.devices)) == (cpu, sockets, devices)
    if cpu:
        assert node.host.memory_bandwidth_bytes_s == (sockets or 1) * DB.host(cpu).bandwidth_bytes_s  # type: ignore[union-attr,operator]


def test_memory_of_the_machine_is_the_devices_where_they_share_it() -> None:
    """A Mac has the memory that it was bought with; a card keeps its own."""
    assert inventory_from_spec("m3-ultra+96GB", DB).nodes[0].devices[0].total_bytes == 96 << 30
    assert inventory_from_spec("h200+96GB", DB).nodes[0].devices[0].total_bytes == 143771 * MIB
    two = inventory_from_spec("2x8xH100+2TB", DB).nodes
    assert [(node.count, node.host.ram_bytes) for node in two] == [(2, 2 << 40)], "of each machine"


@pytest.mark.parametrize(
    "spec",
    [
        "rtx-4090+0GB",
        "rtx-4090+99999TB",
        "99xEPYC-9654+1TB",
        "2xEPYC-9654",
        "h100++64GB",
        "1GB+2GB",
        "EPYC-9654+EPYC-9755+1TB",
        "\u0663GB",
    ],
)
def test_machines_that_nobody_has(spec: str) -> None:
    with pytest.raises(BadInput):
        inventory_from_spec(spec, DB)


@pytest.mark.parametrize(
    "spec", ["", "   ", "0xH100", "8x", "+", "x", "99999x8xH100", "2000xH100", "8x" * 500, "\0", "../../etc"]
)
def test_nonsense(spec: str) -> None:
    with pytest.raises(BadInput):
        inventory_from_spec(spec, DB)


def test_unknown_names_come_with_the_nearest() -> None:
    with pytest.raises(UnknownName) as error:
        inventory_from_spec("8xH200-SMX", DB)
    assert error.value.nearest[0][0] == "h200-sxm-141gb"
    with pytest.raises(BadInput, match="a100-sxm-80gb, a100-sxm-40gb"):
        inventory_from_spec("8xA100", DB)


def test_hardware_from_files(tmp_path: Path) -> None:
    recorded = load_hardware(str(FIXTURES / "hl-smi.8xgaudi2.txt"), DB)
    assert recorded.origin == "recorded"
    path = tmp_path / "site.json"
    path.write_text(to_json(recorded), encoding="utf-8")
    again = load_hardware(str(path), DB)
    assert again.origin == "file"
    assert again.nodes == recorded.nodes, "an inventory survives the way out and back"
    assert load_hardware("8xh200", DB).origin == "simulated"
    with pytest.raises(BadInput, match="no such file"):
        load_hardware("site7.json", DB)


def test_an_inventory_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "cluster.toml"
    path.write_text(
        """
        schema = "deploy-planner/inventory/1"
        fabric = "infiniband-ndr"
        [[nodes]]
        count = 4
        link = "nvlink4"
        host = { cpu = "AMD EPYC 9355 32-Core Processor", sockets = 2, ram_bytes = 1_649_267_441_664 }
        [[nodes.devices]]
        index = 0
        vendor = "nvidia"
        name = "NVIDIA H200"
        total_bytes = 150_754_820_096
        [[nodes.devices]]
        index = 1
        vendor = "nvidia"
        name = "the second"
        accelerator = "h200"
        """,
        encoding="utf-8",
    )
    inventory = load_hardware(str(path), DB)
    (node,) = inventory.nodes
    assert (inventory.origin, inventory.fabric, node.count) == ("file", "infiniband-ndr", 4)
    assert [device.accelerator for device in node.devices] == ["h200-sxm-141gb"] * 2
    assert node.host.cpu_id is not None
    assert node.host.memory_bandwidth_bytes_s == 2 * DB.host("AMD EPYC 9355").bandwidth_bytes_s  # type: ignore[union-attr]
    assert json.loads(to_json(inventory))["nodes"][0]["link"] == "nvlink4"
