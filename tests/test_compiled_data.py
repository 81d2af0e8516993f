"""The parsed copy of the TOML tables is current, and a stale copy is never used."""

from __future__ import annotations

import json
import tomllib

import pytest

from planner import data
from planner.compile_data import ROOT, compiled_text


def test_the_committed_copy_is_current() -> None:
    assert data.read_text(data.COMPILED) == compiled_text(), "run python -m planner.compile_data"


def test_it_holds_exactly_what_the_toml_says() -> None:
    for name, entry in json.loads(data.read_text(data.COMPILED))[data.SECTION].items():
        assert entry["data"] == tomllib.loads((ROOT / name).read_text(encoding="utf-8")), name


def test_a_changed_table_is_parsed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    stale = {"engines/trainers.toml": {"checksum": 1, "data": {"wrong": True}}}
    monkeypatch.setattr(data, "_compiled", lambda: stale)
    data.read_toml.cache_clear()
    assert "default" in data.read_toml("engines/trainers.toml")
    data.read_toml.cache_clear()
