"""``deploy-planner detect`` as people and scripts meet it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from planner.cli.main import main
from tests.detect.trees import FIXTURES

SCHEMA = Path(__file__).parents[2] / "planner/documents/json_schemas/inventory.schema.json"


def test_json_fits_the_shipped_schema(capsys: pytest.CaptureFixture[str]) -> None:
    schema = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert main(["detect", "--json"]) == 0
    schema.validate(json.loads(capsys.readouterr().out))
    for path in sorted(FIXTURES.glob("*.*")):
        if path.suffix != ".md":
            assert main(["detect", "--json", "--from", str(path)]) == 0
            schema.validate(json.loads(capsys.readouterr().out))


def test_table(capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(FIXTURES / name) for name in ("nvidia-smi-q-x.tesla-t4.xml", "npu-smi-info.8x910b3.txt")]
    assert main(["detect", "--from", *files]) == 0
    out = capsys.readouterr().out
    for part in ("Tesla T4", "3 x8 (of 3 x16)", "process 5762 python", "ascend-910b3", "not reported", "huawei 0-7"):
        assert part in out
    assert all(line == line.rstrip() for line in out.splitlines())


def test_topology_that_is_not_uniform_is_drawn(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "topo"
    path.write_text("\tGPU0\tGPU1\tCPU Affinity\nGPU0\t X \tNV4\t0-7\nGPU1\tNV4\t X \t0-7\n", encoding="utf-8")
    assert main(["detect", "--from", str(path)]) == 0
    assert "all pairs NV4" in capsys.readouterr().out


def test_bad_files_exit_2_with_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("hello", encoding="utf-8")
    assert main(["detect", "--from", str(path)]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1 and str(path) in output.err and "nvidia-smi -q -x" in output.err


def test_what_is_imported_on_a_machine_without_accelerators() -> None:
    """Neither NVML nor psutil nor a terminal toolkit to describe a plain Linux machine."""
    program = (
        "import sys\nfrom pathlib import Path\nfrom hwdb.database import Database\n"
        "from planner.detect.machine import detect_machine\nfrom planner.detect.surroundings import Surroundings\n"
        "detect_machine(Database(), Surroundings(top=Path(sys.argv[1]), environ={}, platform='linux'))\n"
        "print([m for m in ('pynvml', 'psutil', 'rich', 'textual', 'numpy', 'subprocess') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(FIXTURES)], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.strip() == "[]"
