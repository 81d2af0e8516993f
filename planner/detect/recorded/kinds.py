"""What a saved file is, told by its content and never by its name, and how to read it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from planner.detect.nvidia_troubles import spoken_trouble
from planner.detect.recorded.amd_smi import read_amd
from planner.detect.recorded.amd_smi import rows_of as amd_rows
from planner.detect.recorded.boxed import read_boxed
from planner.detect.recorded.npu_smi import read_npu_smi
from planner.detect.recorded.nvidia_xml import read_nvidia_xml
from planner.detect.recorded.rocm_smi import is_rocm, read_rocm
from planner.detect.recorded.table_csv import is_csv, read_csv
from planner.detect.recorded.topo import is_topology, read_topology
from planner.detect.recorded.xpu_smi import read_xpu
from planner.detect.recorded.xpu_smi import rows_of as xpu_rows
from planner.detect.report import VendorReport
from planner.detect.values import plain
from planner.documents.inventory import Inventory
from planner.errors import BadInput

EXPECTED = (
    "expected the output of nvidia-smi -q -x, nvidia-smi, nvidia-smi topo -m, nvidia-smi --query-gpu=… --format=csv, "
    "amd-smi … --json, rocm-smi … --json, xpu-smi discovery -j, npu-smi info or hl-smi, or an inventory document"
)
INVENTORY = "deploy-planner/inventory/"


@dataclass(frozen=True, slots=True)
class Part:
    """One file: devices, or a topology, or both; or a whole inventory."""

    where: str
    report: VendorReport | None = None
    topology: tuple[tuple[str, ...], ...] = ()
    inventory: Inventory | None = None


def read_part(content: bytes, where: str) -> Part:
    """Recognise and read one file. Raises BadInput saying what was expected."""
    text = _decode(content, where)
    if text.startswith("<"):
        return Part(where, read_nvidia_xml(text.encode(), where))
    if text.startswith(("{", "[{")) or (text.startswith("[") and text[1:].lstrip().startswith("{")):
        return _read_json(text, where)
    if INVENTORY in text[:65536]:
        return _read_toml(text, where)
    return _read_text(plain(text), where)


def _decode(content: bytes, where: str) -> str:
    """Text of UTF-8 or UTF-16 (as PowerShell saves it), without its byte order mark."""
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = content.decode("utf-16" if wide else "utf-8-sig", "replace").strip()
    if not text:
        raise BadInput(where, "is empty", EXPECTED)
    if "\0" in text[:65536]:
        raise BadInput(where, "is binary, not the text of a tool", EXPECTED)
    return text


def _read_json(text: str, where: str) -> Part:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(where, f"is not valid JSON: {str(error)[:200]}", "save the whole output again") from None
    if isinstance(data, dict) and str(data.get("schema", "")).startswith(INVENTORY):
        return _inventory(data, where)
    readers: tuple[tuple[Callable[[Any], Any], Callable[[Any], VendorReport]], ...] = (
        (is_rocm, read_rocm),
        (amd_rows, read_amd),
        (xpu_rows, read_xpu),
    )
    for recognises, reads in readers:
        if recognises(data):
            return Part(where, reads(data))
    raise BadInput(where, "is JSON of an unknown kind", EXPECTED)


def _read_toml(text: str, where: str) -> Part:
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(where, f"is not valid TOML: {str(error)[:200]}") from None
    return _inventory(data, where)


def _inventory(data: dict[str, Any], where: str) -> Part:
    from planner.detect.recorded.inventory_file import inventory_from_data

    return Part(where, inventory=inventory_from_data(data, where))


def _read_text(text: str, where: str) -> Part:
    report: VendorReport | None = None
    head = text[:65536]
    if "HL-SMI" in head:
        report = read_boxed(text, "intel", where)
    elif "npu-smi" in head:
        report = read_npu_smi(text, where)
    elif is_csv(head):
        report = read_csv(text, where)
    elif "NVIDIA-SMI" in head and "Driver Version" in head:
        report = read_boxed(text, "nvidia", where)
    if is_topology(text):
        return Part(where, report, read_topology(text, where))
    if report is not None:
        return Part(where, report)
    said = spoken_trouble(head)
    if said is not None:
        raise BadInput(where, f"holds an error instead of devices: {said.message}", said.fix)
    raise BadInput(where, "is no output that is known here", EXPECTED)
