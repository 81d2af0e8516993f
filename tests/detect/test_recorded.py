"""Saved tool output against figures read in the files by eye."""

from __future__ import annotations

from pathlib import Path

import pytest

from hwdb.database import Database
from planner.detect.recorded import read_recorded
from planner.documents.inventory import GpuDevice, Inventory, Node
from planner.errors import BadInput
from tests.detect.trees import FIXTURES

MIB = 1 << 20
DB = Database()


def read(*names: str) -> Inventory:
    return read_recorded([FIXTURES / name for name in names], DB)


def node(name: str) -> Node:
    (only,) = read(name).nodes
    return only


def device(name: str) -> GpuDevice:
    (only,) = node(name).devices
    return only


def kinds(inventory: Inventory) -> list[str]:
    return [notice.kind for notice in inventory.warnings]


def test_a100_with_slices() -> None:
    inventory = read("nvidia-smi-q-x.a100-sxm4-v12.xml")
    card = inventory.nodes[0].devices[0]
    assert (card.name, card.accelerator, card.match) == ("NVIDIA A100-SXM4-80GB", "a100-sxm-80gb", "exact")
    assert card.uuid == "GPU-513536b6-7d19-9063-b049-1e69664bb298"
    assert (card.pci_bus_id, card.pci_device_id) == ("00000000:01:00.0", "20b2")
    assert (card.total_bytes, card.used_bytes, card.free_bytes) == (81920 * MIB, 50 * MIB, 80999 * MIB)
    assert (card.ecc, card.mig_enabled) == (True, True)
    assert [(part.profile, part.total_bytes, part.sm_count) for part in card.slices] == [
        ("1g.20gb", 19968 * MIB, 14)
    ] * 4
    assert (card.power_limit_w, card.power_draw_w, card.temperature_c) == (500.0, 67.03, 27.0)
    assert (inventory.nodes[0].driver_version, inventory.nodes[0].runtime_version) == ("535.54.03", "12.2")
    assert "part-of-machine" in kinds(inventory), "the log says 4 GPUs are attached and describes one"


def test_t4_with_processes_in_a_narrow_slot() -> None:
    card = device("nvidia-smi-q-x.tesla-t4.xml")
    assert (card.accelerator, card.total_bytes) == ("t4", 15360 * MIB)
    assert (card.pcie_gen, card.pcie_gen_max, card.pcie_width, card.pcie_width_max) == (3, 3, 8, 16)
    assert [(use.pid, use.name, use.used_bytes) for use in card.processes] == [
        (5762, "python", 1005 * MIB),
        (675, "/usr/lib/xorg/Xorg", 22 * MIB),
    ]
    assert card.virtualization == "pass-through"
    assert kinds(read("nvidia-smi-q-x.tesla-t4.xml")) == ["narrow-pcie", "memory-in-use"]


def test_newest_drivers_renamed_the_power_fields() -> None:
    card = device("nvidia-smi-q-x.rtx-3080-v13.xml")
    assert card.accelerator == "rtx-3080", "10 GiB, not the 12 GiB product of the same name"
    assert (card.total_bytes, card.free_bytes) == (10240 * MIB, 660 * MIB)
    assert (card.power_draw_w, card.power_limit_w) == (142.33, 320.0)
    assert node("nvidia-smi-q-x.rtx-3080-v13.xml").runtime_version == "13.2"
    assert device("nvidia-smi-q-x.rtx-3060-v12.xml").power_draw_w == 11.63


def test_what_old_drivers_withhold_is_none() -> None:
    card = device("nvidia-smi-q-x.quadro-p400.xml")
    assert (card.total_bytes, card.used_bytes) == (1998 * MIB, 0), "a used 0 is a figure"
    assert (card.ecc, card.power_limit_w, card.power_draw_w, card.mig_enabled) == (None, None, None, None)
    card = device("nvidia-smi-q-x.gtx-1070-ti.xml")
    assert (card.pci_device_id, card.pcie_gen_max, card.power_draw_w) == (None, None, None)
    assert card.match == "unknown" and card.accelerator is None
    assert card.nearest and all(0 < distance <= 1 for _, distance in card.nearest)


def test_rocm_smi() -> None:
    machine = node("rocm-smi.mi100_rocm602.json")
    assert [card.accelerator for card in machine.devices] == ["mi100"] * 4
    first, second = machine.devices[:2]
    assert (first.name, first.pci_device_id, first.pci_bus_id) == ("Instinct MI100", "738c", "0000:83:00.0")
    assert (first.total_bytes, first.used_bytes) == (34342961152, 6750208)
    assert (second.power_limit_w, second.power_draw_w, second.temperature_c) == (290.0, 44.0, 58.0)
    assert (first.pcie_gen, first.pcie_width) == (4, 16)
    assert (machine.driver_version, machine.link) == ("6.3.6", "pcie4-x16")
    assert machine.topology[0] == ("X", "PCIE", "PCIE", "PCIE")


def test_rocm_smi_of_consumer_cards() -> None:
    card = device("rocm-smi.rx6700xt_rocm612.json")
    assert (card.compute_capability, card.total_bytes, card.power_limit_w) == ("gfx1031", 12868124672, 211.0)
    assert card.uuid is None, "N/A is no id"
    old = device("rocm-smi.vega-10-XT.json")
    assert (old.name, old.pci_device_id, old.total_bytes) == (None, "6861", 17163091968)


def test_npu_smi() -> None:
    machine = node("npu-smi-info.8x910b3.txt")
    assert [chip.accelerator for chip in machine.devices] == ["ascend-910b3"] * 8
    first, fifth = machine.devices[0], machine.devices[5]
    assert (first.total_bytes, first.used_bytes) == (65536 * MIB, 60056 * MIB)
    assert (first.power_draw_w, first.temperature_c, first.pci_bus_id) == (96.7, 32.0, "0000:C1:00.0")
    assert (fifth.power_draw_w, fifth.temperature_c, fifth.pci_bus_id) == (90.1, 35.0, "0000:02:00.0")
    assert machine.driver_version == "25.3.rc1"


def test_hl_smi() -> None:
    machine = node("hl-smi.8xgaudi2.txt")
    assert [card.accelerator for card in machine.devices] == ["gaudi-2"] * 8
    fifth = machine.devices[5]
    assert (fifth.total_bytes, fifth.used_bytes, fifth.free_bytes) == (98304 * MIB, 26835 * MIB, 71469 * MIB)
    assert (fifth.power_draw_w, fifth.power_limit_w, fifth.temperature_c) == (111.0, 600.0, 26.0)
    assert (fifth.pci_bus_id, machine.driver_version) == ("0000:0d:00.0", "1.15.0-c43dc7b")


def test_a_topology_alone_counts_devices() -> None:
    inventory = read("nvidia-smi-topo-m.8xh100.txt")
    (machine,) = inventory.nodes
    assert len(machine.devices) == 8
    assert machine.topology[0] == ("X", *["NV18"] * 7), "the network cards are left out"
    assert {card.link_count for card in machine.devices} == {18}
    assert kinds(inventory) == ["cards-not-named"]


def test_two_files_of_one_machine(tmp_path: Path) -> None:
    """A table of eight H100 and their topology make one machine whose links are those of the cards."""
    row = "{0}, NVIDIA H100 80GB HBM3, 81559 MiB, 1 MiB, 81000 MiB, 2330"
    head = "index, name, memory.total [MiB], memory.used [MiB], memory.free [MiB], compute_cap"
    table = tmp_path / "gpus.csv"
    table.write_text("\n".join([head, *(row.format(index) for index in range(8))]), encoding="utf-8")
    (machine,) = read_recorded([FIXTURES / "nvidia-smi-topo-m.8xh100.txt", table], DB).nodes
    assert [card.accelerator for card in machine.devices] == ["h100-sxm-80gb"] * 8
    assert machine.link == "nvlink4"
    assert machine.devices[7].total_bytes == 81559 * MIB


def test_several_machines() -> None:
    inventory = read("nvidia-smi-q-x.tesla-t4.xml", "hl-smi.8xgaudi2.txt")
    assert [len(machine.devices) for machine in inventory.nodes] == [1, 8]


TABLE = """\
Fri Nov 14 10:00:00 2025
+-----------------------------------------------------------------------------------------+
| NVIDIA-SMI 570.86.15              Driver Version: 570.86.15      CUDA Version: 12.8     |
|-----------------------------------------+------------------------+----------------------+
| GPU  Name                 Persistence-M | Bus-Id          Disp.A | Volatile Uncorr. ECC |
| Fan  Temp   Perf          Pwr:Usage/Cap |           Memory-Usage | GPU-Util  Compute M. |
|                                         |                        |               MIG M. |
|=========================================+========================+======================|
|   0  NVIDIA H200                    On  |   00000000:19:00.0 Off |                    0 |
| N/A   34C    P0            118W /  700W |   12000MiB / 143771MiB |      0%      Default |
|                                         |                        |             Disabled |
+-----------------------------------------+------------------------+----------------------+
|   1  NVIDIA GB10                    On  |   0000000F:01:00.0 Off |                  N/A |
| N/A   34C    P8              4W /  N/A  | Not Supported          |      0%      Default |
|                                         |                        |                  N/A |
+-----------------------------------------+------------------------+----------------------+
+-----------------------------------------------------------------------------------------+
| Processes:                                                                              |
|  GPU   GI   CI              PID   Type   Process name                        GPU Memory |
|        ID   ID                                                               Usage      |
|=========================================================================================|
|    0   N/A  N/A          123456      C   python3 -m vllm                       11990MiB |
+-----------------------------------------------------------------------------------------+
"""


def test_the_plain_table(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"\xff\xfe" + TABLE.encode("utf-16-le"))  # as PowerShell saves it
    (machine,) = read_recorded([path], DB).nodes
    first, second = machine.devices
    assert (first.accelerator, first.total_bytes, first.used_bytes) == ("h200-sxm-141gb", 143771 * MIB, 12000 * MIB)
    assert (first.power_draw_w, first.power_limit_w, first.ecc, first.mig_enabled) == (118.0, 700.0, True, False)
    assert [(use.pid, use.name, use.used_bytes) for use in first.processes] == [
        (123456, "python3 -m vllm", 11990 * MIB)
    ]
    assert (second.accelerator, second.unified_memory) == ("gb10", True)
    assert (second.total_bytes, second.power_draw_w, second.power_limit_w) == (None, 4.0, None)
    assert (machine.driver_version, machine.runtime_version) == ("570.86.15", "12.8")


AMD_STATIC = """[{"gpu": 0,
  "asic": {"market_name": "AMD Instinct MI300X", "device_id": "0x74a1", "asic_serial": "0xABCDEF0123456789",
           "target_graphics_version": "gfx942"},
  "bus": {"bdf": "0000:05:00.0", "max_pcie_width": 16, "max_pcie_speed": {"value": 32, "unit": "GT/s"}},
  "vram": {"type": "HBM3", "size": {"value": 196592, "unit": "MB"}},
  "limit": {"max_power": {"value": 750, "unit": "W"}, "socket_power": {"value": 750, "unit": "W"}},
  "driver": {"name": "amdgpu", "version": "6.8.5"}}]"""
AMD_METRIC = """{"gpu_data": [{"gpu": 0, "power": {"socket_power": {"value": 141, "unit": "W"}},
  "temperature": {"edge": "N/A", "hotspot": {"value": 42, "unit": "C"}},
  "pcie": {"width": 16, "speed": {"value": 32, "unit": "GT/s"}},
  "mem_usage": {"total_vram": {"value": 196592, "unit": "MB"}, "used_vram": {"value": 285, "unit": "MB"},
                "free_vram": {"value": 196307, "unit": "MB"}}}]}"""


def test_amd_smi_in_two_files(tmp_path: Path) -> None:
    (tmp_path / "static").write_text(AMD_STATIC, encoding="utf-8")
    (tmp_path / "metric").write_text(AMD_METRIC, encoding="utf-8")
    (machine,) = read_recorded([tmp_path / "metric", tmp_path / "static"], DB).nodes
    (card,) = machine.devices
    assert (card.accelerator, card.compute_capability) == ("mi300x", "gfx942")
    assert (card.total_bytes, card.used_bytes, card.free_bytes) == (196592 * MIB, 285 * MIB, 196307 * MIB)
    assert (card.power_limit_w, card.power_draw_w, card.temperature_c) == (750.0, 141.0, 42.0)
    assert (card.pcie_gen, card.pcie_gen_max, card.pcie_width) == (5, 5, 16)
    assert machine.driver_version == "6.8.5"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure …", "modprobe"),
        ("Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 535.183", "reboot"),
    ],
)
def test_a_saved_failure_says_what_to_do(tmp_path: Path, text: str, word: str) -> None:
    path = tmp_path / "nvidia-smi.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match="holds an error instead of devices") as error:
        read_recorded([path], DB)
    assert word in str(error.value)
