"""``plan --report``: written whole, not over another file, named clearly when it cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from planner.cli.main import main
from tests.report.page import read

ARGS = ("plan", "--hardware", "rtx-4090", "--model", "qwen3-8b", "--users", "4", "--limit", "3", "--json")


@pytest.mark.parametrize("ending", ["html", "md"])
def test_writes_beside_the_document(tmp_path: Path, capsys: pytest.CaptureFixture[str], ending: str) -> None:
    path = tmp_path / f"plan.{ending}"
    assert main([*ARGS, "--report", str(path)]) == 0
    out, err = capsys.readouterr()
    first = json.loads(out)["candidates"][0]
    assert str(path) in err and first["deployment"]["model"]["id"] in path.read_text(encoding="utf-8")
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    if ending == "html":
        capacity = first["estimate"]["memory"]["per_gpu"]["capacity"]["value"]
        assert capacity in {value for value, _ in read(path.read_text(encoding="utf-8")).values}


def test_keeps_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "plan.html"
    path.write_text("mine")
    assert main([*ARGS, "--report", str(path)]) == 2
    out, err = capsys.readouterr()
    assert path.read_text() == "mine" and out == "" and "--force" in err
    assert main([*ARGS, "--report", str(path), "--force"]) == 0
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("name", ["plan.pdf", "plan", "plan.html/"])
def test_other_endings_are_refused_before_work(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    if name.endswith("/"):
        (tmp_path / name).mkdir()
    assert main([*ARGS, "--report", f"{tmp_path}/{name}"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and "Traceback" not in err


def test_nothing_fits_is_a_report_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "no.html"
    assert main(["plan", "--hardware", "rtx-4090", "--model", "deepseek-r1", "--report", str(path)]) == 3
    assert "Nothing starts on this hardware" in "".join(read(path.read_text(encoding="utf-8")).text)
    assert "does-not-fit" in path.read_text(encoding="utf-8")
