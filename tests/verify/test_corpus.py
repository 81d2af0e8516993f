"""Real excerpts of many engines and versions: every printed figure comes back."""

from __future__ import annotations

import random
import re
import tomllib
from pathlib import Path

import pytest

from planner.units import GIB, MIB
from planner.verify.actual import Actual, actual_of
from planner.verify.lines import log_lines
from planner.verify.log import read_log

FOLDER = Path(__file__).parents[1] / "fixtures" / "logs"
LOGS = tomllib.loads((FOLDER / "expected.toml").read_text(encoding="utf-8"))["logs"]
UNITS = {"gib": GIB, "mib": MIB, "bytes": 1}
SAID = ("file", "source", "engine", "version", "devices", "texts")
IDS = [log["file"].removesuffix(".log") for log in LOGS]


def read(text: str) -> Actual:
    return actual_of(read_log(log_lines(text)))


def text_of(log: dict) -> str:
    return (FOLDER / log["file"]).read_text(encoding="utf-8")


def expected(log: dict) -> dict[str, float]:
    """Field → base units."""
    found = {}
    for key, value in log.items():
        if key in SAID:
            continue
        name, _, unit = key.rpartition("_")
        found[name if unit in UNITS else key] = value * UNITS.get(unit, 1)
    return found


def check(actual: Actual, log: dict) -> None:
    assert actual.engine == log["engine"]
    assert actual.version == log.get("version")
    for name, value in expected(log).items():
        assert actual.value(name) == pytest.approx(value, rel=1e-6), name
    for name, value in log.get("texts", {}).items():
        assert actual.texts[name] == value
    devices = {device.device: device for device in actual.devices}
    for name, parts in log.get("devices", {}).items():
        for key, value in parts.items():
            part, _, unit = key.rpartition("_")
            assert getattr(devices[name], part).value == pytest.approx(value * UNITS[unit], rel=1e-6), (name, part)


@pytest.mark.parametrize("log", LOGS, ids=IDS)
def test_every_printed_figure_comes_back(log):
    check(read(text_of(log)), log)


def test_the_corpus_is_wide_and_every_excerpt_has_a_source():
    assert len(LOGS) >= 30
    assert all(log["source"] for log in LOGS)
    assert {log["file"] for log in LOGS} == {path.name for path in FOLDER.glob("*.log")}
    assert {log["engine"] for log in LOGS} == {"vllm", "sglang", "trtllm", "llama.cpp", "ollama"}
    assert sum(log["engine"] == "vllm" for log in LOGS) >= 12


@pytest.mark.parametrize("log", LOGS, ids=IDS)
def test_colours_carriage_returns_and_a_container_prefix_change_nothing(log):
    lines = text_of(log).splitlines()
    coloured = [f"app-1  | \x1b[1;32m{line[:7]}\x1b[0m{line[7:]}\x1b[K" for line in lines]
    check(read("\r\n".join(coloured)), log)


@pytest.mark.parametrize("log", LOGS, ids=IDS)
def test_every_truncation_reads_what_is_left(log):
    text, whole = text_of(log), expected(log)
    for share in (0.2, 0.5, 0.9):
        actual = read(text[: int(len(text) * share)])
        for name in set(whole) & set(actual.figures) - {"kv_tokens", "kv_cache", "max_concurrency", "activations"}:
            found = actual.value(name)
            assert found is not None
            assert found <= whole[name] * 1.000001 or name in ("cuda_graphs", "free")


def test_the_same_log_twice_is_a_restart_and_the_last_one_counts():
    start = "INFO [core.py:93] Initializing a V1 LLM engine (v0.19.0) with config: model='m', max_seq_len=1024\n"
    first = (
        start + "INFO Model loading took 9.00 GiB memory and 3.2 seconds\nINFO Available KV cache memory: 1.00 GiB\n"
    )
    second = (
        start + "INFO Model loading took 8.00 GiB memory and 3.2 seconds\nINFO Available KV cache memory: 2.00 GiB\n"
    )
    actual = read(first + second)
    assert actual.starts == 2
    assert actual.value("weights") == 8 * GIB
    assert actual.value("kv_cache") == 2 * GIB
    assert actual.version == "0.19.0"


def test_interleaved_workers_give_the_worst_rank_whatever_their_order():
    lines = [
        f"(Worker_TP{rank} pid={100 + rank}) INFO 08-14 14:07:2{rank % 10} [gpu_model_runner.py:1] {said}"
        for rank in range(8)
        for said in (
            f"Model loading took {10 + rank / 100:.2f} GiB memory and 3.0 seconds",
            f"Available KV cache memory: {20 - rank / 10:.2f} GiB",
        )
    ]
    for seed in range(5):
        random.Random(seed).shuffle(lines)
        actual = read("\n".join(lines))
        assert actual.workers == 8
        assert actual.value("weights") == pytest.approx(10.07 * GIB)
        assert actual.value("kv_cache") == pytest.approx(19.3 * GIB)


def test_two_workers_on_one_line_are_both_read():
    text = (
        "Capturing: 97%| 65/67 [00:15<00:00](Worker_TP2 pid=2) INFO Graph capturing finished in 38 secs, took 1.64 GiB"
        "(Worker_TP1 pid=1) INFO Graph capturing finished in 38 secs, took 1.65 GiB\n"
    )
    assert read(text).value("cuda_graphs") == pytest.approx(1.65 * GIB)


def test_a_draft_model_of_llama_cpp_does_not_stand_for_the_model():
    def load(size: float) -> str:
        return (
            "llama_model_loader: loaded meta data with 30 key-value pairs and 300 tensors from m.gguf\n"
            f"load_tensors:        CUDA0 model buffer size =  {size:.2f} MiB\n"
            f"llama_kv_cache:      CUDA0 KV buffer size =  {size / 10:.2f} MiB\n"
        )

    actual = read(load(9000) + load(500))
    assert actual.devices[0].weights.value == 9000 * MIB
    assert actual.devices[0].kv_cache.value == 900 * MIB


def test_caches_of_two_kinds_and_mapped_files_add_up_and_reserved_twice_does_not():
    actual = read(
        "load_tensors:   CPU_Mapped model buffer size =   100.00 MiB\n"
        "load_tensors:   CPU_Mapped model buffer size =   200.00 MiB\n"
        "load_tensors:          CPU model buffer size =     1.00 MiB\n"
        "llama_kv_cache:        CPU KV buffer size =    10.00 MiB\n"
        "llama_kv_cache:        CPU KV buffer size =     5.00 MiB\n"
        "sched_reserve:        CPU compute buffer size =    30.00 MiB\n"
        "sched_reserve:        CPU compute buffer size =    40.00 MiB\n"
    )
    (cpu,) = actual.devices
    assert cpu.weights.value == 301 * MIB
    assert cpu.kv_cache.value == 15 * MIB
    assert cpu.compute.value == 40 * MIB


@pytest.mark.parametrize("log", [log for log in LOGS if "workers" not in log["file"]], ids=lambda log: log["file"])
def test_other_programs_between_the_lines_change_nothing(log):
    """A load balancer, a sidecar and systemd write into the same journal."""
    strangers = (
        '10.1.2.3 - - [28/Nov/2026:10:00:00 +0000] "GET /health HTTP/1.1" 200 2',
        'level=info ts=2026-11-28T10:00:00Z caller=main.go:12 msg="Model loading took forever"',
        "Nov 28 10:00:00 node1 kernel: nvidia-nvlink: Nvlink Core is being initialized",
        "\x00\ufffd\x1b[2J",
    )
    lines = text_of(log).splitlines()
    mixed = [line for i, own in enumerate(lines) for line in (strangers[i % len(strangers)], own)]
    check(read("\n".join(mixed)), log)


def test_at_least_twelve_releases_of_vllm_and_both_generations():
    releases = {re.match(r"vllm-(\d+\.\d+)", log["file"])[1] for log in LOGS if re.match(r"vllm-\d+\.\d", log["file"])}
    assert len(releases) >= 12 and {"0.6", "0.33"} <= releases
