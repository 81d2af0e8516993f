"""Which pane a step shows, by what the walk is for. Panes are imported when they are first wanted."""

from __future__ import annotations

import importlib

from tui.panes.base import Pane

PANES = {
    "hardware": "hardware.HardwarePane",
    "model": "model.ModelPane",
    "workload": "workload.WorkloadPane",
    "plans": "plans.PlansPane",
    "export": "export.ExportPane",
    "tune-workload": "training.TrainingPane",
    "tune-plans": "runs.RunsPane",
    "buy-hardware": "limits.LimitsPane",
    "buy-plans": "fleets.FleetsPane",
}
"""Id of a pane → its class. A purpose without a pane of its own for a step takes that of the step."""


def pane_id(purpose: str, step: str) -> str:
    """The pane of a step."""
    own = f"{purpose}-{step}"
    return own if own in PANES else step


def pane_class(id_: str) -> type[Pane]:
    """Its class."""
    module, _, name = PANES[id_].partition(".")
    found: type[Pane] = getattr(importlib.import_module(f"tui.panes.{module}"), name)
    return found
