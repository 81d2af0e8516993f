"""The inventory in a report: machines, devices, hosts, and what detection warned of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from planner.report.blocks import Block, Bullets, Cell, Paragraph, Section, Table
from planner.report.material import Material
from planner.report.words import cells, clean, number, plural, some
from planner.units import GIGA, human_bytes

UNSAID = "not reported"
ORIGINS = {
    "detected": "as detected on the machine",
    "recorded": "as recorded by the machine's own tools",
    "simulated": "as named by hand; nothing was measured on it",
    "file": "as an inventory file states",
}
DEVICE_HEAD = ("machine", "devices", "known as", "memory each", "in use", "link", "PCIe", "power limit", "state")
BITS_PER_BYTE = 8


def hardware(material: Material) -> Section:
    """What is planned with."""
    inventory = material.plan.inventory
    nodes = [node for node in inventory.get("nodes", ()) if isinstance(node, Mapping)]
    blocks: list[Block] = [Paragraph(_summary(inventory, nodes))]
    rows = [row for number_, node in enumerate(nodes, 1) for row in _device_rows(number_, node)]
    if rows:
        blocks.append(Table("Devices", DEVICE_HEAD, tuple(rows)))
    hosts = [row for number_, node in enumerate(nodes, 1) for row in _host_rows(number_, node)]
    if hosts:
        blocks.append(Table("Hosts", ("", "as reported"), tuple(hosts)))
    warnings = [_notice(notice) for notice in inventory.get("warnings", ())]
    if warnings:
        blocks.append(Bullets(tuple(warnings), "Warnings of the detection"))
    return Section("Hardware", tuple(blocks))


def _summary(inventory: Mapping[str, Any], nodes: list[Mapping[str, Any]]) -> str:
    machines = sum(node.get("count", 1) for node in nodes)
    devices = sum(node.get("count", 1) * len(node.get("devices", ())) for node in nodes)
    fabric = inventory.get("fabric")
    joined = f", joined by {clean(fabric)}" if fabric else ", network not reported" if machines > 1 else ""
    origin = ORIGINS.get(str(inventory.get("origin")), UNSAID)
    return f"{plural(machines, 'machine')} with {plural(devices, 'device')}{joined}; {origin}."


def _device_rows(number_: int, node: Mapping[str, Any]) -> Iterator[tuple[Cell, ...]]:
    """Equal devices on one row."""
    kinds: Counter[tuple[Cell, ...]] = Counter(_device(device, node) for device in node.get("devices", ()))
    machine = f"{number_}" + (f" (× {node['count']})" if node.get("count", 1) > 1 else "")
    for row, count in kinds.items():
        yield (Cell(machine), Cell(f"{count} × {row[0].text}", float(count)), *row[1:])


def _device(device: Mapping[str, Any], node: Mapping[str, Any]) -> tuple[Cell, ...]:
    gen, width = device.get("pcie_gen"), device.get("pcie_width")
    return (
        *cells(device.get("name") or UNSAID, device.get("accelerator") or "unknown card"),
        _size(device.get("total_bytes")),
        _size(device.get("used_bytes")),
        *cells(_link(device, node), f"gen {gen or '?'} x{width or '?'}" if gen or width else UNSAID),
        number(device.get("power_limit_w"), lambda w: f"{w:,.0f} W"),
        *cells(_state(device)),
    )


def _link(device: Mapping[str, Any], node: Mapping[str, Any]) -> str:
    count, kind = device.get("link_count"), device.get("link_kind") or node.get("link")
    return f"{count} × {kind or 'link'}" if count else str(kind or UNSAID)


def _state(device: Mapping[str, Any]) -> str:
    slices = device.get("slices") or ()
    states = (
        device.get("error"),
        None if device.get("visible", True) else "hidden",
        f"MIG, {len(slices)} slices" if device.get("mig_enabled") else None,
        "unified memory" if device.get("unified_memory") else None,
        device.get("virtualization"),
        {"ambiguous": "card matched ambiguously", "unknown": "card not known"}.get(str(device.get("match"))),
    )
    return ", ".join(str(state) for state in states if state) or "ready"


def _host_rows(number_: int, node: Mapping[str, Any]) -> Iterator[tuple[Cell, ...]]:
    host = node.get("host") or {}
    sockets, cores = host.get("sockets"), host.get("cores")
    pairs = (
        ("name", host.get("hostname")),
        ("processor", host.get("cpu")),
        ("sockets, cores", f"{sockets or '?'}, {cores or '?'}" if sockets or cores else None),
        ("memory", _text(host.get("ram_bytes"))),
        ("memory limit", _text(host.get("memory_limit_bytes"))),
        ("disks", "; ".join(_disk(disk) for disk in (host.get("disks") or ())[:8])),
        ("network", "; ".join(_nic(nic) for nic in (host.get("nics") or ())[:8])),
        ("system", ", ".join(str(x) for x in (host.get("os"), *(host.get("environment") or ())) if x)),
        ("driver, runtime", ", ".join(str(node[k]) for k in ("driver_version", "runtime_version") if node.get(k))),
    )
    return iter(some((f"machine {number_}: {label}", value) for label, value in pairs))


def _disk(disk: Mapping[str, Any]) -> str:
    return f"{disk.get('mount')}: {_text(disk.get('free_bytes'))} free of {_text(disk.get('total_bytes'))}"


def _nic(nic: Mapping[str, Any]) -> str:
    rate = nic.get("bytes_s")
    return f"{nic.get('name')} {nic.get('kind')}" + (f" {rate * BITS_PER_BYTE / GIGA:g} Gbit/s" if rate else "")


def _notice(notice: Mapping[str, Any]) -> str:
    fix = f" → {notice['fix']}" if notice.get("fix") else ""
    return clean(f"{notice.get('where', '')}: {notice.get('message', '')}{fix}")


def _size(count: float | None) -> Cell:
    return Cell(UNSAID) if count is None else Cell(human_bytes(count), float(count))


def _text(count: float | None) -> str | None:
    return None if count is None else human_bytes(count)
