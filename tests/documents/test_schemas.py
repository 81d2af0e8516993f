"""The committed JSON Schemas are those of the code, and valid as schemas."""

from __future__ import annotations

import json

import jsonschema
import pytest

from planner.data import read_text
from planner.schemas import NAMES, schema_text


@pytest.mark.parametrize("name", NAMES)
def test_committed_schema_is_current(name: str) -> None:
    committed = read_text(f"documents/json_schemas/{name}.schema.json")
    assert committed == schema_text(name), "run python -m planner.schemas"
    jsonschema.Draft202012Validator.check_schema(json.loads(committed))
