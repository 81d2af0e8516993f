"""Runs the other predictor in a process of its own and puts its numbers beside the planner's."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.crosscheck.question import CannotSay, question_of
from planner.data import read_toml
from planner.documents.deployment import Deployment
from planner.documents.result import CrossCheck, EstimateDocument, Finding
from planner.models.intake import open_model
from planner.resolve import resolve

if TYPE_CHECKING:
    from planner.library import Library

INTERPRETER = "DEPLOY_PLANNER_AICONFIGURATOR"
"""Environment variable: the Python of an environment that has aiconfigurator-core."""
_TIMEOUT_S = 180.0
_MOST_BYTES = 65_536
_FIGURES = ("ttft_s", "tpot_s", "output_tok_s")


class Unavailable(Exception):
    """The other predictor cannot be asked, or did not answer."""


def cross_checked(answer: EstimateDocument, deployment: Deployment, library: Library) -> EstimateDocument:
    """The answer with the other predictor's figures, or with a warning that says why there are none."""
    try:
        if deployment.hardware is None or deployment.finetune is not None:
            raise CannotSay("it answers for serving on hardware that is named")
        words = read_toml("crosscheck/aiconfigurator.toml")
        source = open_model(deployment.model, library)
        config = source.own_config or (source.row.config if source.row else None)
        if config is None:
            raise CannotSay("the model has no config.json to show it")
        resolved = resolve(deployment, library, source)
        said = _run(question_of(resolved, config, words), words)
        return replace(answer, cross_check=_checked(said, words, max(resolved.serving.dp, 1)))
    except (CannotSay, Unavailable) as reason:
        way = f"pip install 'deploy-planner[aiconfigurator]', or {INTERPRETER}=PYTHON of an environment that has it"
        fix = way if isinstance(reason, Unavailable) else ""
        finding = Finding("cross-check", f"aiconfigurator-core was not asked: {reason}", fix, severity="warning")
        return replace(answer, problems=(*answer.problems, finding))


def _checked(said: dict[str, Any], words: dict[str, Any], replicas: int) -> CrossCheck:
    values = {name: said.get(name) for name in _FIGURES}
    if not all(isinstance(v, int | float) and math.isfinite(v) and v > 0 for v in values.values()):
        raise Unavailable("its answer is no set of positive numbers")
    own, pinned = str(said.get("package_version"))[:40], words["version"]
    note = "" if own == pinned else f"asked was {own}, checked against is {pinned}"
    return CrossCheck(
        source=f"{words['package']} {own}",
        tables=str(said.get("tables"))[:120],
        ttft_s=float(values["ttft_s"] or 0.0),
        tpot_s=float(values["tpot_s"] or 0.0),
        output_tok_s=float(values["output_tok_s"] or 0.0) * replicas,
        note=note,
    )


def _python() -> str:
    """The interpreter to ask. Raises Unavailable."""
    named = os.environ.get(INTERPRETER)
    if named:
        if not Path(named).is_file():
            raise Unavailable(f"{INTERPRETER} names no file: {named[:200]!r}")
        return named
    if importlib.util.find_spec("aiconfigurator_core") is None:
        raise Unavailable("it is not installed beside the planner")
    return sys.executable


def _run(question: dict[str, Any], words: dict[str, Any]) -> dict[str, Any]:
    command = [_python(), "-I", str(Path(__file__).with_name("worker.py"))]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    asked: dict[str, Any] = {"input": json.dumps(question), "encoding": "utf-8", "errors": "replace"}
    try:
        done = subprocess.run(command, env=environment, check=False, capture_output=True, timeout=_TIMEOUT_S, **asked)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{words['package']} did not run: {error}"[:300]) from None
    try:
        said = json.loads(done.stdout[:_MOST_BYTES])
    except ValueError:
        last = done.stderr.strip().splitlines()[-1:] or ["no output"]
        raise Unavailable(f"{words['package']} did not answer: {last[0][:200]}") from None
    if not isinstance(said, dict) or "error" in said:
        raise CannotSay(f"it refused: {str(said.get('error') if isinstance(said, dict) else said)[:300]}")
    return said
