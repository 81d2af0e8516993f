"""The reader over a directory tree laid out like a machine, and the verb on this one."""

from __future__ import annotations

import json

import pytest

from planner.cli.main import main
from planner.detect.surroundings import Surroundings
from planner.doctor.facts import gather
from planner.documents.inventory import Disk, HostInfo, Inventory, Node

LIMITS = """Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max locked memory         8388608              8388608              bytes
Max open files            20000                20000                files
"""


def lay(top, **files):
    for name, content in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def acs_space(control: int, *, behind: int = 0x148) -> bytes:
    """PCIe configuration space with an AER header and, behind it, ACS with this control register."""
    space = bytearray(4096)
    space[0x100:0x104] = (0x0001 | 1 << 16 | behind << 20).to_bytes(4, "little")
    space[behind : behind + 4] = (0x000D | 1 << 16).to_bytes(4, "little")
    space[behind + 6 : behind + 8] = control.to_bytes(2, "little")
    return bytes(space)


@pytest.fixture
def machine(tmp_path):
    bus = "sys/bus/pci/devices"
    lay(
        tmp_path,
        **{
            "proc/self/limits": LIMITS,
            "proc/cmdline": "BOOT_IMAGE=/vmlinuz ro iommu=pt\n",
            "proc/modules": "nvidia_uvm 1 0 - Live 0x0\nnvidia 2 1 nvidia_uvm, Live 0x0\n",
            "proc/1/comm": "systemd\n",
            "proc/77/comm": "nv-fabricmanage\n",
            "proc/sys/kernel/numa_balancing": "1\n",
            "sys/module/nvidia/version": "580.95.05\n",
            "sys/kernel/iommu_groups/0/type": "identity",
            "var/log/fabricmanager.log": "Fabric Manager version is : 575.1.2\nFabric Manager version is : 580.95.05\n",
            f"{bus}/0000:00:01.0/class": "0x060400\n",
            f"{bus}/0000:00:01.0/config": acs_space(0b11101),
            f"{bus}/0000:00:02.0/class": "0x060400\n",
            f"{bus}/0000:00:02.0/config": acs_space(0b1),
            f"{bus}/0000:07:00.0/class": "0x068000\n",
            f"{bus}/0000:07:00.0/vendor": "0x10de\n",
            "etc/nvidia-container-runtime/config.toml": "",
        },
    )
    return Surroundings(tmp_path, {"LD_LIBRARY_PATH": "/x:/usr/local/cuda-12.8/compat", "NCCL_DEBUG": "INFO", "A": "b"})


def test_everything_is_read_from_the_tree(machine):
    facts = gather(Inventory((Node(),)), machine)
    assert facts.limits == {"Max cpu time": float("inf"), "Max locked memory": 8388608.0, "Max open files": 20000.0}
    assert facts.kernel_command is not None
    assert "iommu=pt" in facts.kernel_command
    assert facts.modules == {"nvidia_uvm", "nvidia"}
    assert facts.processes == {"systemd", "nv-fabricmanage"}
    assert (facts.numa_balancing, facts.iommu_groups, facts.nvswitches) == (1, 1, 1)
    assert (facts.bridges, facts.bridges_redirecting) == (2, 1)
    assert facts.module_version == facts.fabric_manager == "580.95.05"
    assert facts.compat_folder == "/usr/local/cuda-12.8/compat"
    assert facts.container_toolkit is True
    assert facts.environment == {"NCCL_DEBUG": "INFO"}


def test_an_empty_tree_is_not_readable_and_no_traceback(tmp_path):
    facts = gather(Inventory((Node(),)), Surroundings(tmp_path, {}))
    assert facts.limits == {}
    assert facts.modules is facts.processes is facts.nvswitches is facts.module_version is facts.shm_free is None


def test_without_root_acs_is_not_readable(machine):
    for path in machine.sys.glob("bus/pci/devices/*/config"):
        path.write_bytes(path.read_bytes()[:64])
    facts = gather(Inventory((Node(),)), machine)
    assert (facts.bridges, facts.bridges_redirecting) == (2, None)


@pytest.mark.parametrize("space", [b"", b"\xff" * 4096, b"\x0d\x00" * 2048, bytes(range(256)) * 16])
def test_configuration_space_of_any_bytes_ends(machine, space):
    for path in machine.sys.glob("bus/pci/devices/*/config"):
        path.write_bytes(space)
    gather(Inventory((Node(),)), machine)


@pytest.mark.parametrize("text", ["\0\0", "Max locked memory", "x" * 100_000, "a  b  c\n" * 50])
def test_strange_limits_are_no_traceback(machine, text):
    (machine.proc / "self" / "limits").write_text(text)
    gather(Inventory((Node(),)), machine)


def test_the_disk_is_the_one_that_holds_the_path(machine, tmp_path):
    disks = (Disk("/", 100, 10), Disk(str(tmp_path), 100, 20), Disk(str(tmp_path) + "x", 100, 90))
    node = Node(host=HostInfo(disks=disks))
    facts = gather(Inventory((node,)), machine, tmp_path / "models" / "m")
    assert facts.disk_of_weights == disks[1]
    assert facts.weights_present is False
    assert gather(Inventory((node,)), machine).disk_of_weights == disks[2]


def test_the_verb_on_this_machine(capsys, tmp_path):
    code = main(["doctor", "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert answer["schema"] == "deploy-planner/preflight/1"
    assert {"devices", "ram", "disk"} <= {check["id"] for check in answer["checks"]}
    assert code == (3 if any(c["state"] == "problem" for c in answer["checks"]) else 0)
    plan = tmp_path / "d.toml"
    plan.write_text('schema = "deploy-planner/deployment/1"\n[model]\nid = "Qwen/Qwen3-8B"\nweights = "bf16"\n'
                    '[hardware]\naccelerator = "mi300x"\nper_node = 8\n[serving]\ntp = 8\n')  # fmt: skip
    assert main(["doctor", str(plan)]) == 3
    assert "the deployment wants 8" in capsys.readouterr().out
