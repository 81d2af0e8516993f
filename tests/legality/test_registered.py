"""Which releases register the model class that a config names: from the wheels that were published."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.version import Version

import planner
from planner.documents.result import Finding
from planner.legality import check
from planner.legality.support_tables import REGISTERED
from tests.legality.build import LLAMA_8B, nvidia, resolved, support
from tests.legality.test_layout import LLAMA

H200 = nvidia((9, 0), 141)
FOLDER = Path(planner.__file__).parent / "legality" / "registered"


def of_class(name: str, engine: str, version: str) -> list[Finding]:
    """Findings about the class on a plain model that names it."""
    findings = check(resolved(replace(LLAMA, classes=(name,)), card=H200, engine=f"{engine}=={version}"), support())
    return [f for f in findings if f.rule in ("engine-knows-model", "engine-lists-model")]


@pytest.mark.parametrize(
    ("name", "engine", "before", "first"),
    [
        ("KimiK25ForConditionalGeneration", "vllm", "0.14.0", "0.15.0"),
        ("KimiK25ForConditionalGeneration", "sglang", "0.5.6.post2", "0.5.9"),
        ("Glm5NextForConditionalGeneration", "sglang", "0.5.16", "0.5.20"),
        ("Gemma4ForConditionalGeneration", "vllm", "0.18.0", "0.19.0"),
    ],
)
def test_a_class_is_known_from_its_first_release_on(name: str, engine: str, before: str, first: str) -> None:
    (finding,) = of_class(name, engine, before)
    assert finding.severity == "error" and finding.rule == "engine-knows-model"
    assert finding.fix == f"use {engine} >={first}" and finding.change == {"engine.version": first}
    assert not of_class(name, engine, first)


def test_a_class_that_was_dropped_is_known_before() -> None:
    (finding,) = of_class("MiniMaxM1ForCausalLM", "vllm", "0.33.0")
    assert finding.severity == "error" and "<0.24.0" in (finding.fix or "")
    assert not of_class("MiniMaxM1ForCausalLM", "vllm", "0.23.0")


def test_a_build_between_releases_is_only_remarked_on() -> None:
    (finding,) = of_class("Gemma4ForConditionalGeneration", "vllm", "0.18.2rc1.dev73+gdb7a17ecc")
    assert finding.severity == "warning"


def test_a_name_of_another_engine_is_remarked_on_and_a_name_of_none_is_not() -> None:
    (finding,) = of_class("Olmo3ForCausalLM", "sglang", "0.5.16")
    assert finding.severity == "warning" and finding.rule == "engine-lists-model"
    for name in ("NobodysForCausalLM", "Qwen3Model"):
        assert not of_class(name, "vllm", "0.33.0")


@pytest.mark.parametrize("engine", REGISTERED)
def test_the_files_name_each_class_once_in_the_order_of_releases(engine: str) -> None:
    table = tomllib.loads((FOLDER / f"{engine}.toml").read_text(encoding="utf-8"))
    for part in ("since", "until"):
        releases = [Version(text) for text in table[part]]
        assert releases == sorted(releases) and Version(table["first"]) <= releases[0] <= Version(table["last"])
        names = [name for names in table[part].values() for name in names]
        assert len(names) == len(set(names)) and all(name.isidentifier() for name in names)
    since = {name: release for release, names in table["since"].items() for name in names}
    assert all(Version(since[name]) < Version(end) for end, names in table["until"].items() for name in names)


def test_a_config_names_its_classes() -> None:
    from planner.models.hf_config import architecture_from_config

    named = [{"architectures": ["LlamaForCausalLM", 7, "x" * 500, "a b"]}, {"architectures": "Llama"}, {}]
    found = [architecture_from_config({**LLAMA_8B, **more}).classes for more in named]
    assert found == [("LlamaForCausalLM",), (), ()]
