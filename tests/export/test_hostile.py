"""Names and paths from outside are data in every file, or are refused; never a word of their own."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from planner.errors import BadInput
from planner.export.bundle import render_bundle, target_files
from planner.export.registry import applicable
from planner.export.target import Context
from tests.export.deployments import SHAPES, context, shape

HOSTILE = (
    "/models/with space", "/models/quote'd", '/models/dou"ble', "/models/$(touch PWNED)", "/models/`touch PWNED`",
    "/models/%i-%h", "/models/${HOME}/$X", "/models/a;touch PWNED;#", "/models/a\\b\\n", "/models/-rf", "/models/a,b=c",
    "/models/{{ .Values.x }}", "/models/模型-é", "/models/*?[a]~", "/models/a&b|c>d",
    "/models/yes: no # x", "/models/!!x",
)  # fmt: skip
REFUSED = (
    "/models/new\nline",
    "/models/\x1b[31m",
    "relative/path",
    "/models/../../etc",
    "/models/\x00",
    "/" + "x" * 5000,
)
SHAPES_TRIED = ("vllm-r1", "vllm-wide", "sglang-new", "llama-cpu", "trtllm", "ollama", "vllm-old-ray")


def hostile_context(name: str, path: str, served: str) -> Any:
    """A known shape with hostile options; estimated once."""
    base = shape(name)
    options = replace(base.options, model_path=path, served_name=served)
    return Context(base.deployment, base.resolved, base.estimate, options)


def strings(document: Any) -> list[str]:
    if isinstance(document, dict):
        return [s for pair in document.items() for item in pair for s in strings(item)]
    if isinstance(document, list):
        return [s for item in document for s in strings(item)]
    return [document] if isinstance(document, str) else []


@pytest.mark.parametrize("path", HOSTILE)
def test_yaml_holds_the_path_as_one_value(path: str) -> None:
    exported = hostile_context("vllm-r1", path, path)
    for kind in ("vllm", "docker-compose", "kubernetes", "helm-values", "ray-serve", "kserve", "lws"):
        found: list[str] = []
        for name, text in target_files(exported, kind).items():
            if name.endswith(".yaml"):
                found += [s for d in yaml.safe_load_all(text) for s in strings(d)]
        kubernetes = kind in ("kubernetes", "kserve", "lws", "helm-values")
        wanted = path.replace("$", "$$") if kubernetes or kind == "docker-compose" else path
        assert wanted in found, kind


def recorded(script: Path, folder: Path, **variables: str) -> list[list[str]]:
    """Run a script with every program it may start replaced by one that writes its arguments down."""
    log = folder / "log"
    stub = folder / "stub"
    stub.write_text(f'#!/bin/bash\nprintf "%s\\0" "${{0##*/}}" "$@" >> {log}\nprintf "\\n\\0" >> {log}\n')
    stub.chmod(0o755)
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    for name in (
        "vllm",
        "python3",
        "llama-server",
        "trtllm-serve",
        "ollama",
        "docker",
        "ray",
        "srun",
        "aiperf",
        "llama-bench",
    ):
        (bin_folder / name).symlink_to(stub)
    env = {"PATH": f"{bin_folder}:{os.environ['PATH']}", "HOME": str(folder), **variables}
    subprocess.run(["bash", str(script)], cwd=folder, env=env, check=True, capture_output=True, timeout=30)
    runs = log.read_bytes().decode().split("\n\0") if log.exists() else []
    return [run.split("\0")[:-1] for run in runs if run]


def write(files: dict[str, str], folder: Path) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.mark.parametrize("path", HOSTILE)
def test_scripts_pass_the_path_as_one_argument(path: str, tmp_path: Path) -> None:
    write(target_files(hostile_context("vllm-wide", path, path), "vllm"), tmp_path)
    for rank in ("0", "1"):
        folder = tmp_path / rank
        folder.mkdir()
        (run,) = recorded(tmp_path / "serve.sh", folder, NODE_RANK=rank, HEAD_ADDRESS="10.0.0.1")
        assert run[:3] == ["vllm", "serve", path]
        assert path in run[3:] or f"--served-model-name={path}" in run
        assert run[run.index("--node-rank") + 1] == rank
        assert ("--headless" in run) == (rank == "1")
    assert not list(tmp_path.rglob("PWNED*"))


@pytest.mark.parametrize("path", [p for p in HOSTILE if "," not in p and '"' not in p])
def test_docker_gets_the_path_as_one_mount(path: str, tmp_path: Path) -> None:
    write(target_files(hostile_context("vllm-r1", path, path), "docker-run"), tmp_path)
    (run,) = recorded(tmp_path / "run.sh", tmp_path)
    assert f"type=bind,source={path},target=/model,readonly" in run
    assert "device=0,1,2,3,4,5,6,7" in run[run.index("--gpus") + 1]
    assert not list(tmp_path.rglob("PWNED*"))


def test_slurm_steps_on_several_nodes_run_what_was_planned(tmp_path: Path) -> None:
    """The here document reaches bash unchanged: srun is played by a shell that runs its command."""
    path = "/models/$(touch PWNED) 'x'"
    write(target_files(hostile_context("vllm-wide", path, path), "slurm"), tmp_path)
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    for name, body in {
        "srun": 'while [[ "$1" == --* ]]; do shift; done; exec "$@"', "scontrol": "echo node1; echo node2",
        "vllm": 'printf "%s\\0" "$@" > out',
    }.items():  # fmt: skip
        (bin_folder / name).write_text(f"#!/bin/bash\n{body}\n")
        (bin_folder / name).chmod(0o755)
    env = {"PATH": f"{bin_folder}:{os.environ['PATH']}", "SLURM_JOB_NODELIST": "node[1-2]", "SLURM_PROCID": "1"}
    subprocess.run(["bash", "job.sbatch"], cwd=tmp_path, env=env, check=True, timeout=30)
    words = (tmp_path / "out").read_text().split("\0")
    assert words[:2] == ["serve", path]
    assert words[words.index("--master-addr") + 1] == "node1" and "--headless" in words
    assert not list(tmp_path.rglob("PWNED*"))


@pytest.mark.parametrize("path", HOSTILE)
@pytest.mark.parametrize("name", SHAPES_TRIED)
def test_every_target_takes_it_or_refuses_it(name: str, path: str) -> None:
    exported = hostile_context(name, path + (".gguf" if "llama" in name else ""), path)
    for kind in applicable(exported):
        try:
            files = target_files(exported, kind)
        except BadInput:
            continue
        for file, text in files.items():
            if file.endswith(".service"):
                assert "PWNED" not in text and "%i" not in text.replace("%%i", "")
            if file.endswith(".json"):
                json.loads(text)


@pytest.mark.parametrize("path", REFUSED)
def test_paths_that_cannot_be_data_are_refused(path: str) -> None:
    with pytest.raises(BadInput):
        render_bundle(hostile_context("vllm-r1", path, "model"), ["vllm"])


@pytest.mark.parametrize("served", ["", " ", "a\nb", "\x1b", "x" * 5000])
def test_names_that_cannot_be_data_are_refused(served: str) -> None:
    with pytest.raises(BadInput):
        render_bundle(hostile_context("vllm-r1", "/m", served), ["vllm"])


@pytest.mark.parametrize("interface", ["eth0; reboot", "$(x)", "a b", "a\nb", "'"])
def test_interfaces_that_are_none_are_refused(interface: str) -> None:
    exported = context(SHAPES["vllm-wide"], interface=interface)
    with pytest.raises(BadInput):
        target_files(exported, "vllm")


def test_readme_shows_hostile_names_as_plain_text() -> None:
    exported = hostile_context("vllm-r1", "/models/x", "x`](http://e)<script>")
    text = render_bundle(exported, ["vllm"]).files["README.md"]
    assert "<script>" not in text
