"""The data tables hold together: every reference resolves, every line parses."""

from __future__ import annotations

import pytest

from planner.data import read_text, read_toml
from planner.models.compile_tables import compile_text
from planner.models.families import NOT_FAMILIES, family, known_families, layer_tokens
from planner.models.layers.assemble import BUILDERS
from planner.models.layers.notation import parse
from planner.models.quantization_schemes import scheme
from planner.models.tables import COMPILED

FAMILIES = read_toml("models/families.toml")
TOWERS = read_toml("models/towers.toml")


@pytest.mark.parametrize("name", known_families())
def test_families_resolve(name):
    found = family(name)
    assert found is not None
    assert found.text is None or family(found.text) is not None
    for key in ("extra_layer", "extra_model"):
        for line in found.implied.get(key, ()):
            assert parse(line).sizes
    for key in ("attention_names", "mlp_names", "expert_names"):
        assert len(found.implied.get(key, "").split()) in (0, 3, 4)


def test_rows_have_no_unknown_keys():
    allowed = {"like", "classes", "defaults", "spellings", "text", "unsupported", "vision"}
    for name, row in FAMILIES.items():
        if name not in NOT_FAMILIES:
            assert set(row) <= allowed, name


def test_layer_tokens_have_builders():
    for word, token in layer_tokens().items():
        kind = token.partition(":")[0]
        if kind not in ("full", "sliding", "chunked", "linear", "feed", "block-sparse", "cross"):
            assert set(kind.split("+")) <= set(BUILDERS), word


def inherited(table, name):
    row = table[name]
    return {**(inherited(table, row["like"]) if "like" in row else {}), **row}


def test_towers_resolve():
    for name in TOWERS["join"]:
        whole = inherited(TOWERS["join"], name)
        assert whole["tower"] in TOWERS["tower"], name
        for line in whole.get("projector", ()):
            assert parse(line).sizes
    for row in TOWERS["tower"].values():
        for part in ("stem", "block", "tail"):
            for line in row.get(part, ()):
                assert parse(line).sizes


def test_weight_names_have_schemes():
    table = read_toml("models/quantization.toml")
    for name, row in table["weights"].items():
        assert scheme(row["scheme"]).scheme == row["scheme"], name
        assert row["family"] in table["families"]
    for row in table["hint"]:
        assert scheme(row["scheme"]).scheme in table["families"][row["family"]]
        assert row["pattern"] == row["pattern"].lower()


def test_the_compiled_tables_are_the_sources():
    assert read_text(COMPILED) == compile_text(), "run python -m planner.models.compile_tables"
