"""A slice of a device as a device of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from hwdb.schema import Accelerator, MigProfile, Source

_PROFILE = re.compile(r"(\d{1,2})g\.(\d{1,4})gb.*")
_FOUR_SLICES, _EIGHT_SLICES = 4, 8


def mig_slice(row: Accelerator, profile: str, memory_bytes: int | None = None) -> Accelerator:
    """The device that one MIG profile of ``row`` makes; ``memory_bytes`` is its driver's figure, when there is one.

    Memory and bandwidth come in eighths (quarters where four slices fill the device), compute in slices: both are
    read from the profile's name. Where no capture gives the true memory it lies up to 9 % below that share
    (2 to 5 % on A100 and H100, 9 % for the smallest slice of an H200).
    """
    shares = slice_shares(row, profile)
    published = row.mig.get(profile, MigProfile()).memory_bytes
    memory = memory_bytes or published or _part(row.driver_memory_bytes or row.memory_bytes, shares.memory_share)
    compute, bandwidth = shares.compute_share or 1.0, shares.memory_share or 1.0
    source = Source(f"share of {row.id} by the profile's name")
    changed = ("memory_bytes", "bandwidth_bytes_s", "peak_flop_s", "sm_count", "tdp_w")
    return replace(
        row,
        id=f"{row.id}:{profile}",
        name=f"{row.name} MIG {profile}",
        aliases=(),
        memory_bytes=memory,
        memory_is_reported=memory_bytes is not None,
        marketed_memory_bytes=None,
        driver_memory_bytes=memory_bytes,
        runtime_memory_bytes=None,
        usable_memory_bytes=None,
        bandwidth_bytes_s=row.bandwidth_bytes_s and row.bandwidth_bytes_s * bandwidth,
        achieved_bandwidth_bytes_s=None,
        peak_flop_s=_scaled(row.peak_flop_s, compute),
        peak_flop_s_fp16_accumulate=_scaled(row.peak_flop_s_fp16_accumulate, compute),
        achieved_flop_s=_scaled(row.achieved_flop_s, compute),
        link=None,
        link_bytes_s=None,
        link_peer_bytes_s=None,
        link_switched=False,
        link_domain=None,
        bridge=None,
        bridge_bytes_s=None,
        bridge_devices=None,
        tdp_w=row.tdp_w and row.tdp_w * compute,
        sm_count=_part(row.sm_count, compute),
        tensor_cores=None,
        mig_profiles=(),
        mig={},
        sources={**row.sources, **dict.fromkeys(changed, source)},
        doubts={**row.doubts, "memory_bytes": "a share of the device; up to 9 % lower in truth"}
        if not (memory_bytes or published)
        else row.doubts,
    )


def slice_shares(row: Accelerator, profile: str) -> MigProfile:
    """Shares of compute and memory, relative to the largest profile of the device."""
    units = [_units(each) for each in row.mig_profiles]
    slices, gigabytes = _units(profile)
    whole_slices, whole_gigabytes = (
        max((each[0] for each in units), default=0),
        max((each[1] for each in units), default=0),
    )
    if not (slices and whole_slices and whole_gigabytes):
        return MigProfile()
    parts = _FOUR_SLICES if whole_slices == _FOUR_SLICES else _EIGHT_SLICES
    memory = max(1, round(gigabytes / whole_gigabytes * parts)) / parts
    return MigProfile(compute_share=slices / whole_slices, memory_share=memory)


def _units(profile: str) -> tuple[int, int]:
    found = _PROFILE.fullmatch(profile)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _part(whole: int | None, share: float | None) -> int | None:
    return None if whole is None else int(whole * (share or 1.0))


def _scaled(rates: Mapping[str, float], share: float) -> dict[str, float]:
    return {name: rate * share for name, rate in rates.items()}
