"""The built wheel works in an empty environment, away from the source tree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import jsonschema
import pytest

ROOT = Path(__file__).parents[2]


def run(*argv: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    return subprocess.run(argv, cwd=cwd, env=environment, capture_output=True, text=True, timeout=600, check=False)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of a wheel that was built from this tree and installed into a new environment."""
    folder = tmp_path_factory.mktemp("wheel")
    built = run(sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT), cwd=folder)
    assert built.returncode == 0, built.stderr
    wheel = next(folder.glob("*.whl"))
    venv.create(folder / "env", with_pip=True)
    python = folder / "env" / "bin" / "python"
    lock = str(ROOT / "requirements.lock")
    done = run(str(python), "-m", "pip", "install", "-q", "-c", lock, str(wheel), cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "env" / "bin" / "deploy-planner"


def test_the_main_job_answers_by_its_own_schema(installed: Path, tmp_path: Path) -> None:
    plan = run(str(installed), "--json", cwd=tmp_path)
    assert plan.returncode in (0, 3), plan.stderr
    schema = run(str(installed), "schema", "plan", cwd=tmp_path)
    jsonschema.Draft202012Validator(json.loads(schema.stdout)).validate(json.loads(plan.stdout))


def test_data_files_of_all_three_packages_are_there(installed: Path, tmp_path: Path) -> None:
    hardware = run(str(installed), "hardware", "h200-sxm-141gb", "--json", cwd=tmp_path)
    assert hardware.returncode == 0, hardware.stderr
    models = run(str(installed), "models", "deepseek-r1", "--json", cwd=tmp_path)
    assert models.returncode == 0, models.stderr
    styles = run(
        str(installed.with_name("python")),
        "-c",
        "from importlib.resources import files; "
        "print(sum(1 for p in files('tui').rglob('*') if p.name.endswith('.tcss')))",
        cwd=tmp_path,
    )
    assert int(styles.stdout) > 0
