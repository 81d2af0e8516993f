"""What the walk is for: serve, fine-tune or buy. The same five steps, with other names and other inputs."""

from __future__ import annotations

from dataclasses import dataclass

STEPS = ("hardware", "model", "workload", "plans", "export")
"""Stable names of the five steps, whatever the walk is for."""


@dataclass(frozen=True, slots=True)
class Step:
    """How a step is called, and at 80 columns."""

    key: str
    label: str
    short: str


@dataclass(frozen=True, slots=True)
class Purpose:
    """One kind of walk."""

    key: str
    label: str
    short: str
    """At 80 columns."""
    about: str
    steps: tuple[Step, ...]
    needs_model: bool = True
    """Whether it can do without a model being named."""


def _steps(*words: tuple[str, str]) -> tuple[Step, ...]:
    return tuple(Step(key, label, short) for key, (label, short) in zip(STEPS, words, strict=True))


SERVE = Purpose(
    "serve",
    "Serve",
    "Serve",
    "answer requests with the hardware at hand",
    _steps(("Hardware", "Hw"), ("Model", "Model"), ("Workload", "Workload"), ("Plans", "Plans"), ("Export", "Export")),
    needs_model=False,
)
TUNE = Purpose(
    "tune",
    "fine-tune",
    "tune",
    "train a model on the hardware at hand",
    _steps(("Hardware", "Hw"), ("Model", "Model"), ("Training", "Training"), ("Runs", "Runs"), ("Export", "Export")),
)
BUY = Purpose(
    "buy",
    "buy",
    "buy",
    "find the hardware for a model and a load",
    _steps(("Limits", "Limits"), ("Model", "Model"), ("Workload", "Load"), ("Fleets", "Fleet"), ("Export", "Export")),
)
PURPOSES = {purpose.key: purpose for purpose in (SERVE, TUNE, BUY)}


def after(key: str) -> str:
    """The purpose behind this one, in a circle."""
    keys = list(PURPOSES)
    return keys[(keys.index(key) + 1) % len(keys)]
