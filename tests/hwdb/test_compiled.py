"""The compiled file says what the TOML files say, and loading it stays cheap."""

import json
import subprocess
import sys
from pathlib import Path

from hwdb.compile import ROOT, compile_tree
from hwdb.compiled import COMPILED, CompiledFile

LOOK_UP = """
import sys
from hwdb.database import Database
row = Database().accelerator("NVIDIA H200")
heavy = ("pydantic", "tomllib", "hwdb.validate", "hwdb.match", "planner")
print(row.id, *(name for name in heavy if name in sys.modules))
"""


def test_the_compiled_file_is_that_of_the_sources():
    assert COMPILED.read_text(encoding="utf-8") == compile_tree(ROOT), "run python -m hwdb.compile"


def test_reading_line_by_line_gives_what_json_gives():
    text = COMPILED.read_text(encoding="utf-8")
    document, lines = json.loads(text), CompiledFile(text)
    for kind in ("accelerators", "hosts", "links", "fabrics", "storage"):
        assert dict(lines.rows(kind)) == document[kind]
        assert lines.value(f"{kind}_index") == document[f"{kind}_index"]
    assert lines.value("sources") == document["sources"]


def test_ambiguous_names_lead_to_rows():
    document = json.loads(COMPILED.read_text(encoding="utf-8"))
    index = document["accelerators_index"]
    for rows in index["several"].values():
        assert len(rows) > 1
        assert set(rows) <= set(document["accelerators"])
    assert not set(index["several"]) & set(index["exact"])


def test_one_file_a_card_under_its_vendor():
    for path in (ROOT / "accelerators").glob("*/*.toml"):
        row = json.loads(COMPILED.read_text(encoding="utf-8"))["accelerators"][path.stem]
        assert row["vendor"] == path.parent.name
        break
    stems = {path.stem for path in (ROOT / "accelerators").glob("*/*.toml")}
    assert stems == set(json.loads(COMPILED.read_text(encoding="utf-8"))["accelerators"])


def test_a_lookup_imports_no_validator():
    done = subprocess.run(
        [sys.executable, "-c", LOOK_UP], capture_output=True, text=True, check=True, cwd=Path(ROOT).parent
    )
    assert done.stdout.split() == ["h200-sxm-141gb"]
