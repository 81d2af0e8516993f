"""What single models want of their engine: code of their own, files fetched at the start, flags for chats."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase

import pytest
import yaml

from planner.data import read_toml
from planner.export.bundle import render_bundle
from planner.export.command import bare_place, command_of
from planner.export.emit.words import literal
from planner.export.registry import render
from planner.export.target import Context
from tests.export.deployments import context, library, tables

K2, OSS, V32 = "moonshotai/Kimi-K2-Thinking", "openai/gpt-oss-120b", "deepseek-ai/DeepSeek-V3.2"
R1, INSTRUCT = "deepseek-ai/DeepSeek-R1", "moonshotai/Kimi-K2-Instruct"
ROWS = read_toml("export/models.toml")["models"]


def served(model: str, engine: str, version: str, weights: str = "fp8") -> Context:
    return context(tables(model, weights, "8xh200-sxm-141gb", (engine, version), tp=8, max_model_len=8192))


def words(exported: Context) -> list[str]:
    return [literal(word) for word in command_of(exported, bare_place(exported)).words]


@pytest.mark.parametrize(
    ("engine", "version", "flag"),
    [
        ("vllm", "0.33.0", "--trust-remote-code"),
        ("sglang", "0.5.16", "--trust-remote-code"),
        ("trtllm", "1.3.0", "--trust_remote_code"),
    ],
)
def test_code_of_the_checkpoint_is_run_where_it_must_be(engine: str, version: str, flag: str) -> None:
    kimi = served(K2, engine, version, "w4a16-int4")
    assert flag in words(kimi)
    assert "read the `*.py` files" in render_bundle(kimi, ["toml"], []).files["README.md"]
    assert flag not in words(served(R1, engine, version)), "nobody's code is run without need"


def test_every_way_to_start_says_so() -> None:
    kimi = served(K2, "vllm", "0.33.0", "w4a16-int4")
    for target, file in (("docker-compose", "compose.yaml"), ("kubernetes", "deployment.yaml"), ("bench", "bench.sh")):
        assert "--trust-remote-code" in render(target, kimi)[file], target
    assert "trust_remote_code: true" in render("ray-serve", kimi)["config.yaml"]


def test_a_vocabulary_is_looked_for_beside_the_weights() -> None:
    oss = served(OSS, "vllm", "0.33.0", "mxfp4")
    assert "TIKTOKEN_ENCODINGS_BASE=/models/gpt-oss-120b/harmony" in render("vllm", oss)["env"]
    assert 'TIKTOKEN_ENCODINGS_BASE: "/model/harmony"' in render("docker-compose", oss)["compose.yaml"]
    bundle = render_bundle(oss, ["vllm"], [])
    listed = json.loads(bundle.files["airgap.json"])["vocabulary"]
    assert [entry["fetch"].rsplit("/", 1)[-1] for entry in listed] == ["o200k_base.tiktoken", "cl100k_base.tiktoken"]
    assert "`/models/gpt-oss-120b/harmony`" in bundle.files["README.md"]
    other = render_bundle(served(R1, "vllm", "0.33.0"), ["vllm"], [])
    assert json.loads(other.files["airgap.json"])["vocabulary"] == []
    assert "TIKTOKEN" not in "".join(other.files.values())


def test_a_chat_template_that_the_checkpoint_lacks() -> None:
    now = words(served(V32, "vllm", "0.33.0"))
    assert now[now.index("--tokenizer-mode") + 1] == "deepseek_v32"
    assert "--tokenizer-mode" not in words(served(V32, "vllm", "0.11.0")), "a mode that this release does not have"
    assert "--tokenizer-mode" not in words(served(R1, "vllm", "0.33.0"))


@pytest.mark.parametrize(
    ("model", "engine", "flags"),
    [
        (R1, "vllm", "--reasoning-parser deepseek_r1"),
        (K2, "sglang", "--reasoning-parser kimi_k2 --tool-call-parser kimi_k2"),
        (INSTRUCT, "vllm", "--enable-auto-tool-choice --tool-call-parser kimi_k2"),
        ("Qwen/Qwen3-32B", "trtllm", ""),
        ("Qwen/Qwen3-235B-A22B-Instruct-2507", "vllm", "--enable-auto-tool-choice --tool-call-parser hermes"),
        ("zai-org/GLM-4.6", "vllm", "--reasoning-parser glm45 --enable-auto-tool-choice --tool-call-parser glm45"),
    ],
)
def test_flags_for_chats_stand_in_the_readme(model: str, engine: str, flags: str) -> None:
    version = {"vllm": "0.33.0", "sglang": "0.5.16", "trtllm": "1.3.0"}[engine]
    exported = context(tables(model, "bf16", "8xh200-sxm-141gb", (engine, version), tp=8, max_model_len=8192))
    assert exported.habits.chat == flags
    assert ("## Chats" in render_bundle(exported, ["toml"], []).files["README.md"]) == bool(flags)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: ",".join(row.get("types", row.get("ids", ())))[:40])
def test_rows_have_a_source_and_patterns_meet_a_model(row: dict[str, list[str]]) -> None:
    known = [model.id.lower() for model in library().catalogue.models()]
    assert row["source"]
    for pattern in row.get("ids", ()):
        assert any(fnmatchcase(name, pattern.lower()) for name in known), pattern


@pytest.mark.parametrize(
    ("hardware", "weights", "version", "backend"),
    [
        ("8xb200-sxm", "fp8", "1.3.0", "DEEPGEMM"),
        ("8xb200-sxm", "nvfp4", "1.3.0", None),
        ("8xh200-sxm-141gb", "fp8", "1.3.0", None),
        ("8xb200-sxm", "fp8", "0.20.0", None),  # no such key yet
    ],
)
def test_kernels_of_experts_that_have_to_be_named(
    hardware: str, weights: str, version: str, backend: str | None
) -> None:
    exported = context(tables(R1, weights, hardware, ("trtllm", version), tp=8, max_model_len=8192))
    extra = yaml.safe_load(render("trtllm", exported)["extra.yaml"])
    assert extra.get("moe_config", {}).get("backend") == backend


def test_a_program_of_the_machine_has_to_be_there() -> None:
    r1 = served(R1, "vllm", "0.33.0")
    unit = render_bundle(r1, ["systemd"], []).files["README.md"]
    assert "vllm 0.33.0 on the `PATH`" in unit and "`PATH=…`" in unit
    assert "`PATH`" not in render_bundle(r1, ["bench"], []).files["README.md"]


def test_experts_in_gguf_lie_apart_from_the_checkpoint() -> None:
    """kt-kernel README: --model is the published checkpoint, --kt-weight-path the folder of the GGUF."""
    document = tables(
        R1, "gguf:Q4_K_M", "1xrtx-4090", ("ktransformers", "0.5.0"), max_model_len=8192, experts_on_cpu=True
    )
    document["model"]["checkpoint"] = "unsloth/DeepSeek-R1-GGUF"
    exported = context(document)
    said = words(exported)
    assert said[said.index("--model-path") + 1] == "/models/DeepSeek-R1"
    assert said[said.index("--kt-weight-path") + 1] == "/models/DeepSeek-R1-GGUF"
    assert "Two sets of files" in render_bundle(exported, ["ktransformers"], []).files["README.md"]


@pytest.mark.parametrize(
    ("hardware", "sockets", "spread"), [("cpu", 2, True), ("cpu", 1, False), ("1xrtx-4090", 2, False)]
)
@pytest.mark.parametrize("engine", [("llama.cpp", "b11549"), ("ik_llama.cpp", "b4500")])
def test_weights_in_the_memory_of_two_sockets(
    hardware: str, sockets: int, spread: bool, engine: tuple[str, str]
) -> None:
    document = tables("Qwen/Qwen3-8B", "gguf:Q4_K_M", hardware, engine, max_model_len=8192)
    document["hardware"]["host"] = {"cpu": "EPYC 9654", "sockets": sockets, "ram_bytes": 2**39}
    exported = context(document)
    said = words(exported)
    assert not [f for f in exported.findings if "numa" in f.message]
    assert ("--numa" in said) == spread
    assert not spread or said[said.index("--numa") + 1] == "distribute"
