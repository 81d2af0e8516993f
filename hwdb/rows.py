"""From the plain tables of a data file to typed rows.

A *table* is what TOML or the compiled file holds: lists, numbers, texts. Its ``sources`` map a dotted field to
``[text, date, verified]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hwdb.schema import BUILT_IN, Accelerator, Connection, MigProfile, Processor, Source, Storage
from hwdb.units import MEGA

Table = Mapping[str, Any]

_REPORTED = ("runtime_memory_bytes", "driver_memory_bytes")
_MARKETED = ("usable_memory_bytes", "marketed_memory_bytes")


def accelerator(table: Table, origin: str = BUILT_IN) -> Accelerator:
    """One device. The memory to plan with is the runtime's figure, else the driver's, else the vendor's."""
    fields = _common(table, origin)
    fields["mig"] = {profile: MigProfile(**slice_) for profile, slice_ in table.get("mig", {}).items()}
    if "memory_bytes" not in fields:
        _choose_memory(fields)
    return Accelerator(**fields)


def processor(table: Table, origin: str = BUILT_IN) -> Processor:
    """One family of host CPUs; bandwidth is channels × MT/s × 8 B per socket unless the table says otherwise."""
    fields = _common(table, origin)
    channels, speed = fields.get("memory_channels"), fields.get("memory_mt_s")
    if "bandwidth_bytes_s" not in fields and channels and speed:
        fields["bandwidth_bytes_s"] = channel_bandwidth(channels, speed)
        fields["sources"]["bandwidth_bytes_s"] = Source("channels x MT/s x 8 B")
    return Processor(**fields)


def connection(table: Table, origin: str = BUILT_IN) -> Connection:
    return Connection(**_common(table, origin))


def storage(table: Table, origin: str = BUILT_IN) -> Storage:
    return Storage(**_common(table, origin))


def channel_bandwidth(channels: float, mega_transfers_s: float) -> float:
    """Bytes per second of 64-bit memory channels."""
    return channels * mega_transfers_s * MEGA * 8


def _common(table: Table, origin: str) -> dict[str, Any]:
    fields = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    fields["sources"] = {key: Source(*given) for key, given in table.get("sources", {}).items()}
    fields["origin"] = origin
    return fields


def _choose_memory(fields: dict[str, Any]) -> None:
    unified = fields.get("unified_memory", False)
    reported = _REPORTED[:1] if unified else _REPORTED
    for key in reported + _MARKETED:
        if key in fields:
            fields["memory_bytes"] = fields[key]
            fields["memory_is_reported"] = key in _REPORTED
            for facts in (fields["sources"], fields.setdefault("doubts", {})):
                if key in facts:
                    facts["memory_bytes"] = facts[key]
            return
