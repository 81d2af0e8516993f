"""Checks of the host: shared memory, limits, IOMMU, memory, disks, network."""

from __future__ import annotations

from collections.abc import Iterator

from planner.doctor.facts import Facts
from planner.doctor.result import Check, State
from planner.doctor.wants import Wants
from planner.units import GIB, MIB, human_bytes

_SHM_SEVERAL = 16 * GIB
"""What NCCL and worker queues of several ranks are given in practice."""
_SHM_ONE = 1 * GIB
_OPEN_FILES = 65536
_RAM_SLACK = 0.95


def shared_memory(facts: Facts, wants: Wants) -> Iterator[Check]:
    """/dev/shm holds what the ranks exchange."""
    if not facts.platform.startswith("linux"):
        return
    if facts.shm_total is None or facts.shm_free is None:
        yield Check("shared-memory", "not-readable", "/dev/shm is not there", "mount a tmpfs at /dev/shm")
        return
    need = _SHM_SEVERAL if wants.gpus_per_node > 1 else _SHM_ONE
    message = f"/dev/shm has {human_bytes(facts.shm_free)} free of {human_bytes(facts.shm_total)}"
    if facts.shm_free >= need:
        yield Check("shared-memory", "ok", message)
        return
    fix = "--ipc=host or --shm-size 16g; Kubernetes: an emptyDir with medium Memory; or remount /dev/shm with size=16g"
    state: State = "problem" if wants.gpus_per_node > 1 and facts.shm_free < GIB else "warning"
    yield Check("shared-memory", state, f"{message}, {human_bytes(need)} are wanted", fix)


def limits(facts: Facts, wants: Wants) -> Iterator[Check]:
    """Locked memory, open files and stack of this process."""
    if not facts.limits:
        if facts.platform.startswith("linux"):
            yield Check("limits", "not-readable", "/proc/self/limits is not readable")
        return
    locked, files = facts.limits.get("Max locked memory"), facts.limits.get("Max open files")
    several = wants.gpus_per_node > 1 or wants.nodes > 1
    if not facts.node.devices and not several:
        yield Check("memlock", "not-applicable", "nothing here registers memory with a device")
    elif locked is not None and locked < 64 * MIB + (several * GIB):
        state: State = "problem" if wants.nodes > 1 else "warning"
        fix = "--ulimit memlock=-1 (container), LimitMEMLOCK=infinity (unit), or memlock unlimited in limits.d"
        yield Check("memlock", state, f"locked memory is limited to {human_bytes(locked)}", fix)
    elif locked is not None:
        yield Check("memlock", "ok", "locked memory is " + _shown(locked))
    if files is not None and files < _OPEN_FILES:
        fix = "--ulimit nofile=1048576, LimitNOFILE=1048576, or nofile in limits.d"
        yield Check("open-files", "warning", f"at most {files:,.0f} open files, 65,536 are wanted", fix)
    elif files is not None:
        yield Check("open-files", "ok", f"{files:,.0f} open files" if files < 1e15 else "open files are unlimited")


def iommu(facts: Facts, wants: Wants) -> Iterator[Check]:
    """The IOMMU does not translate peer traffic."""
    if wants.gpus_per_node < 2 and len(facts.node.devices) < 2:
        yield Check("iommu", "not-applicable", "there is no traffic between cards")
        return
    if facts.kernel_command is None or facts.iommu_groups is None:
        yield Check("iommu", "not-readable", "kernel command line or IOMMU groups are not readable")
    elif not facts.iommu_groups:
        yield Check("iommu", "ok", "the IOMMU is off")
    elif "iommu=pt" in facts.kernel_command.split() or "iommu.passthrough=1" in facts.kernel_command.split():
        yield Check("iommu", "ok", "the IOMMU passes devices through (iommu=pt)")
    else:
        fix = "add iommu=pt to the kernel command line (or switch the IOMMU off) when NCCL hangs or is slow"
        yield Check("iommu", "warning", "the IOMMU translates: peer access between cards may fail or be slow", fix)


def acs(facts: Facts, wants: Wants) -> Iterator[Check]:
    """Access Control Services do not send peer traffic through the root complex."""
    if (wants.gpus_per_node < 2 and len(facts.node.devices) < 2) or not facts.bridges:
        yield Check("acs", "not-applicable", "there is no traffic between cards over PCIe")
    elif facts.bridges_redirecting is None:
        fix = "sudo lspci -vvv | grep ACSCtl: ReqRedir+ on bridges above the cards is slow"
        yield Check("acs", "not-readable", "only root may read it", fix)
    elif facts.bridges_redirecting:
        message = (
            f"{facts.bridges_redirecting} of {facts.bridges} PCIe bridges redirect peer traffic to the root complex"
        )
        yield Check("acs", "warning", message, "switch ACS off in the BIOS, or by setpci on bare metal")
    else:
        yield Check("acs", "ok", f"none of {facts.bridges} PCIe bridges redirects peer traffic")


def numa(facts: Facts, wants: Wants) -> Iterator[Check]:
    """The kernel does not move pages between sockets behind the engine's back."""
    nodes = facts.node.host.numa_nodes
    if nodes is None or nodes < 2:
        yield Check("numa-balancing", "not-applicable", "one memory node")
    elif facts.numa_balancing is None:
        yield Check("numa-balancing", "not-readable", "/proc/sys/kernel/numa_balancing is not readable")
    elif facts.numa_balancing:
        fix = "sysctl kernel.numa_balancing=0"
        yield Check("numa-balancing", "warning", f"automatic NUMA balancing is on over {nodes} nodes: stalls", fix)
    else:
        yield Check("numa-balancing", "ok", "automatic NUMA balancing is off")


def ram(facts: Facts, wants: Wants) -> Iterator[Check]:
    """Host memory holds what the plan keeps there."""
    host = facts.node.host
    total = min((b for b in (host.ram_bytes, host.memory_limit_bytes) if b is not None), default=None)
    if total is None:
        yield Check("ram", "not-readable", "the host's memory is not readable")
        return
    free = min(host.ram_available_bytes if host.ram_available_bytes is not None else total, total)
    message = f"{human_bytes(free)} of {human_bytes(total)} RAM are free"
    if not wants.host_bytes or wants.host_bytes <= _RAM_SLACK * free:
        wanted = f", {human_bytes(wants.host_bytes)} are wanted" if wants.host_bytes else ""
        yield Check("ram", "ok", message + wanted)
        return
    state: State = "problem" if wants.host_bytes > total else "warning"
    fix = "free memory, raise the container's limit, or keep less on the host (offload, experts on the CPU)"
    yield Check("ram", state, f"{message}, {human_bytes(wants.host_bytes)} are wanted", fix)


def swap(facts: Facts, wants: Wants) -> Iterator[Check]:
    """Nothing of weight is swapped out."""
    host = facts.node.host
    if host.swap_bytes is None:
        yield Check("swap", "not-readable", "swap is not readable")
    elif not host.swap_bytes:
        yield Check("swap", "ok", "no swap")
    elif (host.swap_used_bytes or 0) > 0.05 * (host.ram_bytes or host.swap_bytes):
        message = f"{human_bytes(host.swap_used_bytes or 0)} are swapped out: loading and offloading will stall"
        yield Check("swap", "warning", message, "free memory, then swapoff -a && swapon -a")
    else:
        yield Check("swap", "ok", f"{human_bytes(host.swap_bytes)} of swap, hardly used")


def disk(facts: Facts, wants: Wants) -> Iterator[Check]:
    """Room for the weights, or they are there already."""
    if facts.weights_present:
        yield Check("disk", "ok", f"the weights are at {wants.weights}")
        return
    if wants.weights is not None and facts.weights_present is False:
        yield Check("weights", "problem", f"{wants.weights} does not exist", "copy the model there, or mount it")
    where = facts.disk_of_weights
    if where is None:
        yield Check("disk", "not-readable", "file systems are not readable")
    elif not wants.disk_bytes:
        yield Check("disk", "ok", f"{human_bytes(where.free_bytes)} are free at {where.mount}")
    elif where.free_bytes < wants.disk_bytes:
        free = human_bytes(where.free_bytes)
        message = f"{free} are free at {where.mount}, the weights take {human_bytes(wants.disk_bytes)}"
        yield Check("disk", "problem", message, "free space, or point model.path and HF_HOME to a larger disk")
    else:
        message = (
            f"{human_bytes(where.free_bytes)} are free at {where.mount}, {human_bytes(wants.disk_bytes)} are wanted"
        )
        yield Check("disk", "ok", message)


def network(facts: Facts, wants: Wants) -> Iterator[Check]:
    """Several nodes: interfaces are named, InfiniBand can reach GPU memory."""
    if wants.nodes < 2:
        yield Check("network", "not-applicable", "one node")
        return
    names = {nic.name for nic in facts.node.host.nics}
    for variable in ("NCCL_SOCKET_IFNAME", "GLOO_SOCKET_IFNAME"):
        value = facts.environment.get(variable)
        if value is None:
            message = f"{variable} is not set: ranks may meet on the wrong interface"
            yield Check("network", "warning", message, f"set it to one of {', '.join(sorted(names)) or 'ip -br addr'}")
        elif names and not any(name.startswith(value.lstrip("=^").split(",")[0]) for name in names):
            yield Check(
                "network",
                "problem",
                f"{variable}={value[:60]} is no interface here",
                f"one of {', '.join(sorted(names))}",
            )
        else:
            yield Check("network", "ok", f"{variable}={value[:60]}")
    infiniband = any(nic.kind == "infiniband" for nic in facts.node.host.nics)
    if infiniband and facts.modules is not None and wants.vendor == "nvidia":
        if facts.modules & {"nvidia_peermem", "nv_peer_mem"}:
            yield Check("peermem", "ok", "InfiniBand reaches GPU memory (nvidia_peermem)")
        else:
            message = "nvidia_peermem is not loaded: InfiniBand goes through host memory, unless dma-buf is used"
            yield Check("peermem", "warning", message, "modprobe nvidia_peermem")


def _shown(limit: float) -> str:
    return "unlimited" if limit == float("inf") else human_bytes(limit)
