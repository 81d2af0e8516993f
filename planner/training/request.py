"""What is asked of ``plan_finetune``, and the presets that answer most of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from planner.data import read_toml
from planner.documents.inventory import Inventory
from planner.errors import UnknownName

FinetuneGoal = Literal["time", "memory", "fewest-gpus"]
_FILE = "training/presets.toml"


@dataclass(frozen=True, slots=True)
class TrainingPreset:
    """A kind of training job."""

    name: str
    label: str
    about: str
    objective: str
    seq_len: int
    tokens: float
    epochs: float
    global_batch: int
    source: str


@dataclass(frozen=True, slots=True)
class FinetuneRequest:
    """A question about training. What is None is taken from the preset and listed as assumed."""

    inventory: Inventory
    model: str
    """Catalogue id or local path."""
    methods: tuple[str, ...] = ()
    """Allowed methods; empty allows all."""
    trainer: str | None = None
    preset: str | None = None
    objective: str | None = None
    seq_len: int | None = None
    tokens: float | None = None
    epochs: float | None = None
    global_batch: int | None = None
    """Samples of one optimizer step."""
    lora_rank: int | None = None
    lora_targets: str | tuple[str, ...] | None = None
    goal: FinetuneGoal = "time"
    limit: int = 10


@cache
def training_presets() -> dict[str, TrainingPreset]:
    """By name, in the order of the file."""
    return {name: TrainingPreset(name, **_row(row)) for name, row in read_toml(_FILE)["presets"].items()}


def training_preset(name: str | None) -> TrainingPreset:
    """One of them, the usual one for None. Raises UnknownName."""
    wanted = name or str(read_toml(_FILE)["default"])
    found = training_presets().get(wanted)
    if found is None:
        raise UnknownName("training preset", wanted[:60], tuple((known, 1.0) for known in training_presets()))
    return found


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "seq_len": int(row["seq_len"]), "tokens": float(row["tokens"]), "epochs": float(row["epochs"])}
