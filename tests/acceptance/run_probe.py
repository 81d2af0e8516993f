"""Ask a real parser in its own environment.

A pinned parser answers the same question in the same way: answers are kept beside it, by a hash of its pins, of the
probe and of the questions, and only new questions start it again.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Sequence
from typing import Any

from tests.acceptance.environments import PROBES, Environment

LIMIT_S = 600


def ask(environment: Environment, cases: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One answer a case: ``{"ok": true, "values": …}`` or ``{"ok": false, "error": …}``."""
    probes = "".join(path.read_text(encoding="utf-8") for path in sorted(PROBES.glob("*.py")))
    questions = json.dumps(cases)
    key = hashlib.sha256("\0".join((environment.pins, probes, questions)).encode()).hexdigest()
    kept = environment.place / "answers" / f"{key}.json"
    if kept.is_file():
        found: list[dict[str, Any]] = json.loads(kept.read_text(encoding="utf-8"))
        return found
    answers = _asked(environment, questions)
    assert len(answers) == len(cases), f"{environment.name} gave {len(answers)} answers to {len(cases)} questions"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(json.dumps(answers), encoding="utf-8")
    return answers


def _asked(environment: Environment, questions: str) -> list[dict[str, Any]]:
    probe = PROBES / f"{environment.probe}.py"
    env = {
        **os.environ, "VLLM_TARGET_DEVICE": "cpu", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": str(PROBES),
        "HF_HUB_OFFLINE": "1",
    }  # fmt: skip
    done = subprocess.run(
        [str(environment.python), str(probe)], input=questions, env=env, capture_output=True, text=True, check=False,
        timeout=LIMIT_S,
    )  # fmt: skip
    answers: list[dict[str, Any]] = [json.loads(x) for x in done.stdout.splitlines() if x.startswith('{"ok"')]
    assert answers, f"{environment.name} said nothing: {done.stderr[-3000:]}"
    for answer in answers:
        if not answer["ok"]:
            answer["error"] += " · " + " · ".join(x for x in done.stderr.splitlines() if "error:" in x)[-1500:]
    return answers
