"""The committed JSON Schemas are those of the code, and valid as schemas."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from planner.cli.main import main
from planner.data import read_text
from planner.schemas import NAMES, schema_text


@pytest.mark.parametrize("name", NAMES)
def test_committed_schema_is_current(name: str) -> None:
    committed = read_text(f"documents/json_schemas/{name}.schema.json")
    assert committed == schema_text(name), "run python -m planner.schemas"
    jsonschema.Draft202012Validator.check_schema(json.loads(committed))


@pytest.mark.parametrize(
    ("name", "argv"),
    [
        ("preflight", ["doctor", "{deployment}", "--json"]),
        ("verification", ["verify", "{deployment}", "--log", "{log}", "--json"]),
        ("explanation", ["explain", "{log}", "--json"]),
        ("explanation", ["explain", "{log}", "--deployment", "{deployment}", "--json"]),
    ],
)
def test_answers_keep_to_the_schema_that_they_name(
    name: str, argv: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, deployment = tmp_path / "engine.log", tmp_path / "deployment.toml"
    log.write_text("Model loading took 15.3 GiB and 9 seconds\nValueError: No available memory for the cache blocks.\n")
    deployment.write_text('[model]\nid = "qwen3-8b"\n[hardware]\naccelerator = "rtx-4090"\n[engine]\nname = "vllm"\n')
    main([word.format(deployment=deployment, log=log) for word in argv])
    answer = json.loads(capsys.readouterr().out)
    assert answer["schema"] == f"deploy-planner/{name}/1"
    jsonschema.validate(answer, json.loads(read_text(f"documents/json_schemas/{name}.schema.json")))
