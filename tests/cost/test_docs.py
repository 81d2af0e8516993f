"""docs/cost.md: its tables are what the planner computes, its commands exist, its price file is valid."""

from __future__ import annotations

import re

import pytest

from planner.cli.main import main
from planner.price_files import price_file
from tests.cost.examples import DOCUMENT, TABLES, markdown, shown

TEXT = DOCUMENT.read_text(encoding="utf-8")
PUBLISHED = ("training", "generations", "day")
TOLERANCE = 0.3
"""Of figures that follow the speed model; those of published accounts are exact."""


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_computed(name: str) -> None:
    written, computed = shown(name, TEXT), markdown(TABLES[name]())
    assert written, f"no table {name}"
    if name in PUBLISHED:
        assert written == computed
        return
    one, other = (re.split(r"[0-9][0-9,.]*", text) for text in (written, computed))
    assert one == other, "run python -m tests.cost.examples"
    pairs = zip(
        *(
            [float(n.replace(",", "").rstrip(".")) for n in re.findall(r"[0-9][0-9,.]*", t)]
            for t in (written, computed)
        ),
        strict=True,
    )
    assert all(a == pytest.approx(b, rel=TOLERANCE) for a, b in pairs), "run python -m tests.cost.examples"


def test_the_price_file_of_the_document_is_valid(tmp_path) -> None:  # type: ignore[no-untyped-def]
    block = re.search(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    assert block
    path = tmp_path / "own.toml"
    path.write_text(block.group(1))
    parsed = price_file(path)
    assert parsed.purchase and parsed.electricity and parsed.api


def test_the_options_of_the_document_exist(capsys: pytest.CaptureFixture[str]) -> None:
    offered = ""
    for verb in ("cost", "buy"):
        with pytest.raises(SystemExit):
            main([verb, "--help"])
        offered += capsys.readouterr().out
    for option in set(re.findall(r"--[a-z][a-z-]+", TEXT)):
        assert option in offered, option
