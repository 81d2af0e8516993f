"""Every other vendor: sysfs trees, and tools that are real executables on PATH."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hwdb.database import Database
from planner.detect import amd, apple, ascend, gaudi, intel, nvidia
from planner.detect.machine import detect_machine
from planner.detect.surroundings import Surroundings
from planner.detect.tools import MAX_OUTPUT, run_tool
from planner.detect.visible import mark_visible
from planner.documents.inventory import GpuDevice
from tests.detect.test_recorded import AMD_METRIC, AMD_STATIC
from tests.detect.trees import FIXTURES, add_tool, lay_out

DB = Database()
posix = pytest.mark.skipif(sys.platform == "win32", reason="shell scripts as tools")


def pci(slot: str, vendor: str, device: str, kind: str = "0x030200", **files: str) -> dict[str, str]:
    """A function on the bus."""
    folder = f"sys/bus/pci/devices/{slot}"
    return {
        f"{folder}/vendor": f"0x{vendor}\n",
        f"{folder}/device": f"0x{device}\n",
        f"{folder}/class": f"{kind}\n",
        **{f"{folder}/{name}": text for name, text in files.items()},
    }


def drm(top: Path, card: str, slot: str) -> None:
    """``/sys/class/drm/card0/device`` → the function on the bus, as the kernel links it."""
    folder = top / "sys/class/drm" / card
    folder.mkdir(parents=True)
    (folder / "device").symlink_to(f"../../../bus/pci/devices/{slot}")


def with_tools(place: Surroundings, folder: Path) -> Surroundings:
    return replace(place, environ={"PATH": f"{folder}:/bin:/usr/bin"})


def mi300x(slot: str) -> dict[str, str]:
    link = {"current_link_speed": "32.0 GT/s PCIe", "max_link_speed": "32.0 GT/s PCIe", "current_link_width": "16"}
    memory = {"mem_info_vram_total": str(196592 << 20), "mem_info_vram_used": str(285 << 20)}
    power = {"hwmon/hwmon4/power1_cap": "750000000", "hwmon/hwmon4/power1_average": "141000000"}
    more = {"unique_id": "abcdef0123456789", "hwmon/hwmon4/temp1_input": "42000"}
    return pci(slot, "1002", "74a1", "0x120000", **link, **memory, **power, **more)


def kfd(*locations: int) -> dict[str, str]:
    """Compute topology: node 0 is the processor, the others are joined by XGMI."""
    nodes = "sys/class/kfd/kfd/topology/nodes"
    files = {f"{nodes}/0/properties": "cpu_cores_count 64\nsimd_count 0\n"}
    for number, location in enumerate(locations, 1):
        files[f"{nodes}/{number}/properties"] = (
            f"simd_count 1216\ngfx_target_version 90402\nlocation_id {location}\ndomain 0\n"
        )
        for other in range(len(locations) + 1):
            if other != number:
                kind = 11 if other else 2
                files[f"{nodes}/{number}/io_links/{other}/properties"] = (
                    f"type {kind}\nnode_from {number}\nnode_to {other}\n"
                )
    return files


def test_amd_from_sysfs(tmp_path: Path) -> None:
    files = {**mi300x("0000:05:00.0"), **mi300x("0000:26:00.0"), **kfd(0x0500, 0x2600), "dev/kfd": ""}
    place = lay_out(tmp_path, {**files, "sys/module/amdgpu/version": "6.8.5\n", "opt/rocm/.info/version": "6.4.1-83"})
    drm(tmp_path, "card1", "0000:26:00.0")
    drm(tmp_path, "card0", "0000:05:00.0")
    drm(tmp_path, "card0-DP-1", "0000:05:00.0")
    inventory = detect_machine(DB, replace(place, environ={"ROCR_VISIBLE_DEVICES": "1"}))
    (node,) = inventory.nodes
    assert [card.accelerator for card in node.devices] == ["mi300x", "mi300x"]
    first = node.devices[0]
    assert (first.pci_bus_id, first.name, first.compute_capability) == ("0000:05:00.0", None, "gfx942")
    assert (first.total_bytes, first.used_bytes) == (196592 << 20, 285 << 20)
    assert (first.pcie_gen, first.pcie_width, first.temperature_c) == (5, 16, 42.0)
    assert (first.power_limit_w, first.power_draw_w, first.power_limit_default_w) == (750.0, 141.0, None)
    assert (node.driver_version, node.runtime_version) == ("6.8.5", "6.4.1")
    assert node.topology == (("X", "XGMI"), ("XGMI", "X"))
    assert (node.link, first.link_kind) == ("xgmi4", "xgmi4")
    assert [card.visible for card in node.devices] == [False, True]


@posix
def test_amd_smi_completed_from_sysfs(tmp_path: Path) -> None:
    place = lay_out(tmp_path, {**mi300x("0000:05:00.0")})
    drm(tmp_path, "card0", "0000:05:00.0")
    script = (
        f"case $1 in static) cat <<'E'\n{AMD_STATIC}\nE\n;; metric) cat <<'E'\n{AMD_METRIC}\nE\n;; *) exit 1;; esac"
    )
    add_tool(tmp_path / "bin", "amd-smi", script)
    report = amd.detect(with_tools(place, tmp_path / "bin"))
    (card,) = report.devices
    assert (card.name, card.power_draw_w, card.compute_capability) == ("AMD Instinct MI300X", 141.0, "gfx942")
    assert card.pcie_width == 16
    assert [notice.kind for notice in report.warnings] == ["no-compute-device"], "/dev/kfd is missing"


@posix
def test_rocm_smi_when_there_is_no_amd_smi(tmp_path: Path) -> None:
    add_tool(tmp_path / "bin", "rocm-smi", f"cat '{FIXTURES / 'rocm-smi.mi100_rocm602.json'}'")
    report = amd.detect(with_tools(lay_out(tmp_path / "m", {"dev/kfd": ""}), tmp_path / "bin"))
    assert [card.name for card in report.devices] == ["Instinct MI100"] * 4
    assert report.warnings == ()


def test_intel_from_sysfs(tmp_path: Path) -> None:
    files = {
        **pci("0000:00:02.0", "8086", "a780", "0x030000"),
        **pci("0000:03:00.0", "8086", "e20b", "0x030000", **{"tile0/physical_vram_size_bytes": str(12 << 30)}),
        "sys/module/xe/version": "1.1.0",
    }
    place = lay_out(tmp_path, files)
    drm(tmp_path, "card0", "0000:00:02.0")
    drm(tmp_path, "card1", "0000:03:00.0")
    (node,) = detect_machine(DB, place).nodes
    (card,) = node.devices
    assert card.total_bytes == 12 << 30, "integrated graphics are no accelerator"
    assert (card.accelerator, card.pci_device_id) == ("arc-b580", "e20b")


@posix
def test_xpu_smi(tmp_path: Path) -> None:
    row = '"device_id": 0, "device_name": "Intel(R) Arc(TM) Pro B60 Graphics", "pci_bdf_address": "0000:03:00.0"'
    full = f'{{{row}, "pci_device_id": "0xe211", "memory_physical_size_byte": "{24480 << 20}"}}'
    script = f"case $2 in -j) echo '{{\"device_list\": [{{{row}}}]}}';; *) echo '{full}';; esac"
    add_tool(tmp_path / "bin", "xpu-smi", script)
    report = intel.detect(with_tools(lay_out(tmp_path / "m", {}), tmp_path / "bin"))
    assert [(card.name, card.total_bytes) for card in report.devices] == [
        ("Intel(R) Arc(TM) Pro B60 Graphics", 24480 << 20)
    ]


@posix
def test_tools_that_print_tables(tmp_path: Path) -> None:
    add_tool(tmp_path / "bin", "npu-smi", f"cat '{FIXTURES / 'npu-smi-info.8x910b3.txt'}'")
    add_tool(tmp_path / "bin", "hl-smi", f"cat '{FIXTURES / 'hl-smi.8xgaudi2.txt'}'")
    place = with_tools(lay_out(tmp_path / "m", {}), tmp_path / "bin")
    hidden = replace(place, environ={**place.environ, "ASCEND_RT_VISIBLE_DEVICES": "4,5,6,7"})
    assert [card.index for card in ascend.detect(hidden).devices if card.visible] == [4, 5, 6, 7]
    assert len(gaudi.detect(place).devices) == 8
    assert len(detect_machine(DB, place).nodes[0].devices) == 16


def test_a_card_whose_tool_is_missing(tmp_path: Path) -> None:
    place = lay_out(tmp_path, pci("0000:19:00.0", "1da3", "1020", "0x120000"))
    inventory = detect_machine(DB, place)
    (card,) = inventory.nodes[0].devices
    assert (card.pci_device_id, card.error) == ("1020", "hl-smi is not installed here")
    assert "tool-missing" in [notice.kind for notice in inventory.warnings]


@posix
@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("sleep 5", "did not answer"),
        ("exit 3", "failed with exit code 3"),
        ("echo nothing of use", "holds no device rows"),
        ("printf '\\377\\376\\000garbage'", "holds no device rows"),
    ],
)
def test_tools_that_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str) -> None:
    monkeypatch.setattr("planner.detect.tools.run_tool.__defaults__", (0.3,))
    add_tool(tmp_path / "bin", "hl-smi", script)
    report = gaudi.detect(with_tools(lay_out(tmp_path / "m", {}), tmp_path / "bin"))
    assert report.devices == ()
    (notice,) = report.warnings
    assert notice.kind == "tool-failed" and said in notice.message and notice.fix


@posix
def test_a_talkative_tool_is_cut(tmp_path: Path) -> None:
    add_tool(tmp_path / "bin", "chatty", "head -c 40000000 /dev/zero")
    output = run_tool(with_tools(Surroundings(), tmp_path / "bin"), ("chatty",))
    assert output is not None and len(output.content) == MAX_OUTPUT


@posix
def test_nvidia_smi_when_the_library_is_missing(tmp_path: Path) -> None:
    add_tool(tmp_path / "bin", "nvidia-smi", f"cat '{FIXTURES / 'nvidia-smi-q-x.tesla-t4.xml'}'")
    place = with_tools(lay_out(tmp_path / "m", {}), tmp_path / "bin")
    report = nvidia.by_tool(replace(place, environ={**place.environ, "CUDA_VISIBLE_DEVICES": ""}))
    (card,) = report.devices
    assert (card.name, card.visible, report.driver_version) == ("Tesla T4", False, "515.105.01")


@posix
def test_nvidia_smi_tells_links_too(tmp_path: Path) -> None:
    head = "\\033[4mGPU0\\tGPU1\\tCPU Affinity\\033[0m"
    matrix = f"{head}\\nGPU0\\t X \\tNV12\\t0-7\\nGPU1\\tNV12\\t X \\t0-7\\n"
    memory = "<fb_memory_usage><total>81920 MiB</total></fb_memory_usage>"
    gpu = f"<gpu><product_name>NVIDIA A100-SXM4-80GB</product_name>{memory}</gpu>"
    log = f"<nvidia_smi_log>{gpu}{gpu}</nvidia_smi_log>"
    add_tool(tmp_path / "bin", "nvidia-smi", f"case $1 in -q) echo \"{log}\";; topo) printf '{matrix}';; esac")
    report = nvidia.by_tool(with_tools(lay_out(tmp_path / "m", {}), tmp_path / "bin"))
    assert report.topology == (("X", "NV12"), ("NV12", "X"))
    assert [card.link_count for card in report.devices] == [12, 12]


@posix
def test_nvidia_smi_that_fails(tmp_path: Path) -> None:
    add_tool(
        tmp_path / "bin", "nvidia-smi", "echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18"
    )
    place = lay_out(tmp_path / "m", pci("0000:41:00.0", "10de", "2335"))
    report = nvidia.by_tool(with_tools(place, tmp_path / "bin"))
    assert [notice.kind for notice in report.warnings] == ["driver-library-mismatch"]
    (card,) = report.devices
    assert card.pci_device_id == "2335" and card.error is not None


def test_a_card_without_any_driver(tmp_path: Path) -> None:
    report = nvidia.by_tool(lay_out(tmp_path, pci("0000:41:00.0", "10de", "2335")))
    assert [notice.kind for notice in report.warnings] == ["library-missing"]
    assert len(report.devices) == 1


@posix
def test_apple(tmp_path: Path) -> None:
    answers = "case $2 in machdep*) echo Apple M3 Max;; hw.memsize) echo 137438953472;; kern*) echo 15.1;; esac"
    add_tool(tmp_path / "bin", "sysctl", answers)
    place = replace(with_tools(lay_out(tmp_path / "m", {}), tmp_path / "bin"), platform="darwin")
    report = apple.detect(place)
    (card,) = report.devices
    assert (card.name, card.total_bytes, card.unified_memory) == ("Apple M3 Max", 128 << 30, True)
    (node,) = detect_machine(DB, place).nodes
    assert node.devices[0].accelerator == "apple-m3-max"


def cards(count: int) -> list[GpuDevice]:
    return [GpuDevice(index=n, vendor="x", name="x", uuid=f"GPU-{n:08d}-1111") for n in range(count)]


@pytest.mark.parametrize(
    ("vendor", "environ", "visible"),
    [
        ("nvidia", {}, [0, 1, 2, 3]),
        ("nvidia", {"CUDA_VISIBLE_DEVICES": ""}, []),
        ("nvidia", {"CUDA_VISIBLE_DEVICES": "-1"}, []),
        ("nvidia", {"CUDA_VISIBLE_DEVICES": "0,2"}, [0, 2]),
        ("nvidia", {"CUDA_VISIBLE_DEVICES": "1,99,2"}, [1]),
        ("nvidia", {"CUDA_VISIBLE_DEVICES": "GPU-00000003"}, [3]),
        ("nvidia", {"CUDA_VISIBLE_DEVICES": "9" * 200}, []),
        ("amd", {"ROCR_VISIBLE_DEVICES": "2,3", "HIP_VISIBLE_DEVICES": "1"}, [3]),
        ("amd", {"HIP_VISIBLE_DEVICES": "1", "CUDA_VISIBLE_DEVICES": "2"}, [1]),
        ("amd", {"CUDA_VISIBLE_DEVICES": "2"}, [2]),
        ("huawei", {"ASCEND_RT_VISIBLE_DEVICES": "0"}, [0]),
        ("gaudi", {"HABANA_VISIBLE_DEVICES": "all"}, [0, 1, 2, 3]),
        ("intel", {"ZE_AFFINITY_MASK": "1.0"}, [1]),
        ("apple", {"CUDA_VISIBLE_DEVICES": "0"}, [0, 1, 2, 3]),
    ],
)
def test_visibility(vendor: str, environ: dict[str, str], visible: list[int]) -> None:
    marked = mark_visible(cards(4), vendor, environ)
    assert [card.index for card in marked if card.visible] == visible


def test_a_machine_without_accelerators(tmp_path: Path) -> None:
    place = lay_out(tmp_path, pci("0000:00:02.0", "1a03", "2000", "0x030000"))
    inventory = detect_machine(DB, place)
    assert inventory.nodes[0].devices == ()
    assert [notice.kind for notice in inventory.warnings] == ["hidden-proc"]
