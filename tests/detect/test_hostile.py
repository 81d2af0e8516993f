"""Files that are broken, foreign or made to hurt: one clear BadInput, no hang, no allocation by a number they hold."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwdb.database import Database
from planner.detect.recorded import read_recorded
from planner.detect.recorded.kinds import read_part
from planner.errors import BadDocument, BadInput
from tests.detect.trees import FIXTURES

DB = Database()
A100 = (FIXTURES / "nvidia-smi-q-x.a100-sxm4-v12.xml").read_text(encoding="utf-8")
DECLARATION = '<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v12.dtd">'
LOL = "\n".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BILLION_LAUGHS = f'<!DOCTYPE nvidia_smi_log [<!ENTITY l0 "lol">{LOL}]><nvidia_smi_log>&l9;</nvidia_smi_log>'
EXTERNAL = (
    '<!DOCTYPE nvidia_smi_log [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    "<nvidia_smi_log><gpu><product_name>&x;</product_name></gpu></nvidia_smi_log>"
)
PARAMETER = (
    '<!DOCTYPE nvidia_smi_log [<!ENTITY % p SYSTEM "http://127.0.0.1/x.dtd"> %p;]><nvidia_smi_log></nvidia_smi_log>'
)
BAD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "blank": (b" \n\t\n", "is empty"),
    "binary": (bytes(range(256)) * 40, "is binary"),
    "gguf": (b"GGUF\x03\0\0\0\xff\xff\xff\xff\xff\xff\xff\x7f", "is binary"),
    "another tool": (b"total 4\ndrwxr-xr-x 2 root root 4096 Jan 1 00:00 bin\n", "is no output that is known here"),
    "html": (b"<html><body>502 Bad Gateway</body></html>", "is XML of another kind"),
    "truncated xml": (A100[: len(A100) // 2].encode(), "is not whole XML"),
    "billion laughs": (BILLION_LAUGHS.encode(), "refused"),
    "external entity": (EXTERNAL.encode(), "refused"),
    "parameter entity": (PARAMETER.encode(), "refused"),
    "deep xml": (b"<nvidia_smi_log>" + b"<a>" * 100_000, "levels"),
    "many elements": (b"<nvidia_smi_log>" + b"<a/>" * 310_000 + b"</nvidia_smi_log>", "elements"),
    "no gpu": (b"<nvidia_smi_log><driver_version>1</driver_version></nvidia_smi_log>", "lists no <gpu>"),
    "truncated json": (b'{"card0": {"Device ID": "0x738c"', "is not valid JSON"),
    "deep json": (b'{"a":' * 200_000, "is not valid JSON"),
    "foreign json": (b'{"hello": [1, 2, 3]}', "is JSON of an unknown kind"),
    "json list": (b"[1, 2, 3]", "is no output that is known here"),
    "long number": (b'{"card0": ' + b"9" * 100_000 + b"}", "is not valid JSON"),
    "10 MB line": (b"x" * 10_000_000, "is no output that is known here"),
    "10 MB of GPU0": (b"GPU0 " * 2_000_000, "is no output that is known here"),
    "newlines": (b"a" + b"\n" * 5_000_000 + b"b", "is no output that is known here"),
    "pipes": (b"| NVIDIA-SMI 570 Driver Version: 1 |\n" + b"|  " * 3_000_000, "holds no device rows"),
    "npu pipes": (b"| npu-smi 1 Version: 1 |\n" + b"| 0 " * 3_000_000, "holds no chips"),
    "ragged topology": (b"\tGPU0\tGPU1\nGPU0\t X \tNV18\n", "do not match"),
    "csv without rows": (b"index, name, memory.total [MiB]\n", "do not fit"),
    "ragged csv": (b"index, name, memory.total [MiB]\n0, NVIDIA H200\n", "do not fit"),
}


@pytest.mark.parametrize("name", BAD)
def test_refused_in_one_line_and_in_time(tmp_path: Path, name: str) -> None:
    content, said = BAD[name]
    path = tmp_path / "file"
    path.write_bytes(content)
    start = time.perf_counter()
    with pytest.raises(BadInput) as error:
        read_recorded([path], DB)
    (problem,) = error.value.problems
    assert said in problem.message
    assert str(path) in problem.where
    assert "\n" not in str(problem) and len(str(problem)) < 700
    assert time.perf_counter() - start < 60  # a hang, not a speed


def test_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is a directory"):
        read_recorded([tmp_path], DB)
    with pytest.raises(BadInput, match="no such file"):
        read_recorded([tmp_path / "../../nothing; rm -rf"], DB)
    with pytest.raises(BadInput):
        read_recorded(["a\0b"], DB)
    with pytest.raises(BadInput, match="takes 1"):
        read_recorded([], DB)


def test_too_large(tmp_path: Path) -> None:
    path = tmp_path / "huge.xml"
    with path.open("wb") as file:
        file.truncate(33 << 20)
    with pytest.raises(BadInput, match="larger than 32 MiB"):
        read_recorded([path], DB)


def test_nvidias_own_doctype_is_welcome() -> None:
    assert DECLARATION in A100
    assert read_part(A100.encode(), "x").report is not None


@pytest.mark.parametrize("number", ["9" * 200, "NaN", "-81920", "1e400", "inf", "١٢٣", "0x14000", "81920 ZiB", "∞"])
def test_absurd_numbers_are_not_reported(tmp_path: Path, number: str) -> None:
    path = tmp_path / "x.xml"
    path.write_text(A100.replace("81920 MiB", f"{number} MiB"), encoding="utf-8")
    (node,) = read_recorded([path], DB).nodes
    assert node.devices[0].total_bytes is None
    assert node.devices[0].used_bytes is None, "what is used of an unknown whole says nothing"
    assert node.devices[0].pcie_gen == 4, "the rest is read all the same"


def test_names_cannot_steer_a_terminal(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('name, memory.total [MiB]\n"\x1b]0;owned\x07NVIDIA\u202e H200\r", 143771 MiB\n', encoding="utf-8")
    (node,) = read_recorded([path], DB).nodes
    name = node.devices[0].name or ""
    assert name.isprintable() and "\u202e" not in name


INVENTORY = {
    "schema": "deploy-planner/inventory/1",
    "nodes": [{"devices": [{"index": 0, "vendor": "nvidia", "name": "NVIDIA H200"}]}],
}


def write(path: Path, **changes: object) -> Path:
    path.write_text(json.dumps({**INVENTORY, **changes}), encoding="utf-8")
    return path


def test_every_problem_of_an_inventory_is_listed(tmp_path: Path) -> None:
    device = {"index": "first", "name": "x", "vendor": "nvidia", "totl_bytes": 1, "temperature_c": -4}
    path = write(tmp_path / "x", nodes=[{"devices": [device], "count": 10**200}], colour="red")
    with pytest.raises(BadDocument) as error:
        read_recorded([path], DB)
    said = "\n".join(map(str, error.value.problems))
    for part in ("nodes.0.devices.0.index", "totl_bytes", "temperature_c", "nodes.0.count", "colour"):
        assert part in said
    assert "did you mean 'total_bytes'?" in said
    assert str(path) in said


@pytest.mark.parametrize(
    "nodes",
    [[], [{"count": 0}], [{"count": 10**9}], "x", [{"devices": [{"index": 0, "vendor": "v", "name": None}] * 2000}]],
)
def test_absurd_counts_are_refused(tmp_path: Path, nodes: object) -> None:
    with pytest.raises(BadInput, match="nodes"):
        read_recorded([write(tmp_path / "x", nodes=nodes)], DB)


def test_not_a_number_in_an_inventory(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text(json.dumps(INVENTORY).replace('"index": 0', '"index": 0, "power_limit_w": NaN'), encoding="utf-8")
    with pytest.raises(BadDocument, match="not finite"):
        read_recorded([path], DB)


@pytest.mark.parametrize("name", ["\x1b[2J", "a\u202eb", "\ud800", "x" * 5000])
def test_text_of_an_inventory_cannot_steer_a_terminal(tmp_path: Path, name: str) -> None:
    device = {"index": 0, "vendor": "nvidia", "name": name}
    with pytest.raises(BadDocument, match="control characters"):
        read_recorded([write(tmp_path / "x", nodes=[{"devices": [device]}])], DB)


def test_lone_surrogates_in_tool_output(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text('{"card0": {"Card Series": "Instinct \\ud800 MI100"}}', encoding="utf-8")
    assert read_recorded([path], DB).nodes[0].devices[0].name == "Instinct MI100"


def test_an_unknown_accelerator_in_an_inventory(tmp_path: Path) -> None:
    device = {"index": 0, "vendor": "nvidia", "name": None, "accelerator": "h2000-sxm"}
    with pytest.raises(BadInput, match="h200-sxm-141gb"):
        read_recorded([write(tmp_path / "x", nodes=[{"devices": [device]}])], DB)


SEEDS = [path.read_bytes() for path in sorted(FIXTURES.glob("*.*")) if path.suffix != ".md"]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SEEDS), st.integers(0, 60_000), st.binary(max_size=12), st.integers(0, 4000))
def test_damaged_recordings_never_crash(seed: bytes, place: int, insert: bytes, drop: int) -> None:
    """Any cut and any insertion gives devices or BadInput, never another error."""
    place = place % len(seed)
    try:
        part = read_part(seed[:place] + insert + seed[place + drop :], "x")
    except BadInput:
        return
    assert part.report is not None or part.topology
