"""NVIDIA through the real pynvml on a real shared library that plays machines (``fake_nvml.c``)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.detect.trees import add_tool

MIB = 1 << 20
SOURCE = Path(__file__).with_name("fake_nvml.c")
SCENARIOS = (
    *("8xh200", "no-fabric", "a100-mig", "gb10-unsupported", "gb10-zero", "lost", "lost-handle", "2x4090"),
    *("4x3090-bridged", "vgpu", "garbage", "no-devices", "mismatch", "no-permission", "not-loaded", "strange"),
)
PROGRAM = """
import json, os, sys
from hwdb.database import Database
from planner.detect.machine import detect_machine
from planner.documents.encode import to_plain
db = Database()
answers = {}
for scenario in sys.argv[1:]:
    os.environ["FAKE_NVML"] = scenario
    answers[scenario] = to_plain(detect_machine(db))
print(json.dumps(answers))
"""


def build(folder: Path, *options: str) -> None:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler: NVML is NOT tested here")
    library = folder / "libnvidia-ml.so.1"
    subprocess.run([compiler, "-shared", "-fPIC", *options, "-o", str(library), str(SOURCE)], check=True)


def play(folder: Path, *scenarios: str, **extra: str) -> dict[str, Any]:
    env = {**os.environ, "LD_LIBRARY_PATH": str(folder), **extra}
    for name in ("CUDA_VISIBLE_DEVICES",):
        if name not in extra:
            env.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *scenarios], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("nvml")
    build(folder)
    return play(folder, *SCENARIOS)


def kinds(inventory: Any) -> list[str]:
    return [notice["kind"] for notice in inventory["warnings"] if notice["where"].startswith(("nvidia", "devices"))]


def test_eight_h200(played: dict[str, Any]) -> None:
    inventory = played["8xh200"]
    (node,) = inventory["nodes"]
    first, third, fifth = (node["devices"][index] for index in (0, 3, 5))
    assert inventory["origin"] == "detected"
    assert [device["accelerator"] for device in node["devices"]] == ["h200-sxm-141gb"] * 8
    assert (node["driver_version"], node["runtime_version"]) == ("570.124.06", "12.8")
    assert first["total_bytes"] == 143771 * MIB
    assert first["free_bytes"] == (143771 - 600) * MIB, "what the driver reserves is not free"
    assert first["compute_capability"] == "9.0"
    assert first["pci_device_id"] == "2335"
    assert first["pci_bus_id"] == "00000000:10:00.0"
    assert (first["ecc"], first["mig_enabled"], first["error"]) == (True, False, None)
    assert (first["pcie_gen"], first["pcie_width"]) == (5, 16)
    assert (first["power_limit_w"], first["power_draw_w"]) == (700.0, pytest.approx(76.543))
    assert first["temperature_c"] == 31.0
    assert third["used_bytes"] == 20480 * MIB
    assert [(use["pid"], use["used_bytes"]) for use in third["processes"]] == [(4243, 19456 * MIB), (4242, 1024 * MIB)]
    assert third["processes"][0]["name"] == "/usr/bin/worker-4243"
    assert (fifth["power_limit_w"], fifth["power_limit_default_w"]) == (500.0, 700.0)
    assert kinds(inventory) == ["memory-in-use", "low-power-limit"]


def test_links_of_eight_h200(played: dict[str, Any]) -> None:
    (node,) = played["8xh200"]["nodes"]
    assert node["link"] == "nvlink4"
    assert {(device["link_kind"], device["link_count"]) for device in node["devices"]} == {("nvlink4", 18)}
    assert all(device["peer_access"] for device in node["devices"])
    matrix = node["topology"]
    assert [matrix[i][i] for i in range(8)] == ["X"] * 8
    assert {matrix[i][j] for i in range(8) for j in range(8) if i != j} == {"NV18"}


def test_fabric_that_is_not_up(played: dict[str, Any]) -> None:
    (node,) = played["no-fabric"]["nodes"]
    assert node["link"] == "pcie5-x16", "inactive NVLinks carry nothing"
    assert "fabric-not-ready" in kinds(played["no-fabric"])


def test_fabric_manager_of_another_version(tmp_path: Path) -> None:
    build(tmp_path)
    add_tool(tmp_path / "bin", "nv-fabricmanager", "echo 'Fabric Manager version is : 570.86.15'")
    inventory = play(tmp_path, "no-fabric", PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}")["no-fabric"]
    (notice,) = [notice for notice in inventory["warnings"] if notice["where"] == "nvidia fabric"]
    assert notice["kind"] == "fabric-mismatch"
    assert notice["message"].startswith("fabric manager 570.86.15 ≠ driver 570.124.06")
    assert "(devices 0-7)" in notice["message"]


def test_mig_slices_have_their_own_memory(played: dict[str, Any]) -> None:
    (node,) = played["a100-mig"]["nodes"]
    (device,) = node["devices"]
    assert device["mig_enabled"] is True
    assert [(part["profile"], part["total_bytes"] // MIB, part["sm_count"]) for part in device["slices"]] == [
        ("3g.40gb", 40448, 42),
        ("2g.20gb", 19968, 28),
        ("1g.10gb", 9856, 14),
    ]
    assert device["slices"][0]["used_bytes"] == 1200 * MIB
    assert device["slices"][2]["accelerator"] == "a100-sxm-80gb:1g.10gb"
    assert device["slices"][1]["uuid"].startswith("MIG-00000001-")
    assert device["total_bytes"] == 81920 * MIB, "the whole card keeps its own figure"


@pytest.mark.parametrize("scenario", ["gb10-unsupported", "gb10-zero"])
def test_unified_memory_is_the_hosts(played: dict[str, Any], scenario: str) -> None:
    (node,) = played[scenario]["nodes"]
    (device,) = node["devices"]
    assert device["accelerator"] == "gb10"
    assert device["unified_memory"] is True
    assert device["total_bytes"] == node["host"]["ram_bytes"] > 0
    withheld = ("ecc", "pcie_gen", "pcie_width", "power_limit_w", "link_count", "mig_enabled")
    assert {name: device[name] for name in withheld} == dict.fromkeys(withheld)


@pytest.mark.parametrize("scenario", ["lost", "lost-handle"])
def test_a_lost_device_does_not_take_the_others_along(played: dict[str, Any], scenario: str) -> None:
    (node,) = played[scenario]["nodes"]
    lost = node["devices"][2]
    assert "lost" in lost["error"]
    assert lost["total_bytes"] is None
    assert [device["accelerator"] for device in node["devices"]] == [
        *("h100-sxm-80gb", "h100-sxm-80gb", None, "h100-sxm-80gb")
    ]
    assert node["link"] == "nvlink4", "the others keep their links"
    assert set(node["topology"][2]) == {"N/A", "X"}
    assert kinds(played[scenario]) == ["device-error"]


def test_cards_without_nvlink(played: dict[str, Any]) -> None:
    (node,) = played["2x4090"]["nodes"]
    assert node["link"] == "pcie4-x8", "an idle card's low generation does not count, a narrow slot does"
    assert node["topology"] == [["X", "PHB"], ["PHB", "X"]]
    assert [device["peer_access"] for device in node["devices"]] == [False, False]
    assert [device["link_count"] for device in node["devices"]] == [None, None]
    assert kinds(played["2x4090"]) == ["driver-lacks-calls", "no-peer-access", "narrow-pcie"]
    lacking = played["2x4090"]["warnings"][0]["message"]
    assert lacking.count("nvmlDeviceGetComputeRunningProcesses") == 1, "said once, not once a device"


def test_bridged_pairs_are_as_fast_as_their_slowest_path(played: dict[str, Any]) -> None:
    (node,) = played["4x3090-bridged"]["nodes"]
    assert node["topology"][0] == ["X", "NV4", "PHB", "PHB"]
    assert node["topology"][3] == ["PHB", "PHB", "NV4", "X"]
    assert node["link"] == "pcie4-x16"


def test_virtual_gpu(played: dict[str, Any]) -> None:
    (node,) = played["vgpu"]["nodes"]
    assert node["devices"][0]["virtualization"] == "vgpu"
    assert node["devices"][0]["total_bytes"] == 10240 * MIB
    assert "vgpu" in node["host"]["environment"]


def test_nonsense_from_a_driver_is_not_reported_further(played: dict[str, Any]) -> None:
    (node,) = played["garbage"]["nodes"]
    (device,) = node["devices"]
    assert device["name"] is None, "invalid UTF-8"
    assert device["total_bytes"] is None, "8 exbibytes"
    assert device["match"] == "unknown"


@pytest.mark.parametrize(
    ("scenario", "kind", "word"),
    [
        ("no-devices", "no-devices", "lspci"),
        ("mismatch", "driver-library-mismatch", "reboot"),
        ("no-permission", "no-permission", "/dev/nvidia"),
        ("not-loaded", "driver-not-loaded", "modprobe"),
        ("strange", "driver-error", "dmesg"),
    ],
)
def test_a_driver_that_cannot_be_asked(played: dict[str, Any], scenario: str, kind: str, word: str) -> None:
    inventory = played[scenario]
    (node,) = inventory["nodes"]
    assert node["host"]["ram_bytes"] > 0, "the host is described all the same"
    assert [device for device in node["devices"] if device["error"] is None] == []
    (notice,) = [notice for notice in inventory["warnings"] if notice["kind"] == kind]
    assert word in notice["fix"]


def test_an_old_driver_lacks_calls(tmp_path: Path) -> None:
    build(tmp_path, "-DOLD_DRIVER")
    inventory = play(tmp_path, "8xh200", CUDA_VISIBLE_DEVICES="2,GPU-00000005,9,0")["8xh200"]
    (node,) = inventory["nodes"]
    assert node["devices"][0]["total_bytes"] == 143771 * MIB, "the older memory call is used"
    assert node["devices"][0]["free_bytes"] == 143771 * MIB
    (notice,) = [notice for notice in inventory["warnings"] if notice["kind"] == "driver-lacks-calls"]
    assert "nvmlDeviceGetComputeRunningProcesses (not in this driver)" in notice["message"]
    assert "MemoryInfo" not in notice["message"]
    visible = [device["index"] for device in node["devices"] if device["visible"]]
    assert visible == [2, 5], "as in CUDA, the first name that fits no device ends the list"
    assert "hidden-devices" in [notice["kind"] for notice in inventory["warnings"]]
