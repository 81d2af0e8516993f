"""Ask a real parser in its own environment."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from typing import Any

from tests.acceptance.environments import PROBES, Environment

LIMIT_S = 600


def ask(environment: Environment, cases: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One answer a case: ``{"ok": true, "values": …}`` or ``{"ok": false, "error": …}``."""
    probe = PROBES / f"{environment.probe}.py"
    env = {
        **os.environ, "VLLM_TARGET_DEVICE": "cpu", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": str(PROBES),
        "HF_HUB_OFFLINE": "1",
    }  # fmt: skip
    done = subprocess.run(
        [str(environment.python), str(probe)], input=json.dumps(cases), env=env, capture_output=True, text=True,
        check=False, timeout=LIMIT_S,
    )  # fmt: skip
    answers: list[dict[str, Any]] = [json.loads(x) for x in done.stdout.splitlines() if x.startswith('{"ok"')]
    assert len(answers) == len(cases), f"{environment.name} answered {len(answers)} of {len(cases)}: {done.stderr[-3000:]}"
    for answer in answers:
        if not answer["ok"]:
            answer["error"] += " · " + " · ".join(x for x in done.stderr.splitlines() if "error:" in x)[-1500:]
    return answers
