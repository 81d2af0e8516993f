"""What several verbs ask for in the same words: hardware, the network between machines, a quality floor."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from planner.errors import BadInput
from planner.units import GIB

if TYPE_CHECKING:
    from planner.documents.inventory import Inventory
    from planner.library import Library

HARDWARE_HELP = "8xH200-SXM, 2x8xH100 (nodes × GPUs), rtx-4090+64GB, 2xEPYC-9654+768GB, cpu, or a file"
FOUND_HERE = "deploy-planner: cpu: planned with the processor and memory of this machine"


def hardware_of(args: argparse.Namespace, library: Library, *, host: bool = False) -> Inventory:
    """What ``--hardware`` names, or this machine, with the network of ``--fabric``.

    ``host``: a "cpu" without more words is this machine's.
    """
    from planner.detect.machine import detect_machine, with_this_host

    if args.hardware is None:
        inventory = detect_machine(library.database)
    else:
        from planner.detect.spec import load_hardware

        loaded = load_hardware(args.hardware, library.database)
        inventory = with_this_host(loaded, library.database) if host else loaded
        if inventory is not loaded:
            print(FOUND_HERE, file=sys.stderr)
        for note in _largest_sold(inventory, library):
            print(note, file=sys.stderr)
    return inventory if args.fabric is None else replace(inventory, fabric=fabric_of(args.fabric, library))


def _largest_sold(inventory: Inventory, library: Library) -> Iterator[str]:
    """Machines whose memory their buyer chose, where nobody said which."""
    if inventory.origin != "simulated":
        return
    found = {d.accelerator for node in inventory.nodes if node.host.ram_bytes is None for d in node.devices}
    for name in sorted(filter(None, found)):
        row = library.database.accelerator(name)
        if row.unified_memory and row.max_memory_bytes:
            size = round(row.max_memory_bytes / GIB)
            yield f"deploy-planner: {name}: planned as the largest, {size} GB; write {name}+{size // 2}GB for less"


def fabric_of(name: str, library: Library) -> str:
    """Id of a network. Raises UnknownName."""
    from hwdb.errors import LookupProblem
    from planner.errors import UnknownName

    try:
        return library.database.fabric(name).id
    except LookupProblem as miss:
        raise UnknownName("fabric", name, miss.nearest) from None


def floor_of(name: str | None) -> str | None:
    """A quality floor. Raises BadInput for a level that there is not."""
    from planner.models.quality import level_of, levels

    if name is not None and level_of(name) is None:
        raise BadInput("--quality-floor", f"unknown level {name[:60]!r}", f"write one of {', '.join(levels())}")
    return name
