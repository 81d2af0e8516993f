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

from benchmarks.environments import Packages, build, python_of
from planner.errors import BadInput
from planner.export.registry import render, target
from planner.export.target import unsuitable

PARSERS = Path(__file__).parent.parent / "tests" / "finetune" / "trainer_parsers.py"
TORCH = "torch==2.13.0"
SECONDS = 900


@dataclass(frozen=True)
class Trainer:
    """A trainer at a release, and the export target that it reads."""

    target: str
    packages: Packages


TRAINERS: Mapping[str, Trainer] = {
    "axolotl-0.19": Trainer(
        "axolotl",
        Packages(
            (TORCH, "transformers==5.16.1", "accelerate==1.13.0", "peft==0.20.0", "trl==1.9.0", "datasets==4.8.4",
             "pydantic==2.12.5", "packaging==26.0", "addict", "fire", "einops", "colorama", "art", "requests",
             "python-dotenv==1.0.1", "posthog==6.7.11", "mistral-common==1.11.5", "sentencepiece", "scipy",
             "zstandard"),
            ("axolotl==0.19.0", "liger-kernel==0.8.1", "bitsandbytes==0.50.2", "axolotl-contribs-lgpl==0.0.7",
             "axolotl-contribs-mit==0.0.6", "schedulefree==1.4.1", "torchao==0.17.0"),
        ),
    ),
    "llama-factory-0.9.5": Trainer(
        "llama-factory",
        Packages(
            (TORCH, "transformers==5.6.0", "accelerate==1.11.0", "peft==0.18.1", "trl==0.24.0", "datasets==4.0.0",
             "omegaconf", "einops", "scipy", "sentencepiece", "tiktoken", "pandas", "matplotlib", "pydantic", "fire",
             "sse-starlette", "fastapi", "uvicorn", "av<=16.0.0", "tyro<0.9.0"),
            ("llamafactory==0.9.5", "torchdata==0.11.0"),
        ),
    ),
    "trl-1.16": Trainer(
        "trl",
        Packages(
            (TORCH, "transformers==5.20.0", "accelerate==1.15.0", "peft==0.21.2", "trl==1.16.0", "datasets==5.2.0")
        ),
    ),
    "megatron-bridge-0.3.1": Trainer(
        "megatron", Packages(("pyyaml==6.0.3",), ("megatron-bridge==0.3.1", "megatron-core==0.16.1"))
    ),
    "deepspeed-0.19.8": Trainer(
        "deepspeed",
        Packages(
            (TORCH, "setuptools<81", "wheel", "einops", "hjson", "msgpack", "ninja", "numpy", "packaging", "psutil",
             "py-cpuinfo", "pydantic", "tqdm"),
            ("deepspeed==0.19.8",),
            {"DS_BUILD_OPS": "0", "DS_SKIP_CUDA_CHECK": "1"},
        ),
    ),
}  # fmt: skip


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
    python = python_of(name, trainer.packages)
    if python is None:
        return Answer(missing=f"{name} is not built: python -m benchmarks.accept_trainers --build {name}")
    return read(python, trainer.target)


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
            build(name, TRAINERS[name].packages)
        answer = accepted(name)
        failed += len(answer.problems)
        said = f"SKIPPED: {answer.missing}" if answer.missing else f"{answer.jobs} jobs, {len(answer.problems)} refused"
        print(f"{name:<20} {said}")
        for problem in answer.problems:
            print(f"  {problem}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
