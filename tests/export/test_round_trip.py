"""The flags of an exported command, read back, are the deployment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from planner.errors import BadInput
from planner.export.command import bare_place, command_of
from planner.export.emit.words import literal
from planner.export.pinned import pinned_serving
from planner.export.read_back import ReadBack, read_back
from planner.export.registry import render
from planner.export.target import Context
from tests.export.deployments import DENSE, R1, SHAPES, SMALL, context, shape, tables
from tests.export.examples import DOCUMENTS, ENDS, PLANS, contexts

FLAGGED = [
    n for n, t in SHAPES.items() if t["engine"]["name"] in ("vllm", "vllm-ascend", "vllm-gaudi", "sglang", "llama.cpp")
]


def words_of(context: Context) -> list[str]:
    return [literal(word) for word in command_of(context, bare_place(context)).words]


def read(context: Context, words: list[str]) -> ReadBack:
    return read_back(words, context.resolved.engine, experts=context.resolved.architecture.has_experts)


@pytest.mark.parametrize("name", FLAGGED)
def test_command_says_the_deployment(name: str) -> None:
    exported = shape(name)
    back = read(exported, words_of(exported))
    assert back.serving == pinned_serving(exported)
    assert back.model == exported.location.path
    assert back.served_name == exported.location.served_name
    assert not back.unknown


@pytest.mark.parametrize("name", [n for n in FLAGGED if "vllm" in SHAPES[n]["engine"]["name"] and n != "vllm-oldest"])
def test_config_file_says_the_same_as_the_command(name: str) -> None:
    exported = shape(name)
    config = yaml.safe_load(render("vllm", exported)["config.yaml"])
    words = [exported.location.path]
    for key, value in config.items():
        words += [f"--{key}"] if value is True else [f"--{key}", str(value)]
    assert read(exported, words).serving == pinned_serving(exported)


def shapes_of(engine: str, versions: tuple[str, ...], **serving: Any) -> list[tuple[dict[str, Any], str]]:
    model = SMALL if "ep" in serving or "attention_dp" in serving else DENSE
    weights, hardware = ("gguf:Q4_K_M", "2xrtx-4090") if engine == "llama.cpp" else ("bf16", "8xh200-sxm-141gb")
    return [
        (tables(model, weights, hardware, (engine, v), **serving), f"{engine}-{v}-{'-'.join(serving)}")
        for v in versions
    ]


CASES = [
    *shapes_of("vllm", ("0.8.5", "0.10.0", "0.12.0", "0.33.0"), tp=2, attention_dp=4, ep=8, max_model_len=4096),
    *shapes_of("vllm", ("0.6.0", "0.9.0", "0.33.0"), tp=4, pp=2, gpu_memory_utilization=0.8571, max_num_seqs=7),
    *shapes_of("vllm", ("0.11.0", "0.20.0"), tp=1, cpu_offload_bytes=1.5 * 2**30, kv_cache_dtype="fp8_e5m2"),
    *shapes_of("vllm", ("0.7.3",), speculative={"method": "draft", "tokens": 4, "draft": "/models/draft -x"}),
    *shapes_of("sglang", ("0.4.7", "0.5.1", "0.5.16"), tp=1, attention_dp=8, ep=8, max_model_len=4096),
    *shapes_of("sglang", ("0.5.16",), tp=2, dp=4, cpu_offload_bytes=1.5 * 2**30, enforce_eager=True),
    *shapes_of("sglang", ("0.5.4",), tp=2, pp=2, speculative={"method": "ngram", "tokens": 5}),
    *shapes_of(
        "llama.cpp", ("b4500", "b6400", "b10400"), n_gpu_layers=12, flash_attention=False, ubatch=256, parallel=3
    ),
    *shapes_of("vllm", ("0.7.3", "0.12.0", "0.33.0"), tp=4, kv_offload_bytes=8.0 * 2**30, prefix_caching=False),
    *shapes_of("vllm", ("0.20.0",), tp=2, pp=2, kv_offload_bytes=2.5 * 2**30, prefix_caching=True, dcp=1),
    *shapes_of("sglang", ("0.5.16",), tp=4, kv_offload_bytes=8.5 * 10**9, prefix_caching=False),
    *shapes_of("llama.cpp", ("b10400",), speculative={"method": "draft_model", "tokens": 8, "draft": "/d.gguf"}),
]


@pytest.mark.parametrize(("document", "name"), CASES, ids=[name for _, name in CASES])
def test_more_settings_survive(document: dict[str, Any], name: str) -> None:
    exported = context(document)
    back = read(exported, words_of(exported))
    assert not exported.findings or all(f.severity == "warning" for f in exported.findings)
    assert back.serving == pinned_serving(exported)
    assert not back.unknown


def test_each_flag_matters() -> None:
    """A command with one flag changed is another deployment: the comparison can fail."""
    exported = shape("vllm-r1")
    words = words_of(exported)
    for i, word in enumerate(words):
        if word in ("8", "32768", "fp8"):
            changed = [*words[:i], "4" if word != "fp8" else "auto", *words[i + 1 :]]
            assert read(exported, changed).serving != pinned_serving(exported)


def test_commands_of_others_are_read() -> None:
    """Short names, = and unknown flags, as people write them."""
    words = ["vllm", "serve", "/m", "-tp=8", "-pp", "2", "--max-model-len=4096", "--enforce-eager", "--frobnicate", "3"]
    back = read(shape("vllm-r1"), words)
    assert (back.serving.tp, back.serving.pp, back.serving.max_model_len, back.serving.enforce_eager) == (
        8,
        2,
        4096,
        True,
    )
    assert back.unknown == ("--frobnicate", "3")


@pytest.mark.parametrize(
    "words",
    [["--max-model-len"], ["--max-model-len", "many"], ["--speculative-config", "{"], ["--speculative-config", "[1]"],
     ["-tp", "9" * 5000], ["-tp", "0"], ["-tp", "-3"],
     ["--gpu-memory-utilization", "nan"], ["--max-model-len", "9" * 300],
     ["--speculative-config", "[" * 100_000], ["x"] * 20_000],
)  # fmt: skip
def test_broken_commands_are_bad_input(words: list[str]) -> None:
    with pytest.raises(BadInput):
        read(shape("vllm-r1"), ["/m", *words])


def test_dash_values_stay_values() -> None:
    exported = context(tables(R1, "fp8", "8xh200-sxm-141gb", ("vllm", "0.19.0"), tp=8), served_name="--help")
    assert "--served-model-name=--help" in words_of(exported)
    assert read(exported, words_of(exported)).served_name == "--help"


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("example", [*PLANS, *DOCUMENTS], ids=lambda p: p.stem)
def test_every_answer_of_every_example_survives(example: Path, end: str) -> None:
    """At both ends of its engine; what a release cannot be told is an error and may be lost."""
    for exported in contexts(example, end):
        flagged = exported.resolved.engine.name in ("vllm", "sglang", "llama.cpp")
        if flagged and not any(f.severity == "error" for f in exported.findings):
            back = read(exported, words_of(exported))
            assert back.serving == pinned_serving(exported) and not back.unknown
