"""Stand-alone: a question as JSON on stdin, aiconfigurator-core's answer as JSON on stdout.

Run by an interpreter that has aiconfigurator-core; imports nothing of the planner.
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """Seconds and tokens per second of one replica. Raises whatever the other predictor raises."""
    from aiconfigurator_core.sdk import config
    from aiconfigurator_core.sdk.backends.factory import get_backend
    from aiconfigurator_core.sdk.config_builders import build_model_config
    from aiconfigurator_core.sdk.models import get_model
    from aiconfigurator_core.sdk.perf_database import get_database, get_latest_database_version

    system, engine = question["system"], question["engine"]
    release = get_latest_database_version(system, engine)
    if release is None:
        raise LookupError(f"it has no tables for {engine} on {system}")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "config.json").write_text(json.dumps(question["config"]), encoding="utf-8")
        model = get_model(folder, build_model_config(**question["layout"]), engine)
        load = config.RuntimeConfig(**question["load"])
        database = get_database(system, engine, release)
        found = get_backend(engine).run_agg(model, database, load, ctx_tokens=question["budget"])
    row = found.get_summary_df().iloc[0]
    return {
        "package_version": version("aiconfigurator-core"),
        "tables": f"{engine} {release} on {system}",
        "ttft_s": float(row["ttft"]) / 1e3,
        "tpot_s": float(row["tpot"]) / 1e3,
        "output_tok_s": float(row["tokens/s"]),
    }


def main() -> None:
    """Only the answer goes to stdout; whatever else is printed goes to stderr."""
    question = json.load(sys.stdin)
    with contextlib.redirect_stdout(sys.stderr):
        try:
            said = answer(question)
        except Exception as error:
            said = {"error": f"{type(error).__name__}: {error}"[:500]}
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main()
