"""``nvidia-smi topo -m``: the pairwise links of the GPUs; the rows and columns of network cards are left out."""

from __future__ import annotations

import re
from dataclasses import replace

from planner.detect.report import VendorReport
from planner.documents.inventory import GpuDevice, Notice
from planner.errors import BadInput

_GPU = re.compile(r"GPU\d{1,4}")
_WORD = re.compile(r"X|NV\d{1,3}|PIX|PXB|PHB|NODE|SYS|SOC|PSB|N/A")
MAX_DEVICES = 1024
MAX_LINES = 20_000
MAX_LINE = 20_000
FIX = "save it again with: nvidia-smi topo -m > topo.txt"


def is_topology(text: str) -> bool:
    """Whether a header of GPU columns is followed by the row of the first GPU."""
    lines = _gpu_lines(text)
    return len(lines) > 1 and lines[0][0] == lines[1][0] == "GPU0" and lines[1][1:2] == ["X"]


def _gpu_lines(text: str) -> list[list[str]]:
    """Words of the lines that start with a GPU; the header is the first of them."""
    lines = (line[:MAX_LINE].split() for line in text.splitlines()[:MAX_LINES])
    return [words for words in lines if words and _GPU.fullmatch(words[0])]


def read_topology(text: str, where: str) -> tuple[tuple[str, ...], ...]:
    """The square matrix of the GPUs. Raises BadInput when it is not one."""
    header, *lines = _gpu_lines(text)
    count = next((place for place, word in enumerate(header) if not _GPU.fullmatch(word)), len(header))
    if header[count - 1 : count + 1] == ["GPU", "NUMA"]:
        count -= 1
    rows = [words[1 : count + 1] for words in lines]
    square = len(rows) == count <= MAX_DEVICES and all(len(row) == count for row in rows)
    if not square or not all(_WORD.fullmatch(word) for row in rows for word in row):
        raise BadInput(where, f"is a topology of {count} columns and {len(rows)} rows that do not match", FIX)
    return tuple(map(tuple, rows))


def bare_devices(topology: tuple[tuple[str, ...], ...], where: str) -> VendorReport:
    """What a topology alone tells: so many devices, of an unknown kind."""
    devices = tuple(GpuDevice(index=index, vendor="nvidia", name=None) for index in range(len(topology)))
    fix = "add the output of nvidia-smi -q -x of the same machine"
    notice = Notice(where, "a topology does not say which cards these are", fix, "cards-not-named")
    return with_topology(VendorReport("nvidia", devices, warnings=(notice,)), topology)


def with_topology(report: VendorReport, topology: tuple[tuple[str, ...], ...]) -> VendorReport:
    """A report with its matrix; the bonded NVLinks of each device are counted from its row."""
    devices = tuple(
        replace(device, link_count=max((_bonded(word) for word in row), default=0))
        for device, row in zip(report.devices, topology, strict=True)
    )
    return replace(report, devices=devices, topology=topology)


def _bonded(word: str) -> int:
    return int(word[2:]) if word.startswith("NV") else 0
