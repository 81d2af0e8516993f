"""The deployments that the examples end in: each answer of each plan, and the documents themselves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from planner.data import read_toml
from planner.documents.deployment import Deployment
from planner.documents.files import parse_deployment, read_deployment
from planner.export.prepare import prepare
from planner.export.target import Context, Options
from tests.export.deployments import IMAGE, library

FOLDER = Path(__file__).parents[2] / "examples"
VERBS = ("exec deploy-planner plan", "exec deploy-planner finetune")
PLANS = [p for p in sorted(FOLDER.glob("*.sh")) if any(verb in p.read_text(encoding="utf-8") for verb in VERBS)]
"""Scripts that end in ranked deployments."""
EVERY_DOCUMENT = sorted(FOLDER.glob("*.toml"))
APART = [p for p in EVERY_DOCUMENT if "[serving.disaggregation" in p.read_text(encoding="utf-8")]
"""Planned, not exported: refused by name, which a test of its own holds."""
DOCUMENTS = [p for p in EVERY_DOCUMENT if p not in APART]
ENDS = ("first", "newest")


@cache
def answers(script: Path) -> tuple[Deployment, ...]:
    """Every ranked deployment of a plan."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command, env = [str(script), "--json"], {**os.environ, "PATH": path}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=True)
    plan = json.loads(done.stdout)
    return tuple(parse_deployment(c["deployment"], f"{script.stem}[{i}]") for i, c in enumerate(plan["candidates"]))


def deployments(example: Path) -> tuple[Deployment, ...]:
    """What an example ends in."""
    return (read_deployment(example),) if example.suffix == ".toml" else answers(example)


def at_version(deployment: Deployment, version: str, engine: str | None = None) -> Deployment:
    """The same deployment with another release of its engine, or of another engine."""
    if deployment.engine is None:
        return deployment
    changed = {"name": engine or deployment.engine.name, "version": version}
    return deployment.model_copy(update={"engine": deployment.engine.model_copy(update=changed)})


def released(engine: str, end: str) -> str:
    """The oldest or newest release that the planner knows an engine by."""
    version: Any = read_toml(f"engines/profiles/{engine}.toml")[end]
    return str(version)


def contexts(example: Path, end: str) -> Iterator[Context]:
    """Everything an example ends in, at the oldest or newest release of its engine."""
    for deployment in deployments(example):
        engine = deployment.engine
        changed = at_version(deployment, released(engine.name, end)) if engine and engine.name else deployment
        yield prepare(changed, library(), Options(image=IMAGE, interface="bond0", ib_devices="mlx5_0,mlx5_1"))
