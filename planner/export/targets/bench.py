"""The load test that reproduces the workload, and the figures it should come near."""

from __future__ import annotations

import json
from typing import Any

from planner.documents.encode import to_plain
from planner.engines.version import in_range
from planner.export.container import port_of
from planner.export.emit.shell import script, shell_command
from planner.export.emit.words import Word
from planner.export.target import Context, Target

TARGET = Target(
    name="bench",
    about="load test of the workload with the engine's own client, and the figures to expect",
    starts=False,
    main="bench.sh",
)
_ROUNDS = 8
"""Requests for each one in flight: enough that start and end weigh little."""
_MOST_PROMPTS = 20_000
_FIGURES = ("ttft_s", "tpot_s", "output_tok_s", "total_tok_s", "request_s", "decode_tok_s", "prefill_tok_s")


def render(context: Context) -> dict[str, str]:
    """``bench.sh`` and ``expect.json``."""
    words = _CLIENTS.get(context.resolved.engine.family, _aiperf)(context)
    say = "measured figures stand beside the predicted ones of expect.json"
    lines = ["url=${1:-" + _url(context) + "}", "", *words]
    return {"bench.sh": script(*lines, comment=say), "expect.json": _expect(context)}


def _url(context: Context) -> str:
    return f"http://127.0.0.1:{port_of(context, 0)}"


def _expect(context: Context) -> str:
    performance = context.estimate.performance
    figures = {name: getattr(performance, name) for name in _FIGURES} if performance else {}
    known = {name: to_plain(value) for name, value in figures.items() if value is not None}
    document = {
        "schema": "deploy-planner/expect/1",
        "workload": to_plain(context.resolved.workload),
        "performance": known,
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _load(context: Context) -> tuple[int, int, int, float | None]:
    """Input tokens, output tokens, requests in flight, arrivals a second."""
    load, serving = context.resolved.workload, context.resolved.serving
    flight = load.concurrency or (serving.max_num_seqs * serving.attention_dp if load.saturated else None)
    if flight is None:
        flight = max(1.0, (load.request_rate or 1.0) * 30)
    return max(1, round(load.isl + load.context)), max(1, round(load.osl)), max(1, round(flight)), load.request_rate


def _prompts(in_flight: int) -> int:
    return min(_MOST_PROMPTS, max(32, in_flight * _ROUNDS))


def _random(context: Context) -> list[Word]:
    """Words that vLLM's and SGLang's clients share."""
    isl, osl, flight, rate = _load(context)
    words: list[Word] = ["--dataset-name", "random", "--num-prompts", str(_prompts(flight))]
    words += ["--random-input-len", str(isl), "--random-output-len", str(osl), "--max-concurrency", str(flight)]
    return words + (["--request-rate", f"{rate:g}"] if rate else [])


def _vllm(context: Context) -> list[str]:
    """``vllm bench serve`` since 0.9.2; before, the script of the repository."""
    release = context.resolved.engine.release
    new = release is None or in_range(release, ">=0.9.2")
    program = ("vllm", "bench", "serve") if new else ("python3", "benchmarks/benchmark_serving.py")
    location = context.location
    words: list[Word] = ["--backend", "vllm", "--model", location.served_name, "--tokenizer", location.path]
    words += ["--trust-remote-code"] if context.habits.remote_code else []
    words += [*_random(context), "--ignore-eos", "--percentile-metrics", "ttft,tpot,itl,e2el"]
    return [shell_command(words, program=program, suffix='--base-url "$url"')]


def _sglang(context: Context) -> list[str]:
    location = context.location
    words: list[Word] = [
        "--backend",
        "sglang",
        "--model",
        location.path,
        "--random-range-ratio",
        "1.0",
        *_random(context),
    ]
    return [shell_command(words, program=("python3", "-m", "sglang.bench_serving"), suffix='--base-url "$url"')]


def _llamacpp(context: Context) -> list[str]:
    """llama-bench measures one request without a server; then the server under load."""
    serving = context.resolved.serving
    isl, osl, _, _ = _load(context)
    words: list[Word] = ["-m", context.location.path, "-p", str(isl), "-n", str(osl)]
    words += ["-b", str(serving.max_num_batched_tokens), "-ub", str(serving.ubatch)]
    words += ["-fa", "1" if serving.flash_attention else "0"]
    return ["# one request, without the server", shell_command(words, program=("llama-bench",)), "", *_aiperf(context)]


def _aiperf(context: Context) -> list[str]:
    """Any server that speaks OpenAI's protocol."""
    isl, osl, flight, rate = _load(context)
    location = context.location
    words: list[Word] = ["--model", location.served_name, "--tokenizer", _tokenizer(context), "--endpoint-type", "chat"]
    words += ["--streaming", "--synthetic-input-tokens-mean", str(isl), "--output-tokens-mean", str(osl)]
    words += ["--concurrency", str(flight), "--request-count", str(_prompts(flight))]
    words += ["--request-rate", f"{rate:g}"] if rate else []
    words += ["--extra-inputs", "ignore_eos:true"]
    return [shell_command(words, program=("aiperf", "profile"), suffix='--url "$url"')]


def _tokenizer(context: Context) -> str:
    """A GGUF file holds no tokenizer that clients read: the published model's."""
    return context.location.repository if context.location.is_file else context.location.path


_CLIENTS: dict[str, Any] = {"vllm": _vllm, "sglang": _sglang, "ktransformers": _sglang, "llama.cpp": _llamacpp}
