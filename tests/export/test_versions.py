"""Every engine at its oldest and newest release, every example document: each target that suits renders."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.documents.files import read_deployment
from planner.errors import BadInput
from planner.export.bundle import render_bundle
from planner.export.flags.table import engines_with_flags
from planner.export.prepare import prepare
from planner.export.registry import applicable
from planner.export.target import Context, Options
from tests.export.deployments import IMAGE, SHAPES, context, library
from tests.export.examples import APART, DOCUMENTS, ENDS, PLANS, contexts, released

ENGINES = {tables["engine"]["name"]: name for name, tables in reversed(SHAPES.items())}
"""Engine → its first shape."""


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("engine", ENGINES)
def test_oldest_and_newest(engine: str, end: str) -> None:
    tables = {**SHAPES[ENGINES[engine]], "engine": {"name": engine, "version": released(engine, end)}}
    exported = context(tables, image=IMAGE)
    names = applicable(exported)
    assert len(names) >= 3
    everything(exported, names)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("example", [*PLANS, *DOCUMENTS], ids=lambda p: p.stem)
def test_every_example_renders_for_every_target_that_suits(example: Path, end: str) -> None:
    seen = 0
    for exported in contexts(example, end):
        names = applicable(exported)
        assert len(names) >= 2, exported.deployment
        everything(exported, names)
        seen += 1
    assert seen


@pytest.mark.parametrize("path", APART, ids=lambda p: p.stem)
def test_prefill_workers_are_refused_by_name(path: Path) -> None:
    with pytest.raises(BadInput, match=r"serving\.disaggregation"):
        prepare(read_deployment(path), library(), Options(image=IMAGE))


def everything(exported: Context, names: list[str]) -> None:
    bundle = render_bundle(exported, names)
    for name in names:
        if name != "toml":
            assert any(path.startswith(f"{name}/") for path in bundle.files)
    assert all(f.fix for f in bundle.findings)


def test_engines_with_flags_have_shapes() -> None:
    assert set(engines_with_flags()) - {"ik_llama.cpp"} <= set(ENGINES)
