"""vLLM, SGLang, KTransformers and MLX read the exported commands with their own parsers, and take the planned values."""

from __future__ import annotations

from typing import Any

import pytest

from planner.export.registry import applicable, render
from tests.acceptance.cases import Case, commands
from tests.acceptance.environments import Environment, environments
from tests.acceptance.outcomes import accepted, need
from tests.acceptance.run_probe import ask

ENGINES = [e for e in environments().values() if e.engine and e.probe]
SAME = {
    "vllm": {
        "tensor_parallel_size": "tp", "pipeline_parallel_size": "pp", "max_model_len": "max_model_len",
        "max_num_seqs": "max_num_seqs", "max_num_batched_tokens": "max_num_batched_tokens",
        "gpu_memory_utilization": "gpu_memory_utilization", "enforce_eager": "enforce_eager",
    },
    "sglang": {
        "context_length": "max_model_len", "max_running_requests": "max_num_seqs",
        "chunked_prefill_size": "max_num_batched_tokens", "mem_fraction_static": "gpu_memory_utilization",
        "pp_size": "pp",
    },
    "ktransformers": {"context_length": "max_model_len"},
    "mlx": {},
}  # fmt: skip
"""The engine's names of parsed arguments → fields of the resolved serving table."""


def parsed_as_planned(case: Case, values: dict[str, Any], names: dict[str, str]) -> list[str]:
    """What the engine took otherwise than planned."""
    serving = case.context.resolved.serving
    wanted = {k: getattr(serving, field) for k, field in names.items() if k in values and f"--{_flag(case, k)}" in case.words}
    return [f"{k} = {values[k]}, planned {v}" for k, v in wanted.items() if values[k] != pytest.approx(v)]


def _flag(case: Case, name: str) -> str:
    return name.replace("_", "-")


def problems(environment: Environment, cases: tuple[Case, ...], answers: list[dict[str, Any]]) -> list[str]:
    found = []
    for case, answer in zip(cases, answers, strict=True):
        if not answer["ok"]:
            found.append(f"{case.name}: {answer['error']} · {' '.join(case.words)}")
        else:
            found += [f"{case.name}: {x}" for x in parsed_as_planned(case, answer["values"], SAME[environment.engine])]
    return found


@pytest.mark.parametrize("environment", ENGINES, ids=lambda e: e.name)
def test_the_engine_reads_its_commands(environment: Environment) -> None:
    need(environment)
    cases = commands(environment.engine, environment.version)
    answers = ask(environment, [{"words": case.words} for case in cases])
    assert not problems(environment, cases, answers)
    accepted(environment.name, len(cases), f"commands of {environment.engine} {environment.version}")


@pytest.mark.parametrize("environment", ENGINES, ids=lambda e: e.name)
def test_the_engine_would_refuse_another_flag(environment: Environment) -> None:
    """The parser is awake: one flag changed, and it says no."""
    need(environment)
    case = commands(environment.engine, environment.version)[0]
    (answer,) = ask(environment, [{"words": [*case.words, "--frobnicate", "3"]}])
    assert not answer["ok"]


@pytest.mark.parametrize("environment", [e for e in ENGINES if e.engine == "vllm"], ids=lambda e: e.name)
def test_vllm_reads_its_config_files_as_it_reads_the_commands(environment: Environment) -> None:
    need(environment)
    cases = [c for c in commands("vllm", environment.version) if not c.follower and "vllm" in applicable(c.context)]
    files = [render("vllm", c.context).get("config.yaml") for c in cases]
    given = [{"words": c.words, "config": text} for c, text in zip(cases, files, strict=True) if text]
    if not given:
        return
    by_file = ask(environment, given)
    by_words = ask(environment, [{"words": g["words"]} for g in given])
    for case, one, other in zip(cases, by_file, by_words, strict=True):
        assert one["ok"], (case.name, one)
        changed = {k for k, v in one["values"].items() if other["values"].get(k) != v} - {"config"}
        nodes = {"nnodes", "node_rank", "master_addr", "master_port", "distributed_executor_backend", "headless"}
        assert not changed - (nodes if case.context.layout.multi_node else set()), (case.name, changed)
    accepted(f"{environment.name} --config", len(given), "configuration files, same values as the commands")
