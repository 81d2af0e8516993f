"""The machine around the devices in a few words: ``64GB`` of memory, ``2xEPYC-9654`` as processors."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from planner.detect.matching import identify_host
from planner.documents.inventory import HostInfo
from planner.errors import BadInput
from planner.units import GIB

if TYPE_CHECKING:
    from hwdb.database import Database

MAX_RAM_BYTES = 64 * 1024 * GIB
MAX_SOCKETS = 16
_RAM = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*(G|T)i?B(?:\s*RAM)?", re.IGNORECASE | re.ASCII)
_PROCESSOR = re.compile(r"(?:(\d{1,6})\s*[x×*]\s*)?(\S(?:.*\S)?)", re.IGNORECASE)


def with_memory(host: HostInfo, part: str) -> HostInfo | None:
    """The host with this much memory (sold as GB, built as GiB); None where the words are no size.

    Raises BadInput for a size that no machine has.
    """
    match = _RAM.fullmatch(part)
    if match is None:
        return None
    size = round(float(match[1]) * GIB * (1024 if match[2].upper() == "T" else 1))
    if host.ram_bytes is not None:
        raise BadInput("hardware", f"{part[:60]!r} is a second memory of one machine", "write their sum")
    if not GIB <= size <= MAX_RAM_BYTES:
        raise BadInput("hardware", f"{part[:60]!r} is no memory of a machine", "write 1GB … 64TB")
    return replace(host, ram_bytes=size)


def with_processor(host: HostInfo, part: str, db: Database) -> HostInfo | None:
    """The host with these processors; None where hwdb knows none of the name.

    Raises BadInput for a number of sockets that no machine has.
    """
    match = _PROCESSOR.fullmatch(part)
    if match is None or db.host(match[2]) is None:
        return None
    if host.cpu is not None:
        raise BadInput(
            "hardware", f"{part[:60]!r} are a second kind of processor", "a machine has one kind: 2xEPYC-9654"
        )
    sockets = int(match[1] or 1)
    if not 1 <= sockets <= MAX_SOCKETS:
        raise BadInput("hardware", f"{part[:60]!r} are no processors of a machine", f"1 … {MAX_SOCKETS} sockets")
    return identify_host(replace(host, cpu=match[2].replace("-", " "), sockets=sockets), db)
