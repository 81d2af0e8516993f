"""The support tables themselves: sourced, complete, and in agreement with the hardware database."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from hwdb.database import Database
from planner.compile_support import compiled
from planner.data import list_files, read_json
from planner.engines.registry import engines
from planner.engines.version import in_range
from planner.legality.support import EngineSupport
from planner.legality.support_tables import COMPILED, ENGINES
from tests.legality.build import support

TABLES = tuple(support().engines.values())


def test_the_compiled_file_is_up_to_date() -> None:
    """Run ``python -m planner.compile_support`` after changing a table."""
    assert read_json(COMPILED) == compiled()


def test_every_file_is_loaded_and_every_engine_has_one() -> None:
    assert {f"{name}.toml" for name in ENGINES} == set(list_files("legality/engines", ".toml"))
    assert set(engines()) <= set(ENGINES)


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_rows_have_sources_and_name_chips_that_exist(table: EngineSupport) -> None:
    chips = [chip.id for chip in support().chips]
    rows = [*table.chips, *table.formats, *table.kv]
    rows += [row for group in (*table.features.values(), *table.rules.values()) for row in group]
    for row in rows:
        assert row.source and row.how in (None, "native", "weight-only") and row.state in ("yes", "no", "unknown")
        patterns = row.names if row in table.chips else row.chips
        for pattern in patterns:
            assert any(fnmatchcase(chip, pattern) for chip in chips), pattern
        assert in_range((1, 0), row.versions) in (True, False)
    for span in table.models.values():
        assert in_range((1, 0), span) in (True, False)


def test_every_accelerator_has_a_class_of_its_vendor() -> None:
    others = set()
    for row in Database().accelerators():
        chip = support().chip(row)
        if chip.id == "other":
            others.add(row.vendor)
    assert not others & {"nvidia", "amd", "intel", "huawei", "apple", "google", "aws"}


def test_native_formats_agree_with_the_hardware_database() -> None:
    disagree = []
    for row in Database().accelerators():
        native = support().chip(row).native
        for kind, has in row.supports.items():
            if kind in ("fp8", "fp4", "bf16") and has != (kind in native):
                disagree.append((row.id, kind, has))
    assert disagree == []


def test_every_chip_has_an_engine() -> None:
    from planner.legality.engine import engines_for
    from planner.resolved import Device

    for row in Database().accelerators():
        able = engines_for(Device(row, 1.0), support())
        assert able or support().chip(row).id in ("other", "ascend-310p"), row.id


def test_the_package_lists_every_rule_it_has() -> None:
    """The ids in the docstring are those that the code can answer with."""
    import planner.legality as package

    said = set(re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)+", (package.__doc__ or "").partition("stable ids:")[2]))
    folder = Path(package.__file__).parent
    serving = [path for path in sorted(folder.glob("*.py")) if not path.name.startswith("training")]
    code = "".join(path.read_text(encoding="utf-8") for path in serving)
    used = set(re.findall(r'(?:Finding|layout_finding)\(\s*"([a-z0-9-]+)"', code))
    used |= set(re.findall(r'return "((?:fp8|quant|tp)-[a-z0-9-]+)"', code))
    used |= set(re.findall(r'"((?:fp8|quant)-[a-z-]+)" if', code)) | set(re.findall(r'else "(quant-[a-z-]+)"', code))
    assert used == said
