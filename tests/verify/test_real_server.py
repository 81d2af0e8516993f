"""A real llama.cpp server on this machine's CPU: planned, started, its log and its metrics compared.

Runs where a server is: ``llama-server`` on PATH (or DEPLOY_PLANNER_LLAMA_SERVER), a Python that has the prebuilt wheel
``xllamacpp`` (DEPLOY_PLANNER_LLAMA_PYTHON), or either of them as ``python -m tests.acceptance.build llama-wheel`` makes
it (docs/verify.md). Skipped aloud elsewhere.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from planner.cli.main import main
from planner.documents.deployment import Deployment
from planner.documents.files import deployment_toml
from planner.library import Library
from planner.verify.verification import verify
from tests.acceptance.environments import environment
from tests.acceptance.outcomes import accepted, skip
from tests.verify.small_model import MODELS, write_small_model

CAME_OUT: set[str] = set()
SETTINGS = {"max_model_len": 2048, "ubatch": 256, "parallel": 1}


def server_command() -> tuple[list[str] | None, str | None]:
    """The words that start a server, and its build where it is known."""
    given = os.environ.get("DEPLOY_PLANNER_LLAMA_SERVER") or shutil.which("llama-server")
    python = os.environ.get("DEPLOY_PLANNER_LLAMA_PYTHON")
    wrapper = str(Path(__file__).with_name("server_of_wheel.py"))
    built, wheel = environment("llama-server"), environment("llama-wheel")
    if given:
        return [given, *OPTIONS], None
    if python:
        return [python, wrapper], None
    if built.is_built:
        return [str(built.place / "bin" / "llama-server"), *OPTIONS], built.version
    return ([str(wheel.python), wrapper], wheel.version) if wheel.is_built else (None, None)


OPTIONS = ("--metrics", "--verbosity", "4")
COMMAND, BUILD = server_command()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def ask(address: str, body: dict | None = None) -> str:
    data = json.dumps(body).encode() if body else None
    with urlopen(Request(address, data=data), timeout=90) as answer:
        return answer.read().decode()


def wait_for(address: str, process: subprocess.Popen) -> None:
    for _ in range(200):
        try:
            ask(f"{address}/health")
        except (URLError, OSError):
            assert process.poll() is None, "the server ended"
            time.sleep(0.1)
        else:
            return
    pytest.fail("the server did not come up")


def wait_until_told(log: Path) -> None:
    """The server writes its log beside its answers: what it has of the last one may come later."""
    for _ in range(100):
        if b"server is listening" in log.read_bytes():
            return
        time.sleep(0.1)


Served = tuple[Deployment, Path, str]


@pytest.fixture(scope="module", params=MODELS)
def served(request, tmp_path_factory) -> Served:
    """A model, its deployment, and what a real server printed and measured while it answered once."""
    if COMMAND is None:
        skip("llama.cpp, real runs", environment("llama-wheel").why_not)
    folder = tmp_path_factory.mktemp("served")
    model = write_small_model(folder / "small.gguf", MODELS[request.param])
    deployment = Deployment.model_validate(
        {
            "schema": "deploy-planner/deployment/1", "model": {"path": str(model)}, "hardware": {"accelerator": "cpu"},
            "engine": {"name": "llama.cpp", "version": BUILD}, "serving": SETTINGS,
            "workload": {"isl": 32, "osl": 16, "concurrency": 1},
        }
    )  # fmt: skip
    return deployment, *run(model, folder / "server.log")


def run(model: Path, log: Path) -> tuple[Path, str]:
    """The server's log and its metrics page, after one answer."""
    port = free_port()
    options = ["-m", str(model), "-c", "2048", "-ub", "256", "-np", "1", "--port", str(port)]
    with log.open("wb") as stream:
        process = subprocess.Popen([*(COMMAND or []), *options], stdout=stream, stderr=stream)
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(address, process)
            ask(f"{address}/completion", {"prompt": "w1 w2 w3", "n_predict": 6})
            page = ask(f"{address}/metrics")
            wait_until_told(log)
        finally:
            process.terminate()
            process.wait(20)
    return log, page


def test_model_and_cache_buffers_are_as_planned_within_one_percent(served, request):
    deployment, log, _ = served
    answer = verify(deployment, log.read_text(encoding="utf-8", errors="replace"), Library())
    parts = {part.name: part for part in answer.parts if part.device == "CPU"}
    for name in ("weights", "kv_cache"):
        assert parts[name].actual == pytest.approx(parts[name].planned.value, rel=0.01), name
        assert parts[name].state == "inside"
    assert parts["compute"].state == "inside" or BUILD is None
    assert answer.outcome == "as-planned" or BUILD is None, answer
    assert answer.complete
    assert not [s for s in answer.settings if not s.same]
    CAME_OUT.add(request.node.callspec.id)
    accepted("llama.cpp, real runs", len(CAME_OUT), f"starts as planned: {', '.join(sorted(CAME_OUT))}")


def test_the_command_agrees_and_another_context_does_not(served, tmp_path, capsys):
    deployment, log, _ = served
    plan = tmp_path / "d.toml"
    plan.write_text(deployment_toml(deployment), encoding="utf-8")
    assert main(["verify", str(plan), "--log", str(log)]) == 0 or BUILD is None
    longer = deployment.model_copy(update={"serving": deployment.serving.model_copy(update={"max_model_len": 8192})})
    plan.write_text(deployment_toml(longer), encoding="utf-8")
    assert main(["verify", str(plan), "--log", str(log)]) == 3
    assert "max_model_len is 2,048, planned 8,192" in capsys.readouterr().out


def test_its_metrics_are_read(served):
    deployment, _, page = served
    answer = verify(deployment, page, Library())
    assert answer.engine == "llama.cpp"
    assert {part.name for part in answer.parts if part.actual} == {"decode_tok_s", "prefill_tok_s"}
