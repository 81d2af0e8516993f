"""The verb: stdout is the file, stderr the talk, exit codes as everywhere."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
import tomli_w

from planner.cli.main import main
from planner.errors import Exit
from planner.export.registry import MODULES
from tests.export.deployments import SHAPES


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "deployment.toml"
    path.write_text(tomli_w.dumps(SHAPES["vllm-r1"]))
    return path


def test_list_says_what_checked_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--list"]) == Exit.OK
    out = capsys.readouterr().out
    assert all(name in out for name in MODULES) and out.count("checked by") == len(MODULES)


def test_one_target_to_stdout(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(document), "--target", "vllm"]) == Exit.OK
    captured = capsys.readouterr()
    assert captured.out.startswith("#!/usr/bin/env bash") and "vllm serve /models/DeepSeek-R1" in captured.out
    assert "more file" in captured.err


def test_bundle_on_disk(document: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "out"
    argv = ["export", str(document), "--target", "vllm", "--target", "slurm", "-o", str(place), "--partition", "gpu"]
    assert main([*argv, "--listen", "0.0.0.0", "--port", "9000"]) == Exit.OK
    assert capsys.readouterr().out == ""
    assert (place / "vllm/serve.sh").stat().st_mode & stat.S_IXUSR
    assert "--host 0.0.0.0" in (place / "vllm/serve.sh").read_text()
    assert "--partition=gpu" in (place / "slurm/job.sbatch").read_text()
    assert json.loads((place / "MANIFEST.json").read_text())["files"]
    assert main(argv) == Exit.BAD_INPUT
    assert "--force" in capsys.readouterr().err
    assert main([*argv, "--force"]) == Exit.OK


def test_the_exported_document_exports_again(document: Path, tmp_path: Path) -> None:
    assert main(["export", str(document), "--target", "vllm", "-o", str(tmp_path / "a")]) == Exit.OK
    again = tmp_path / "a" / "deployment.toml"
    assert main(["export", str(again), "--target", "vllm", "-o", str(tmp_path / "b")]) == Exit.OK
    assert (tmp_path / "a/vllm/serve.sh").read_text() == (tmp_path / "b/vllm/serve.sh").read_text()


@pytest.mark.parametrize(
    "options",
    [
        ["--target", "vllm", "--target", "slurm"],
        ["--target", "llama.cpp"],
        ["--target", "systemd"],
        ["--target", "docker-compose", "--image", "no tag"],
        ["--target", "docker-compose", "--digest", "sha256:short"],
        ["--target", "vllm", "--model-path", "../weights"],
        ["--target", "slurm", "--partition", "a;b"],
        ["--node-selector", "nothing"],
        ["--inventory", "/nonexistent.json"],
    ],
)
def test_bad_options_are_one_line_and_exit_2(
    document: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(document), *options]) == Exit.BAD_INPUT
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("deploy-planner: ") and "Traceback" not in captured.err


@pytest.mark.parametrize("options", [["--port", "0"], ["--port", "x"], ["--disk-gb-s", "-1"], ["--target", "nope"]])
def test_bad_usage_exits_2(document: Path, options: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["export", str(document), *options])
    assert stopped.value.code == Exit.BAD_INPUT


def test_what_cannot_be_told_to_the_engine_is_said_and_exits_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tables = {**SHAPES["vllm-r1"], "engine": {"name": "vllm", "version": "0.7.3"}}
    path = tmp_path / "old.toml"
    path.write_text(tomli_w.dumps(tables))
    assert main(["export", str(path), "--target", "vllm"]) == Exit.NOTHING_FITS
    captured = capsys.readouterr()
    assert "--tensor-parallel-size 8" in captured.out
    assert "0.8.3 or later" in captured.err


def test_network_from_an_inventory(tmp_path: Path) -> None:
    nics = [
        {"name": "eth0", "kind": "ethernet", "bytes_s": 1.25e9},
        {"name": "bond1", "kind": "ethernet", "bytes_s": 1.25e10},
        {"name": "mlx5_0:1", "kind": "infiniband", "bytes_s": 5e10},
    ]
    inventory = {
        "schema": "deploy-planner/inventory/1",
        "nodes": [{"host": {"nics": nics}, "devices": []}],
        "origin": "file",
    }
    (tmp_path / "inventory.json").write_text(json.dumps(inventory))
    (tmp_path / "d.toml").write_text(tomli_w.dumps(SHAPES["vllm-wide"]))
    argv = ["export", str(tmp_path / "d.toml"), "--target", "vllm", "--inventory", str(tmp_path / "inventory.json")]
    assert main([*argv, "-o", str(tmp_path / "out")]) == Exit.OK
    env = (tmp_path / "out/vllm/env").read_text()
    assert "NCCL_SOCKET_IFNAME=bond1" in env and "NCCL_IB_HCA=mlx5_0:1" in env
