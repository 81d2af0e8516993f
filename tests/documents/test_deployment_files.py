"""Deployment documents on disk: read back identical, refused with every reason, written whole or not at all."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.documents.files import (
    deployment_hash,
    deployment_toml,
    parse_deployment,
    read_deployment,
    write_whole,
)
from planner.errors import BadDocument, BadInput

FULL = {
    "schema": "deploy-planner/deployment/1",
    "model": {"id": "deepseek-ai/DeepSeek-R1", "weights": "fp8", "path": "/models/Deep Seek $(rm)"},
    "hardware": {"accelerator": "h200-sxm-141gb", "per_node": 8, "nodes": 1, "host": {"ram_bytes": 2e12}},
    "engine": {"name": "vllm", "version": "0.19.0"},
    "serving": {"tp": 8, "ep": 8, "max_model_len": 32768, "gpu_memory_utilization": 0.9},
    "workload": {"isl": 1024, "osl": 512, "concurrency": 64, "service_level": {"ttft_s": 2.0, "tpot_s": 0.05}},
}


def write(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "deploy.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_reads_back_the_identical_object(tmp_path: Path) -> None:
    deployment = parse_deployment(FULL, "test")
    path = write(tmp_path, deployment_toml(deployment))
    again = read_deployment(path)
    assert again == deployment
    assert deployment_hash(again) == deployment_hash(deployment)
    assert deployment_toml(again) == deployment_toml(deployment)


@given(
    st.text(min_size=1, max_size=80).filter(lambda s: s.isprintable()),
    st.integers(1, 10**6),
    st.floats(0.01, 1.0),
    st.floats(0, 1e12),
)
def test_any_text_and_number_survives(name: str, tp: int, share: float, isl: float) -> None:
    import tomllib

    deployment = parse_deployment(
        {
            "model": {"id": name, "path": name},
            "serving": {"tp": tp, "gpu_memory_utilization": share},
            "workload": {"isl": isl},
        },
        "test",
    )
    assert parse_deployment(tomllib.loads(deployment_toml(deployment)), "x") == deployment


def test_the_hash_changes_with_any_figure_but_not_with_the_provenance() -> None:
    deployment = parse_deployment(FULL, "test")
    other = parse_deployment({**FULL, "serving": {**FULL["serving"], "tp": 4}}, "test")
    stamped = parse_deployment({**FULL, "provenance": {"planner": "9"}}, "test")
    assert deployment_hash(deployment) != deployment_hash(other)
    assert deployment_hash(deployment) == deployment_hash(stamped)


def test_every_problem_is_listed_with_its_key_and_the_nearest_name() -> None:
    with pytest.raises(BadDocument) as caught:
        parse_deployment(
            {"model": {"id": "x"}, "serving": {"tpp": 8, "pp": "two"}, "workload": {"isl": math.nan}}, "deploy.toml"
        )
    text = "\n".join(map(str, caught.value.problems))
    assert "deploy.toml: serving.tpp: unknown key 'tpp' — did you mean 'tp'" in text
    assert "serving.pp" in text
    assert "workload.isl" in text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "model = 3",
        "[model]\nid = 'x'\n[serving]\ntp = 0",
        "[model]\nid = 'x'\n[serving]\ntp = " + "9" * 200,
        "[model]\nid = 'x'\n[serving]\ngpu_memory_utilization = nan",
        "[model]\nid = 'x'\n[serving]\ngpu_memory_utilization = inf",
        "[model]\nid = 'x'\n[serving]\nmax_model_len = -1",
        "[model\nid = 'x'",
        "[model]\nid = ''",
        "schema = 'deploy-planner/deployment/2'\n[model]\nid='x'",
        b"\xff\xfe\x00\x01",
        "[a]\n" * 3,
        "x = " + "[" * 5000,
    ],
)
def test_bad_documents_are_refused_by_one_typed_error(tmp_path: Path, text: str | bytes) -> None:
    with pytest.raises(BadInput) as caught:
        read_deployment(write(tmp_path, text))
    assert all(problem.where and problem.message for problem in caught.value.problems)


def test_missing_files_directories_and_endless_files_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path, Path("a\0b"), Path("/dev/zero")):
        with pytest.raises(BadInput):
            read_deployment(path)


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    path = tmp_path / "from-notepad.toml"
    path.write_bytes(b"\xef\xbb\xbf[model]\r\nid = 'qwen3-8b'\r\n")
    assert read_deployment(path).model.id == "qwen3-8b"


def test_a_file_is_never_overwritten_without_saying_so(tmp_path: Path) -> None:
    path = tmp_path / "deployment.toml"
    write_whole(path, "one")
    with pytest.raises(BadInput, match="exists already"):
        write_whole(path, "two")
    assert path.read_text() == "one"
    write_whole(path, "two", overwrite=True)
    assert path.read_text() == "two"
    assert [p.name for p in tmp_path.iterdir()] == ["deployment.toml"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "deployment.toml"
    write_whole(path, "old")

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(BadInput, match="No space"):
        write_whole(path, "new", overwrite=True)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["deployment.toml"]
