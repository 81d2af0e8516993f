"""Whatever is wrong with the input: one clear line on stderr, exit 2, nothing on stdout, no traceback."""

from __future__ import annotations

import json
import struct
import time
from pathlib import Path

import pytest

from planner.cli.main import main


def refused(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err and "internal error" not in err
    assert err.startswith("deploy-planner: ") and len(err) < 4000
    return err


HEADER = struct.Struct("<4sIQQ")

GGUF_FILES = {
    "truncated": b"GGUF\x03\x00",
    "wrong-magic": b"GGML" + bytes(64),
    "huge-counts": HEADER.pack(b"GGUF", 3, 2**62, 2**62),
    "huge-string": HEADER.pack(b"GGUF", 3, 0, 1) + struct.pack("<Q", 2**63 - 1) + b"general",
    "empty": b"",
}


@pytest.mark.parametrize("content", GGUF_FILES.values(), ids=GGUF_FILES.keys())
def test_broken_gguf(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    assert "model.gguf" in refused(capsys, "plan", "--hardware", "rtx-4090", "--model", str(path), "--json")


@pytest.mark.parametrize("length", [2**63, 2**40, 10**9, 10], ids=str)
def test_lying_safetensors_header(tmp_path: Path, capsys: pytest.CaptureFixture[str], length: int) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    (tmp_path / "model.safetensors").write_bytes(struct.pack("<Q", length) + b"{}")
    refused(capsys, "plan", "--hardware", "rtx-4090", "--model", str(tmp_path), "--json")


@pytest.mark.parametrize(
    "config",
    [
        "{",
        "[]",
        "{}",
        '{"a": ' * 3000,
        '{"_class_name": "UNet2DConditionModel", "sample_size": 64}',
        '{"model_type": "llama", "hidden_size": ' + "9" * 200 + "}",
        '{"model_type": "llama", "hidden_size": NaN, "num_hidden_layers": 2}',
        '{"model_type": "llama", "hidden_size": -1, "num_hidden_layers": 2, "num_attention_heads": 1, "vocab_size": 1}',
        '{"model_type": "llama", "hidden_size": 64, "num_hidden_layers": 1e12, "num_attention_heads": 1}',
    ],
    ids=range(9),
)
def test_config_of_another_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str], config: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(config)
    refused(capsys, "plan", "--hardware", "rtx-4090", "--model", str(path), "--json")


def test_directory_without_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "config.json" in refused(capsys, "plan", "--hardware", "rtx-4090", "--model", str(tmp_path))


@pytest.mark.parametrize("name", ["../../etc/passwd", "; rm -rf /", "$(reboot)", "a\nb", "x" * 5000, "-", ""])
def test_hostile_model_names_are_data(capsys: pytest.CaptureFixture[str], name: str) -> None:
    refused(capsys, "plan", "--hardware", "rtx-4090", f"--model={name}")


@pytest.mark.parametrize("spec", ["0xH100", "-1xH200", "9" * 200 + "xH100", "8xNoSuchCard", "8x", "x", "nanxH100"])
def test_hostile_hardware(capsys: pytest.CaptureFixture[str], spec: str) -> None:
    refused(capsys, "plan", f"--hardware={spec}", "--model", "deepseek-r1")


def test_missing_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert "none.toml" in refused(capsys, "estimate", "none.toml")
    refused(capsys, "estimate", "--jsonl", "none.jsonl")
    refused(capsys, "detect", "--from", "none.xml")
    refused(capsys, "export", "none.toml")


def test_one_bad_line_is_one_error_object_and_the_rest_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = {
        "id": "good",
        "model": {"id": "deepseek-ai/DeepSeek-R1"},
        "hardware": {"accelerator": "h200", "per_node": 8},
    }
    lines = [
        json.dumps(good),
        "{not json",
        '{"id": "n", "model": {"id": "x"}, "workload": {"isl": NaN}}',
        '{"id": "deep", "model": ' + "[" * 100_000 + "}",
        json.dumps({"id": "card", "deployment": {**good, "hardware": {"accelerator": "nope"}}}),
        "[]",
        "3",
        json.dumps({**good, "serving": {"max_model_len": 10**12, "tp": 8}, "id": "long"}),
        json.dumps({**good, "id": "last"}),
    ]
    path = tmp_path / "lines.jsonl"
    path.write_text("\n".join(lines) + "\n")
    assert main(["estimate", "--jsonl", str(path)]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(answers) == len(lines)
    assert [("error" in a) for a in answers] == [False, True, True, True, True, True, True, False, False]
    assert answers[4]["id"] == "card" and answers[-1]["id"] == "last"
    assert answers[-2]["verdict"] in ("does-not-fit", "illegal")


@pytest.mark.parametrize("layout", ["tp", "attention_dp", "pp", "dp", "ep", "dcp"])
def test_a_million_ranks_are_refused_at_once(layout: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "deployment.json"
    table = {
        "model": {"id": "meta-llama/Llama-3.1-8B-Instruct", "weights": "bf16"},
        "hardware": {"accelerator": "h100-sxm-80gb", "per_node": 8, "nodes": 1},
        "serving": {layout: 1_000_000},
    }
    path.write_text(json.dumps(table))
    begun = time.monotonic()
    assert main(["estimate", str(path), "--json"]) == 3
    answer = json.loads(capsys.readouterr().out)
    assert answer["verdict"] == "illegal" and all(p["fix"] for p in answer["problems"] if p["severity"] == "error")
    assert time.monotonic() - begun < 15, "a layout that does fit is looked for among those that could"
