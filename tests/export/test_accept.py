"""The real tools read what is exported. What is not installed is skipped, and says so."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from benchmarks.accept_exports import FOLDER, python_of
from planner.export.registry import applicable, render
from tests.export.deployments import SHAPES, shape

CRD = Path(__file__).parents[1] / "fixtures" / "leaderworkerset-crd.yaml"
VARIABLES = {
    "RENDER_GID": "109", "NODE_RANK": "1", "HEAD_ADDRESS": "10.0.0.1", "SGLANG_API_KEY": "k", "VLLM_API_KEY": "k",
    "LLAMA_API_KEY": "k",
}  # fmt: skip
MOST_INSTANCES = 3


def needs(tool: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(tool) is None, reason=f"{tool} is not installed: its check did not run")


def rendered(kind: str) -> Iterator[tuple[str, dict[str, str]]]:
    for name in SHAPES:
        if kind in applicable(shape(name)):
            yield name, render(kind, shape(name))


def put(files: dict[str, str], folder: Path) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def strict(schema: Any) -> Any:
    """The schema as the API server applies it with strict field validation: unknown fields are errors."""
    if isinstance(schema, dict):
        closed = {k: strict(v) for k, v in schema.items()}
        if "properties" in closed and "x-kubernetes-preserve-unknown-fields" not in closed:
            closed.setdefault("additionalProperties", False)
        return closed
    return [strict(item) for item in schema] if isinstance(schema, list) else schema


def test_leader_worker_sets_satisfy_the_resource_definition() -> None:
    definition = yaml.load(CRD.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    version = next(v for v in definition["spec"]["versions"] if v["name"] == "v1")
    schema = strict(version["schema"]["openAPIV3Schema"])
    schema["properties"]["metadata"] = {"type": "object"}
    validator = jsonschema.Draft202012Validator(schema)
    seen = 0
    for name, files in rendered("lws"):
        errors = [e.message[:300] for e in validator.iter_errors(yaml.safe_load(files["leaderworkerset.yaml"]))]
        assert not errors, (name, errors)
        seen += 1
    assert seen >= 5
    broken = yaml.safe_load(render("lws", shape("vllm-wide"))["leaderworkerset.yaml"])
    broken["spec"]["leaderWorkerTemplate"]["workerTemplate"]["spec"]["contaners"] = []
    assert list(validator.iter_errors(broken))


@needs("systemd-analyze")
def test_systemd_reads_the_units(tmp_path: Path) -> None:
    """Programs that this machine lacks are replaced by one that it has; everything else must be silent."""
    units = []
    for name, files in rendered("systemd"):
        for file, text in files.items():
            if file.endswith(".service"):
                path = tmp_path / f"{name}-{file}"
                path.write_text(
                    text.replace("/usr/bin/nvidia-smi", "/bin/true").replace("/usr/bin/amd-smi", "/bin/true")
                )
                units.append(str(path))
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if tmp_path.name in line or "-power-cap" in line]
    assert done.returncode == 0 and not said, done.stderr[:2000]


@needs("systemd-analyze")
def test_systemd_would_complain(tmp_path: Path) -> None:
    unit = tmp_path / "broken.service"
    unit.write_text("[Service]\nType=exec\nExecStart=relative\nTimeoutStartSec=never-ever\n")
    assert subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, check=False).returncode != 0


@needs("docker-compose")
def test_docker_compose_reads_the_files(tmp_path: Path) -> None:
    """docker-compose 1.29 knows no project name in the file; everything else is the same."""
    wanted = ("vllm-r1", "vllm-wide", "vllm-amd", "ascend-one", "gaudi", "trtllm", "llama-cpu")
    for name, files in rendered("docker-compose"):
        if name not in wanted:
            continue
        folder = put(files, tmp_path / name)
        for path in folder.glob("compose*.yaml"):
            path.write_text("\n".join(x for x in path.read_text().splitlines() if not x.startswith("name: ")))
            command = ["docker-compose", "-f", path.name, "config"]
            env = {**os.environ, **VARIABLES}
            done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
            assert done.returncode == 0, (name, done.stderr[:1000])


@needs("sbatch")
def test_slurm_reads_the_job(tmp_path: Path) -> None:
    """Only where a controller answers: --test-only asks it."""
    if subprocess.run(["scontrol", "ping"], capture_output=True, check=False).returncode:
        pytest.skip("no Slurm controller answers: sbatch --test-only did not run")
    path = tmp_path / "job.sbatch"
    path.write_text(render("slurm", shape("vllm-cpu"))["job.sbatch"])
    done = subprocess.run(["sbatch", "--test-only", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(
    python_of("kubernetes") is None,
    reason=f"no environment in {FOLDER}: python -m benchmarks.accept_exports --build kubernetes",
)
def test_kubernetes_reads_the_objects(tmp_path: Path) -> None:
    files = []
    for kind in ("kubernetes", "lws"):
        for name, made in rendered(kind):
            folder = put(made, tmp_path / f"{name}-{kind}")
            files += [str(p) for p in folder.glob("*.yaml") if not p.name.startswith("leader")]
    python = python_of("kubernetes")
    assert python is not None
    tool = str(python.parent / "kubernetes-validate")
    for version in ("1.28.0", "1.34.0"):
        command = [tool, "-k", version, "--strict", "--quiet", *files]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (done.stdout + done.stderr)[:2000]
