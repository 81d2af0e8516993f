"""Checks over facts: each state of each check, against a plan and without one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.doctor.facts import Facts
from planner.doctor.preflight import preflight
from planner.doctor.wants import Wants, image_cuda
from planner.documents.inventory import Disk, GpuDevice, HostInfo, Nic, Node
from planner.units import GIB

CARD = GpuDevice(
    index=0, vendor="nvidia", name="NVIDIA H200", accelerator="h200-sxm-141gb", match="exact", total_bytes=140 * GIB,
    free_bytes=139 * GIB, used_bytes=GIB, ecc=True, power_limit_w=700, power_limit_default_w=700,
)  # fmt: skip
HOST = HostInfo(
    ram_bytes=1024 * GIB, ram_available_bytes=900 * GIB, swap_bytes=0, numa_nodes=2,
    disks=(Disk("/", 100 * GIB, 50 * GIB), Disk("/models", 4096 * GIB, 2048 * GIB)),
    nics=(Nic("eth0", "ethernet"), Nic("ib0", "infiniband")),
)  # fmt: skip
NODE = Node(
    host=HOST, devices=tuple(replace(CARD, index=i) for i in range(8)), link="nvlink4", driver_version="580.95.05",
    runtime_version="13.0",
)  # fmt: skip
GOOD = Facts(
    node=NODE, shm_total=512 * GIB, shm_free=500 * GIB,
    limits={"Max locked memory": float("inf"), "Max open files": 1048576.0}, kernel_command="ro quiet iommu=pt",
    iommu_groups=90, numa_balancing=0, modules=frozenset({"nvidia", "nvidia_peermem"}),
    processes=frozenset({"systemd", "nv-fabricmanage"}), nvswitches=4, bridges=30, bridges_redirecting=0,
    module_version="580.95.05", fabric_manager="580.95.05", container_toolkit=True, disk_of_weights=HOST.disks[1],
)  # fmt: skip
WANTS = Wants(
    name="m", engine="vllm 0.20.0", family="vllm", vendor="nvidia", cuda="13.0", gpus_per_node=8,
    accelerator="h200-sxm-141gb", per_gpu_bytes=120.0 * GIB, share=0.92, host_bytes=16.0 * GIB, disk_bytes=700.0 * GIB,
)  # fmt: skip


def states(facts, wants=WANTS):
    answer = preflight(facts, wants)
    found = {}
    for check in answer.checks:
        found[check.id] = check.state if found.get(check.id) != "problem" else "problem"
    return found


def with_cards(**changes):
    return replace(GOOD, node=replace(NODE, devices=tuple(replace(d, **changes) for d in NODE.devices)))


def with_host(**changes):
    return replace(GOOD, node=replace(NODE, host=replace(HOST, **changes)))


def test_a_good_machine_is_good():
    answer = preflight(GOOD, WANTS)
    assert answer.good
    assert {check.state for check in answer.checks} <= {"ok", "not-applicable"}
    assert len(answer.checks) >= 17


SOCKETS = {"NCCL_SOCKET_IFNAME": "ib", "GLOO_SOCKET_IFNAME": "eth0"}
NODES2 = replace(WANTS, nodes=2)
CASES = [
    ("devices", "problem", replace(GOOD, node=replace(NODE, devices=NODE.devices[:4])), WANTS),
    ("devices", "problem", with_cards(visible=False), WANTS),
    ("devices", "warning", with_cards(accelerator="h100-sxm-80gb"), WANTS),
    ("driver-cuda", "problem", replace(GOOD, node=replace(NODE, driver_version="570.86.10")), WANTS),
    ("driver-cuda", "ok", replace(GOOD, node=replace(NODE, driver_version="570.86.10")), replace(WANTS, cuda="12.8")),
    ("driver-cuda", "problem", replace(GOOD, node=replace(NODE, driver_version="470.1")), replace(WANTS, cuda="12.1")),
    ("driver-cuda", "not-readable", replace(GOOD, node=replace(NODE, driver_version=None)), WANTS),
    ("driver-module", "problem", replace(GOOD, module_version="575.1"), WANTS),
    ("driver-module", "not-readable", replace(GOOD, module_version=None), WANTS),
    ("compat-libraries", "warning", replace(GOOD, compat_folder="/usr/local/cuda/compat"), WANTS),
    ("fabric-manager", "problem", replace(GOOD, processes=frozenset({"systemd"})), WANTS),
    ("fabric-manager", "problem", replace(GOOD, fabric_manager="575.1"), WANTS),
    ("fabric-manager", "not-readable", replace(GOOD, processes=None), WANTS),
    ("fabric-manager", "not-applicable", replace(GOOD, nvswitches=0), WANTS),
    ("fabric-manager", "not-readable", replace(GOOD, nvswitches=None), WANTS),
    ("container-toolkit", "warning", replace(GOOD, container_toolkit=False), WANTS),
    ("nouveau", "problem", replace(GOOD, modules=frozenset({"nouveau"})), WANTS),
    ("gpu-memory", "problem", with_cards(free_bytes=100 * GIB), WANTS),
    ("gpu-memory", "not-readable", with_cards(free_bytes=None), WANTS),
    ("ecc", "warning", with_cards(ecc=False), WANTS),
    ("ecc", "not-readable", with_cards(ecc=None), WANTS),
    ("power", "warning", with_cards(power_limit_w=450), WANTS),
    ("shared-memory", "problem", replace(GOOD, shm_total=64 << 20, shm_free=64 << 20), WANTS),
    ("shared-memory", "warning", replace(GOOD, shm_free=8 * GIB), WANTS),
    ("shared-memory", "not-readable", replace(GOOD, shm_free=None), WANTS),
    ("memlock", "warning", replace(GOOD, limits={"Max locked memory": 65536.0}), WANTS),
    ("memlock", "problem", replace(GOOD, limits={"Max locked memory": 65536.0}), NODES2),
    ("open-files", "warning", replace(GOOD, limits={"Max open files": 1024.0}), WANTS),
    ("limits", "not-readable", replace(GOOD, limits={}), WANTS),
    ("iommu", "warning", replace(GOOD, kernel_command="ro intel_iommu=on"), WANTS),
    ("iommu", "ok", replace(GOOD, kernel_command="ro", iommu_groups=0), WANTS),
    ("iommu", "not-readable", replace(GOOD, kernel_command=None), WANTS),
    ("acs", "warning", replace(GOOD, bridges_redirecting=3), WANTS),
    ("acs", "not-readable", replace(GOOD, bridges_redirecting=None), WANTS),
    ("numa-balancing", "warning", replace(GOOD, numa_balancing=1), WANTS),
    ("ram", "problem", GOOD, replace(WANTS, host_bytes=2048.0 * GIB)),
    ("ram", "warning", with_host(ram_available_bytes=8 * GIB), WANTS),
    ("ram", "problem", with_host(memory_limit_bytes=8 * GIB), WANTS),
    ("ram", "not-readable", with_host(ram_bytes=None), WANTS),
    ("swap", "warning", with_host(swap_bytes=128 * GIB, swap_used_bytes=100 * GIB), WANTS),
    ("disk", "problem", replace(GOOD, disk_of_weights=HOST.disks[0]), WANTS),
    ("disk", "ok", replace(GOOD, disk_of_weights=HOST.disks[0], weights_present=True), WANTS),
    ("disk", "not-readable", replace(GOOD, disk_of_weights=None), WANTS),
    ("network", "warning", GOOD, NODES2),
    ("network", "problem", replace(GOOD, environment=SOCKETS | {"NCCL_SOCKET_IFNAME": "bond7"}), NODES2),
    ("network", "ok", replace(GOOD, environment=SOCKETS), NODES2),
    ("peermem", "warning", replace(GOOD, modules=frozenset({"nvidia"})), NODES2),
    ("device-error", "problem", replace(GOOD, warnings=(("gpu 3", "lost", "reset", "device-error"),)), WANTS),
    ("narrow-pcie", "warning", replace(GOOD, warnings=(("nvidia 3", "x4", "reseat", "narrow-pcie"),)), WANTS),
]  # fmt: skip


@pytest.mark.parametrize(
    ("check", "state", "facts", "wants"), CASES, ids=[f"{c[0]}-{c[1]}-{i}" for i, c in enumerate(CASES)]
)
def test_each_state_of_each_check(check, state, facts, wants):
    assert states(facts, wants)[check] == state
    answer = preflight(facts, wants)
    assert answer.good == (not any(c.state == "problem" for c in answer.checks))
    for found in answer.checks:
        assert found.message
        assert found.fix or found.state not in ("problem", "warning"), found


def test_a_machine_without_cards_and_without_a_plan_has_no_problem():
    answer = preflight(Facts(node=Node()))
    assert answer.good
    assert {c.state for c in answer.checks} <= {"not-applicable", "not-readable", "ok"}


@pytest.mark.parametrize(
    ("version", "cuda"),
    [
        ((0, 6, 3), "12.1"),
        ((0, 8, 5), "12.4"),
        ((0, 11, 0), "12.8"),
        ((0, 19, 0), "12.9"),
        ((0, 33, 0), "13.0"),
        (None, None),
    ],
)
def test_cuda_of_an_engines_image(version, cuda):
    assert image_cuda("vllm", version) == cuda
