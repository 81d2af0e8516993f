"""Speed of the planner itself, in process and on one core: ``python -m benchmarks.speed``.

Seconds are processor time of this thread, of the best of many short batches, so that other work on the machine does
not count. No two deployments of a batch are alike: answers that were kept would not help.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.truth import cases, document
from planner.cli.main import main as command
from planner.detect.spec import load_hardware
from planner.documents.deployment import Deployment, WorkloadTable
from planner.documents.files import parse_deployment
from planner.documents.request import PlanRequest
from planner.library import Library
from planner.plan import plan
from planner.predict import predict

BATCH = 20
LLAMA_70B = "meta-llama/Llama-3.3-70B-Instruct"
DEPLOYMENTS: dict[str, tuple[dict[str, Any], Callable[[int], dict[str, Any]]]] = {
    "vLLM, DeepSeek-R1, 8×H200": (
        {
            "model": {"id": "deepseek-ai/DeepSeek-R1", "weights": "fp8"},
            "hardware": {"accelerator": "h200-sxm-141gb", "per_node": 8},
            "engine": {"name": "vllm", "version": "0.19.0"},
        },
        lambda i: {"tp": 8, "ep": 8 if i % 2 else 1, "max_num_batched_tokens": 2048 + 512 * (i % 20)},
    ),
    "vLLM, Llama-70B, 4×H100": (
        {
            "model": {"id": LLAMA_70B, "weights": "fp8"},
            "hardware": {"accelerator": "h100-sxm-80gb", "per_node": 4},
            "engine": {"name": "vllm", "version": "0.19.0"},
        },
        lambda i: {"tp": 2 + 2 * (i % 2), "max_num_seqs": 64 + i % 200},
    ),
    "llama.cpp, Llama-70B, 2×RTX 4090": (
        {
            "model": {"id": LLAMA_70B, "weights": "gguf:Q4_K_M"},
            "hardware": {"accelerator": "rtx-4090", "per_node": 2},
            "engine": {"name": "llama.cpp"},
        },
        lambda i: {"parallel": 1 + i % 4, "ubatch": (256, 512, 1024)[i % 3]},
    ),
}


def deployments(name: str, count: int) -> Iterator[Deployment]:
    """So many different ones of a kind."""
    fixed, serving = DEPLOYMENTS[name]
    for i in range(count):
        load = {"isl": 500 + 7 * i % 9000, "osl": 100 + 3 * i % 3000, "concurrency": 1 + i % 256}
        table = {"max_model_len": 16384 + 1024 * (i % 8), **serving(i)}
        yield parse_deployment({**fixed, "serving": table, "workload": load}, name)


def seconds(work: Callable[[], object]) -> float:
    """Processor time of this thread."""
    start = time.thread_time()
    work()
    return time.thread_time() - start


def per_second(items: Sequence[Any], work: Callable[[Any], object]) -> float:
    """Items per second in the fastest batch; a first batch is not counted."""
    times = []
    for first in range(0, len(items) - BATCH + 1, BATCH):
        part = items[first : first + BATCH]
        times.append(seconds(lambda: [work(item) for item in part]))  # noqa: B023
    return BATCH / min(times[1:])


def lines_per_second() -> float:
    """Through ``estimate --jsonl``, measured cases with their configs inline; the second of two passes."""
    text = "".join(json.dumps(document(case)) + "\n" for case in cases("serving_perf"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "lines.jsonl")
        path.write_text(text, encoding="utf-8")
        return text.count("\n") / min(seconds(lambda: _silent(["estimate", "--jsonl", str(path)])) for _ in range(2))


def _silent(argv: list[str]) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        if command(argv):
            raise SystemExit(f"{argv} failed")


def plan_seconds(spec: str, models: tuple[str, ...]) -> float:
    """Of one plan in a fresh library, files already read once; the best of a few."""
    workload = WorkloadTable(concurrency=64.0)
    times = []
    for users in (64.0, 48.0, 56.0, 72.0):
        library = Library()
        request = PlanRequest(load_hardware(spec, library.database), models, replace(workload, concurrency=users))
        times.append(seconds(lambda: plan(request, library)))  # noqa: B023
    return min(times[1:])


def curve_seconds(library: Library) -> float:
    """A concurrency curve of 40 points."""
    first = next(deployments("vLLM, DeepSeek-R1, 8×H200", 1))
    load = first.workload or WorkloadTable()
    points = [replace(first, workload=replace(load, concurrency=1.0 + 6.0 * i)) for i in range(40)]
    return min(seconds(lambda: [predict(point, library) for point in points]) for _ in range(5))


def say(name: str, value: float, unit: str, bound: float, *, least: bool) -> bool:
    """One line; whether the bound holds."""
    good = value >= bound if least else value <= bound
    sign = "≥" if least else "≤"
    print(f"{name:<46} {value:8.0f} {unit:<8} bound {sign} {bound:,.0f}: {'holds' if good else 'FAILS'}")
    return good


def main() -> int:
    """Prints every figure with its bound; 1 when one does not hold."""
    library = Library()
    held = []
    for name in DEPLOYMENTS:
        rate = per_second(list(deployments(name, 30 * BATCH)), lambda deployment: predict(deployment, library))
        held.append(say(f"predict(), {name}", rate, "1/s", 2000, least=True))
    held.append(say("40 points of load", curve_seconds(library) * 1e3, "ms", 50, least=False))
    held.append(say("estimate --jsonl", lines_per_second(), "lines/s", 500, least=True))
    for model in ("deepseek-ai/DeepSeek-R1", LLAMA_70B):
        held.append(
            say(f"plan, 8×H200, {model}"[:46], plan_seconds("8xH200-SXM", (model,)) * 1e3, "ms", 200, least=False)
        )
    held.append(say("plan, 8×H200, whole catalogue", plan_seconds("8xH200-SXM", ()) * 1e3, "ms", 1000, least=False))
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
