"""The host read from real directory trees."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from planner.detect.advice_host import HOST_RULES
from planner.detect.cgroup import count_list
from planner.detect.host import read_host
from planner.detect.surroundings import Surroundings
from planner.documents.inventory import HostInfo, Node
from tests.detect.trees import lay_out

GIB = 1 << 30
KIB = 1 << 10

XEON = """processor\t: {cpu}
vendor_id\t: GenuineIntel
model name\t: Intel(R) Xeon(R) Platinum 8480+
physical id\t: {socket}
core id\t\t: {core}
flags\t\t: fpu sse avx avx2 fma f16c avx512f avx512_bf16 avx512_vnni amx_bf16 amx_tile amx_int8 smx
"""
MEMINFO = """MemTotal:       {total} kB
MemFree:         1000000 kB
MemAvailable:   {available} kB
SwapTotal:       8388608 kB
SwapFree:        8388608 kB
"""


def server(**extra: str) -> dict[str, str]:
    """Two sockets of four cores with two threads each, 256 GiB."""
    cpus = [XEON.format(cpu=n, socket=n % 8 // 4, core=n % 4) for n in range(16)]
    files = {
        "proc/cpuinfo": "\n".join(cpus),
        "proc/meminfo": MEMINFO.format(total=256 * GIB // KIB, available=200 * GIB // KIB),
        "proc/sys/kernel/hostname": "gpu-07\n",
        "proc/sys/kernel/osrelease": "6.8.0-45-generic\n",
        "proc/1/comm": "systemd",
        "proc/self/cgroup": "0::/user.slice\n",
        "etc/os-release": 'NAME="Ubuntu"\nPRETTY_NAME="Ubuntu 24.04.1 LTS"\n',
        "sys/devices/system/node/node0/cpulist": "0-7",
        "sys/devices/system/node/node1/cpulist": "8-15",
    }
    return {**files, **extra}


def kinds(host: HostInfo) -> list[str]:
    return [notice.kind for rule in HOST_RULES for notice in rule(Node(host=host))]


def test_a_server(tmp_path: Path) -> None:
    host = read_host(lay_out(tmp_path, server()))
    assert host.cpu == "Intel(R) Xeon(R) Platinum 8480+"
    assert (host.cores, host.threads, host.sockets, host.numa_nodes) == (8, 16, 2, 2)
    assert (host.ram_bytes, host.ram_available_bytes) == (256 * GIB, 200 * GIB)
    assert (host.swap_bytes, host.swap_used_bytes) == (8 * GIB, 0)
    assert (host.hostname, host.os) == ("gpu-07", "Ubuntu 24.04.1 LTS, Linux 6.8.0-45-generic")
    assert host.features == (
        *("f16c", "fma", "avx", "avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_int8", "amx_bf16"),
    )
    assert (host.memory_limit_bytes, host.cpu_limit, host.environment) == (None, None, ())
    assert kinds(host) == []


def test_nothing_at_all(tmp_path: Path) -> None:
    """Everything hidden: every figure is None, none is 0, nothing crashes."""
    host = read_host(lay_out(tmp_path, {}))
    assert replace(host, environment=()) == HostInfo()
    assert host.environment == ("hidden-proc",)
    assert kinds(host) == ["hidden-proc"]


def test_arm_servers_name_only_parts(tmp_path: Path) -> None:
    text = "".join(
        f"processor\t: {n}\nCPU implementer\t: 0x41\nCPU part\t: 0xd4f\nFeatures\t: fp asimd sve2 bf16\n\n"
        for n in range(3)
    )
    siblings = {f"sys/devices/system/cpu/cpu{n}/topology/thread_siblings_list": f"{n}\n" for n in range(3)}
    packages = {f"sys/devices/system/cpu/cpu{n}/topology/physical_package_id": "0\n" for n in range(3)}
    host = read_host(lay_out(tmp_path, {"proc/cpuinfo": text, **siblings, **packages}))
    assert (host.cpu, host.cores, host.threads, host.sockets) == ("Neoverse-V2", 3, 3, 1)
    assert host.features == ("asimd", "sve2", "bf16")


def test_cgroup_v2_of_a_container(tmp_path: Path) -> None:
    group = "sys/fs/cgroup/kubepods.slice/pod7"
    files = server(
        **{
            "proc/self/cgroup": "0::/kubepods.slice/pod7/main\n",
            f"{group}/memory.max": f"{32 * GIB}\n",
            f"{group}/memory.current": f"{10 * GIB}\n",
            f"{group}/memory.stat": f"anon {4 * GIB}\ninactive_file {5 * GIB}\n",
            f"{group}/main/memory.max": "max\n",
            f"{group}/main/cpu.max": "350000 100000\n",
            "sys/fs/cgroup/kubepods.slice/cpu.max": "max 100000\n",
        }
    )
    host = read_host(lay_out(tmp_path, files))
    assert host.memory_limit_bytes == 32 * GIB, "a limit of a parent counts"
    assert host.ram_available_bytes == 27 * GIB, "page cache can be had back"
    assert host.cpu_limit == 3.5
    assert host.environment == ("container", "kubernetes")
    assert kinds(host) == ["memory-limit", "cpu-limit"]


def test_cgroup_v1(tmp_path: Path) -> None:
    files = server(
        **{
            "proc/self/cgroup": "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/\n",
            "sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": f"{64 * GIB}",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "800000",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
            ".dockerenv": "",
        }
    )
    host = read_host(lay_out(tmp_path, files))
    assert (host.memory_limit_bytes, host.cpu_limit) == (64 * GIB, 8.0)
    assert host.environment == ("container", "docker")


def test_limits_that_do_not_limit(tmp_path: Path) -> None:
    files = server(
        **{
            "sys/fs/cgroup/user.slice/memory.max": f"{999 * GIB}",
            "sys/fs/cgroup/user.slice/cpu.max": "6400000 100000",
            "proc/self/status": "Name:\tx\nCpus_allowed_list:\t0-15\n",
        }
    )
    host = read_host(lay_out(tmp_path, files))
    assert (host.memory_limit_bytes, host.cpu_limit) == (None, None)


def test_affinity(tmp_path: Path) -> None:
    files = server(**{"proc/self/status": "Cpus_allowed_list:\t0-3,8\n"})
    assert read_host(lay_out(tmp_path, files)).cpu_limit == 5.0


@pytest.mark.parametrize(("text", "count"), [("0-3,8", 5), ("7", 1), ("", 0), ("0-", 1), ("a-b", 0), ("9-3", 0)])
def test_kernel_lists(text: str, count: int) -> None:
    assert count_list(text) == count


@pytest.mark.parametrize("text", ["", "garbage", "MemTotal: kB", "MemTotal: -5 kB", "MemTotal:", "\x00\xff" * 50])
def test_broken_tables(tmp_path: Path, text: str) -> None:
    host = read_host(lay_out(tmp_path, server(**{"proc/meminfo": text, "proc/cpuinfo": text})))
    assert (host.ram_bytes, host.ram_available_bytes, host.threads, host.cpu) == (None, None, None, None)


def test_wsl2(tmp_path: Path) -> None:
    files = server(**{"proc/version": "Linux version 5.15.153.1-microsoft-standard-WSL2", "dev/dxg": ""})
    host = read_host(lay_out(tmp_path, files))
    assert "wsl2" in host.environment
    assert "wsl2" in kinds(host)


def test_swapping(tmp_path: Path) -> None:
    meminfo = "MemTotal: 33554432 kB\nMemAvailable: 1000 kB\nSwapTotal: 8388608 kB\nSwapFree: 0 kB\n"
    host = read_host(lay_out(tmp_path, server(**{"proc/meminfo": meminfo})))
    assert host.swap_used_bytes == 8 * GIB
    assert kinds(host) == ["swapping"]


def test_disks(tmp_path: Path) -> None:
    mounts = "\n".join(
        [
            "/dev/nvme0n1p2 / ext4 rw 0 0",
            "proc /proc proc rw 0 0",
            "tmpfs /run tmpfs rw 0 0",
            "/dev/loop3 /snap/core squashfs ro 0 0",
            "/dev/sda1 /data\\040disk xfs rw 0 0",
            "/dev/sda1 /again xfs rw 0 0",
            "filer:/models /models nfs4 rw 0 0",
            "/dev/sdb1 /not-here ext4 rw 0 0",
        ]
    )
    files = server(
        **{
            "proc/self/mounts": mounts,
            "data disk/x": "",
            "again/x": "",
            "models/x": "",
            "run/x": "",
            "dev/sda1": "",
            "sys/class/block/sda/queue/rotational": "1",
        }
    )
    place = lay_out(tmp_path, files)
    (tmp_path / "sys/class/block/sda/sda1").mkdir()
    (tmp_path / "sys/class/block/sda1").symlink_to("sda/sda1")
    disks = read_host(place).disks
    assert [(disk.mount, disk.kind) for disk in disks] == [("/", "nvme"), ("/data disk", "hdd"), ("/models", "nfs4")]
    assert all(0 < disk.free_bytes <= disk.total_bytes for disk in disks)


def test_nics(tmp_path: Path) -> None:
    files = server(
        **{
            "sys/class/infiniband/mlx5_0/ports/1/state": "4: ACTIVE",
            "sys/class/infiniband/mlx5_0/ports/1/rate": "400 Gb/sec (4X NDR)",
            "sys/class/infiniband/mlx5_0/ports/1/link_layer": "InfiniBand",
            "sys/class/infiniband/mlx5_1/ports/1/state": "1: DOWN",
            "sys/class/infiniband/mlx5_2/ports/1/state": "4: ACTIVE",
            "sys/class/infiniband/mlx5_2/ports/1/link_layer": "Ethernet",
            "sys/class/net/eno1/operstate": "up",
            "sys/class/net/eno1/speed": "25000",
            "sys/class/net/eno1/device/x": "",
            "sys/class/net/eno2/operstate": "up",
            "sys/class/net/eno2/speed": "-1",
            "sys/class/net/eno2/device/x": "",
            "sys/class/net/docker0/operstate": "up",
            "sys/class/net/docker0/speed": "10000",
        }
    )
    nics = read_host(lay_out(tmp_path, files)).nics
    assert [(nic.name, nic.kind, nic.bytes_s) for nic in nics] == [
        ("mlx5_0:1", "infiniband", 50e9),
        ("mlx5_2:1", "roce", None),
        ("eno1", "ethernet", 3.125e9),
        ("eno2", "ethernet", None),
    ]


def test_this_machine() -> None:
    """Whatever it is: the figures are sound."""
    host = read_host(Surroundings())
    assert host.ram_bytes is None or host.ram_bytes > 1 << 20
    assert host.threads is None or host.threads >= (host.cores or 1) >= (host.sockets or 1) >= 1
    if host.ram_bytes and host.ram_available_bytes is not None:
        assert host.ram_available_bytes <= host.ram_bytes
