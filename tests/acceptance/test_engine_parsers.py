"""vLLM, SGLang, KTransformers and MLX read the exported commands with their own parsers, and take what was planned."""

from __future__ import annotations

import shlex
from functools import cache
from typing import Any

import pytest
import yaml

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
OF_A_NODE = {
    "nnodes", "node_rank", "master_addr", "master_port", "distributed_executor_backend", "headless",
    "data_parallel_backend", "data_parallel_size_local",
}  # fmt: skip
"""What only the command says: it differs from node to node."""


def parsed_as_planned(case: Case, values: dict[str, Any], names: dict[str, str]) -> list[str]:
    """What the engine took otherwise than planned."""
    serving = case.context.resolved.serving
    told = {k: field for k, field in names.items() if f"--{k.replace('_', '-')}" in case.words}
    wanted = {k: getattr(serving, field) for k, field in told.items()}
    return [f"{k} = {values.get(k)}, planned {v}" for k, v in wanted.items() if values.get(k) != pytest.approx(v)]


@cache
def answers(name: str) -> dict[str, list[dict[str, Any]]]:
    """Everything that one environment is asked, in one go: starting an engine's imports takes longest."""
    asked = environments()[name]
    cases = commands(asked.engine, asked.version)
    given = {
        "commands": [{"words": case.words} for case in cases],
        "files": [{"words": case.words, "config": text} for case, text in config_files(asked)],
        "bench": [{"bench": words} for words in benches(asked)],
        "ray": [{"engine_kwargs": arguments} for arguments in ray_arguments(asked)],
        "wrong": [{"words": [*cases[0].words, "--frobnicate", "3"]}],
    }
    found = iter(ask(asked, [question for questions in given.values() for question in questions]))
    return {kind: [next(found) for _ in questions] for kind, questions in given.items()}


def config_files(environment: Environment) -> list[tuple[Case, str]]:
    """Commands that have a configuration file beside them."""
    if environment.engine != "vllm":
        return []
    cases = [c for c in commands("vllm", environment.version) if not c.follower and "vllm" in applicable(c.context)]
    files = [(case, render("vllm", case.context).get("config.yaml")) for case in cases]
    return [(case, text) for case, text in files if text]


def benches(environment: Environment) -> list[list[str]]:
    """Words of the engine's own load test, where its program is one that the environment has."""
    if environment.engine not in ("vllm", "sglang"):
        return []
    scripts = {render("bench", case.context)["bench.sh"] for case in commands(environment.engine, environment.version)}
    return [words for text in sorted(scripts) if (words := words_behind(text, ("bench serve", "sglang.bench_serving")))]


def words_behind(script: str, programs: tuple[str, ...]) -> list[str]:
    """The arguments of the one command of a script, with its URL filled in."""
    text = script.replace("\\\n", " ").replace('"$url"', "http://127.0.0.1:8000")
    for program in programs:
        if program in text:
            return shlex.split(text.partition(program)[2].strip())
    return []


def ray_arguments(environment: Environment) -> list[dict[str, Any]]:
    """What Ray Serve hands to vLLM's engine."""
    cases = [c for c in commands(environment.engine, environment.version) if "ray-serve" in applicable(c.context)]
    documents = [yaml.safe_load(render("ray-serve", c.context)["config.yaml"]) for c in cases if not c.follower]
    return [d["applications"][0]["args"]["llm_configs"][0]["engine_kwargs"] for d in documents]


@pytest.mark.parametrize("environment", ENGINES, ids=lambda e: e.name)
def test_the_engine_reads_its_load_test_and_what_ray_passes(environment: Environment) -> None:
    need(environment)
    for kind, what in (("bench", "load tests"), ("ray", "arguments of Ray's engine")):
        found = answers(environment.name)[kind]
        assert not [answer["error"] for answer in found if not answer["ok"]]
        if found:
            accepted(f"{environment.name} {kind}", len(found), what)


@pytest.mark.parametrize("environment", ENGINES, ids=lambda e: e.name)
def test_the_engine_reads_its_commands(environment: Environment) -> None:
    need(environment)
    cases, names = commands(environment.engine, environment.version), SAME[environment.engine]
    found = []
    for case, answer in zip(cases, answers(environment.name)["commands"], strict=True):
        said = parsed_as_planned(case, answer["values"], names) if answer["ok"] else [answer["error"], *case.words]
        found += [f"{case.name}: {' '.join(said)}"] if said else []
    assert not found
    accepted(environment.name, len(cases), f"commands of {environment.engine} {environment.version}")


@pytest.mark.parametrize("environment", ENGINES, ids=lambda e: e.name)
def test_the_engine_would_refuse_another_flag(environment: Environment) -> None:
    """The parser is awake: one word more, and it says no."""
    need(environment)
    assert not answers(environment.name)["wrong"][0]["ok"]


@pytest.mark.parametrize("environment", [e for e in ENGINES if e.engine == "vllm"], ids=lambda e: e.name)
def test_vllm_reads_its_config_files_as_it_reads_the_commands(environment: Environment) -> None:
    need(environment)
    by_words = dict(zip(commands("vllm", environment.version), answers(environment.name)["commands"], strict=True))
    files = config_files(environment)
    for (case, _), answer in zip(files, answers(environment.name)["files"], strict=True):
        assert answer["ok"], (case.name, answer)
        words = by_words[case]["values"]
        changed = {k for k, v in answer["values"].items() if words.get(k) != v} - {"config"}
        assert not changed - (OF_A_NODE if case.context.layout.multi_node else set()), (case.name, changed)
    if files:
        accepted(f"{environment.name} --config", len(files), "configuration files, same values as the commands")
