"""The processor of the host: name, cores, sockets, NUMA nodes, instruction sets that inference uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from planner.detect.surroundings import Surroundings, list_names, read_text
from planner.detect.values import clean
from planner.units import MIB

FEATURES = (
    *("f16c", "fma", "avx", "avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "avx10"),
    *("amx_tile", "amx_int8", "amx_bf16", "amx_fp16", "asimd", "asimddp", "sve", "sve2", "i8mm", "bf16", "sme"),
)


class Processor(NamedTuple):
    """None where the kernel does not tell."""

    name: str | None = None
    cores: int | None = None
    threads: int | None = None
    sockets: int | None = None
    numa_nodes: int | None = None
    features: tuple[str, ...] = ()
    virtual: bool = False
    """A hypervisor is beneath."""


@dataclass(slots=True)
class _Tally:
    """What ``/proc/cpuinfo`` says, collected line by line."""

    first: dict[str, str] = field(default_factory=dict)
    threads: int = 0
    cores: set[tuple[str, str]] = field(default_factory=set)
    package: str = ""


def read_processor(place: Surroundings) -> Processor:
    """From ``/proc/cpuinfo`` and sysfs; empty where both are hidden."""
    tally = _read_cpuinfo(read_text(place.proc / "cpuinfo", 16 * MIB) or "")
    cores, sockets = _topology(place)
    flags = (tally.first.get("flags") or tally.first.get("Features") or "").split()
    nodes = list_names(place.sys / "devices" / "system" / "node", "node[0-9]*")
    return Processor(
        name=_name(tally.first),
        cores=cores or len(tally.cores) or None,
        threads=tally.threads or None,
        sockets=sockets or len({package for package, _ in tally.cores}) or None,
        numa_nodes=len(nodes) or None,
        features=tuple(name for name in FEATURES if name in flags),
        virtual="hypervisor" in flags,
    )


def _read_cpuinfo(text: str) -> _Tally:
    tally = _Tally()
    for line in text.splitlines():
        key, _, value = line.partition(":")
        key, value = key.strip(), value.strip()
        if key == "processor" and value.isdecimal():
            tally.threads += 1
        elif key == "physical id":
            tally.package = value
        elif key == "core id":
            tally.cores.add((tally.package, value))
        tally.first.setdefault(key, value)
    return tally


def _topology(place: Surroundings) -> tuple[int, int]:
    """(cores, sockets) from sysfs; zeros where it is hidden."""
    cores, packages = set(), set()
    for cpu in list_names(place.sys / "devices" / "system" / "cpu", "cpu[0-9]*"):
        siblings = read_text(cpu / "topology" / "thread_siblings_list", 4096)
        package = read_text(cpu / "topology" / "physical_package_id", 64)
        if siblings:
            cores.add(siblings)
        if package and package != "-1":
            packages.add(package)
    return len(cores), len(packages)


def _name(first: Mapping[str, str]) -> str | None:
    """The marketing name; Arm kernels give only implementer and part, translated by a table."""
    for key in ("model name", "Model", "cpu model", "cpu"):
        if first.get(key):
            return clean(first[key])
    if "CPU part" not in first:
        return None
    from planner.data import read_toml

    part = read_toml("detect/arm_parts.toml").get(first.get("CPU implementer", ""), {}).get(first["CPU part"].lower())
    return str(part) if part else None
