"""Measured cases under ``tests/truth`` as deployments.

A case names the config of its model in ``tests/fixtures/configs``; a plain weight format means that the checkpoint is
not quantised, whatever that config says. Cases of ``excluded.toml`` are left out, each with its reason.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from planner.documents.deployment import Deployment
from planner.documents.files import parse_deployment

ROOT = Path(__file__).parent.parent / "tests"
TRUTH = ROOT / "truth"
CONFIGS = ROOT / "fixtures" / "configs"
_PLAIN = ("bf16", "fp16", "fp32")
_NOTES = {"finetune": ("counter", "note"), "workload": ("requests",)}


@dataclass(frozen=True)
class Case:
    """One measurement."""

    id: str
    kind: str
    deployment: Mapping[str, Any]
    """As the case gives it."""
    measured: Mapping[str, Any]
    source: str

    @property
    def group(self) -> str:
        """Near-duplicates of one combination share it: all but max_model_len."""
        d = self.deployment
        serving = {k: v for k, v in d.get("serving", {}).items() if k != "max_model_len"}
        parts = [d["model"]["id"], d["model"]["weights"], d["hardware"], d.get("engine"), serving]
        return "|".join(map(str, [*parts, d.get("workload"), d.get("finetune")]))


@cache
def config(name: str) -> Mapping[str, Any]:
    """A model's config.json by file name; treat as read-only."""
    found: Mapping[str, Any] = json.loads((CONFIGS / name).read_text(encoding="utf-8"))
    return found


def document(case: Case) -> dict[str, Any]:
    """The deployment document of a case, with the config inline."""
    tables = deepcopy(dict(case.deployment))
    model = tables["model"]
    name = model.pop("config", None)
    if name and (CONFIGS / name).exists():
        values = dict(config(name))
        if model["weights"] in _PLAIN or model["weights"].startswith("gguf") or "finetune" in tables:
            values.pop("quantization_config", None)
        model["config"] = values
    if tables.get("serving", {}).get("kv_cache_dtype") == "f16":
        tables["serving"]["kv_cache_dtype"] = "fp16"
    for table, keys in _NOTES.items():
        for key in keys:
            tables.get(table, {}).pop(key, None)
    return {**tables, "id": case.id, "schema": "deploy-planner/deployment/1"}


def deployment(case: Case) -> Deployment:
    """The same, validated."""
    return parse_deployment(document(case), case.id)


@cache
def excluded() -> Mapping[str, str]:
    """Case id → why it is left out: ``excluded.toml``, and ``<truth file>_left_out.toml`` beside a truth file."""
    found: dict[str, str] = {}
    for path in (TRUTH / "excluded.toml", *sorted(TRUTH.glob("*_left_out.toml"))):
        table = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        found.update({name: row["reason"] for name, row in table.get("case", {}).items()})
    return found


def cases(name: str, *, everything: bool = False) -> Iterator[Case]:
    """Cases of ``tests/truth/<name>.jsonl``, the excluded ones only when asked for."""
    with (TRUTH / f"{name}.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if everything or row["id"] not in excluded():
                yield Case(row["id"], row["kind"], row["deployment"], row["measured"], row.get("source", ""))


def files() -> tuple[str, ...]:
    """Truth files that hold cases of deployments."""
    return tuple(sorted(p.stem for p in TRUTH.glob("*.jsonl") if "parameters" not in p.stem))
