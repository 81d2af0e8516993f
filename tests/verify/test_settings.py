"""The table of settings that engines print: every row can be met, and roundings are the engine's."""

from __future__ import annotations

from dataclasses import fields

import pytest

from planner.data import read_toml
from planner.documents.files import parse_deployment
from planner.engines.registry import engine_profile, engines
from planner.library import Library
from planner.resolve import resolve
from planner.resolved import Serving
from planner.verify.actual import Actual, Figure
from planner.verify.settings import compare_settings

TABLE = read_toml("verify/settings.toml")


def test_every_row_is_a_setting_that_some_line_prints() -> None:
    printed = str(read_toml("verify/patterns.toml"))
    for row in TABLE["rows"]:
        assert row["key"] in {field.name for field in fields(Serving)}
        assert f"<{row.get('printed', row['key'])}__" in printed, row
        assert row.get("family", "vllm") in {engine_profile(name).family for name in engines()}


@pytest.mark.parametrize(
    ("engine", "printed", "said"),
    [
        ("llama.cpp", {"n_ctx": 8192.0}, {"max_model_len": True}),
        ("ollama", {"n_ctx": 8447.0}, {"max_model_len": True}),
        ("llama.cpp", {"n_ctx": 8448.0, "ubatch": 512.0}, {"max_model_len": False, "ubatch": True}),
        ("llama.cpp", {"max_num_seqs": 1.0}, {}),
        ("vllm", {"max_model_len": 8192.0, "tp": 2.0, "n_ctx": 1.0}, {"max_model_len": True, "tp": False}),
    ],
)
def test_settings_of_a_family(engine: str, printed: dict[str, float], said: dict[str, bool]) -> None:
    told = {
        "model": {"id": "meta-llama/Llama-3.1-8B-Instruct"},
        "hardware": {"accelerator": "rtx-4090", "per_node": 1},
        "engine": {"name": engine},
        "serving": {"max_model_len": 8192, "ubatch": 512},
    }
    resolved = resolve(parse_deployment(told, "told"), Library())
    actual = Actual(engine, None, {name: Figure(value) for name, value in printed.items()})
    assert {one.key: one.same for one in compare_settings(resolved, actual)} == said
