"""What the tests of the model intake share: published configs, their architectures, measured truth."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from planner.models.architecture import Architecture
from planner.models.hf_config import architecture_from_config

CONFIGS = Path(__file__).parents[1] / "fixtures" / "configs"
TRUTH = Path(__file__).parents[1] / "truth"


@cache
def config_text(name: str) -> str:
    return (CONFIGS / name).read_text(encoding="utf-8")


def config(name: str) -> dict[str, Any]:
    return json.loads(config_text(name if name.endswith(".json") else f"{name}.json"))


@cache
def architecture(name: str) -> Architecture:
    return architecture_from_config(config(name))


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (TRUTH / name).read_text(encoding="utf-8").splitlines()]


def raw_configs() -> list[str]:
    """Published configs, without side files and copies in other projects' forms."""
    other = (".hf_quant.json", ".mlc.json", ".maxtext.json")
    return sorted(p.name for p in CONFIGS.glob("*.json") if not p.name.endswith(other))
