"""Trainer files read by the trainers' own parsers, each trainer pinned, each in an environment of its own.

    python -m benchmarks.accept_trainers --build       make the environments (CPU torch in each: 1-2 GB, minutes)
    python -m benchmarks.accept_trainers               let each read every job; what is not built is skipped aloud

Nothing here needs a GPU: what a parser asks of the machine is answered for it (``tests/finetune/trainer_parsers.py``).
Set ``PIP_EXTRA_INDEX_URL`` to PyTorch's CPU index when building, or pip brings the CUDA build.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from planner.errors import BadInput
from planner.export.registry import render, target
from planner.export.target import unsuitable
from tests.acceptance.build import build
from tests.acceptance.environments import Environment, environments

PARSERS = Path(__file__).parent.parent / "tests" / "finetune" / "trainer_parsers.py"
SECONDS = 900


TRAINERS: Mapping[str, Environment] = {name: each for name, each in environments().items() if each.trainer}
"""Each trainer at a release, in an environment of its own (``tests/acceptance/environments.toml``)."""


@dataclass(frozen=True)
class Answer:
    """What a trainer said of the jobs it was given."""

    version: str = ""
    jobs: int = 0
    problems: tuple[str, ...] = ()
    missing: str = ""
    """Why nothing was read."""


def jobs_of(name: str) -> Iterator[tuple[str, dict[str, str]]]:
    """(job, files) for every job that the target takes; a job that the target refuses is not its own."""
    from tests.finetune.jobs import JOBS, context

    for job, table in JOBS.items():
        asked = context(**table)
        if unsuitable(target(name), asked) or (name == "deepspeed" and asked.resolved.finetune is None):
            continue
        if name == "deepspeed" and not str(table.get("sharding", "")).startswith("zero"):
            continue
        try:
            yield job, render(name, asked)
        except BadInput:
            continue


def read(python: Path | str, kind: str) -> Answer:
    """Let an interpreter that has the trainer read every job of its target."""
    with tempfile.TemporaryDirectory() as place:
        folders = []
        for job, files in jobs_of(kind):
            folders.append(Path(place) / job)
            folders[-1].mkdir()
            for name, text in files.items():
                (folders[-1] / name).write_text(text, encoding="utf-8")
        command = [str(python), str(PARSERS), kind, *map(str, folders)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False, cwd=place)
    found: dict[str, Any] = {"problems": [done.stderr[-2000:] or "no answer"]}
    if done.stdout.strip().startswith("{"):
        found = json.loads(done.stdout.splitlines()[-1])
    return Answer(found.get("version", ""), len(folders), tuple(found.get("problems", ())), found.get("missing", ""))


def accepted(name: str) -> Answer:
    """What a pinned trainer says; ``missing`` where its environment was not built."""
    trainer = TRAINERS[name]
    if not trainer.is_built:
        return Answer(missing=f"{name} is not built: python -m benchmarks.accept_trainers --build {name}")
    return read(trainer.python, trainer.trainer)


def main() -> int:
    """Prints one line a trainer; 1 where a file was refused."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"trainers: {', '.join(TRAINERS)} (default: all)")
    parser.add_argument("--build", action="store_true", help="make the environments first")
    args = parser.parse_args()
    unknown = set(args.names) - set(TRAINERS)
    if unknown:
        parser.error(f"unknown trainer {', '.join(sorted(unknown))}: one of {', '.join(TRAINERS)}")
    failed = 0
    for name in args.names or TRAINERS:
        if args.build:
            build(TRAINERS[name])
        answer = accepted(name)
        failed += len(answer.problems)
        said = f"SKIPPED: {answer.missing}" if answer.missing else f"{answer.jobs} jobs, {len(answer.problems)} refused"
        print(f"{name:<20} {said}")
        for problem in answer.problems:
            print(f"  {problem}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
