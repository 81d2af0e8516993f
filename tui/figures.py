"""Every figure of a plan in one list: its name, where it stands in the estimate, its unit, which way is better."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.explain import Explanation, figure_text, of_figure
from tui.text import WHOLE

if TYPE_CHECKING:
    from planner.documents.result import EstimateDocument, PlannedDeployment
    from planner.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Figure:
    """One predicted quantity."""

    key: str
    """Field of the estimate, and key of its explanation."""
    part: str
    """speed, gpu (memory of a device), memory, cost or training."""
    unit: str
    better: str = ""
    """"less", "more", or neither."""
    field: str = ""
    """Name of the field where it is another than the key."""

    @property
    def label(self) -> str:
        return figure_text(self.key).get("label", self.key)

    def of(self, plan: PlannedDeployment) -> Estimate | None:
        """The estimate of it in a plan; None where it was not worked out."""
        holder = _holder(plan.estimate, self.part)
        found: Estimate | None = getattr(holder, self.field or self.key) if holder is not None else None
        return found

    def unit_of(self, plan: PlannedDeployment) -> str:
        """The unit; of money the currency of the plan's prices."""
        account = plan.estimate.finetune if self.part == "training" else plan.estimate.cost
        return account.currency if self.unit == "money" and account else self.unit

    def explained(self, plan: PlannedDeployment, where: str) -> Explanation:
        return of_figure(self.key, self.unit_of(plan), self.of(plan), where)


SPEED = (
    Figure("ttft_s", "speed", "s", "less"),
    Figure("tpot_s", "speed", "s", "less"),
    Figure("output_tok_s", "speed", "tok/s", "more"),
    Figure("decode_tok_s", "speed", "tok/s", "more"),
    Figure("prefill_tok_s", "speed", "tok/s", "more"),
    Figure("total_tok_s", "speed", "tok/s", "more"),
    Figure("request_s", "speed", "/s", "more"),
)
PARTS = (
    Figure("weights", "gpu", "B"),
    Figure("kv_cache", "gpu", "B", "more"),
    Figure("activations", "gpu", "B", "less"),
    Figure("cuda_graphs", "gpu", "B", "less"),
    Figure("non_torch", "gpu", "B", "less"),
)
"""In the order of the bar."""
MEMORY = (
    *PARTS,
    Figure("total", "gpu", "B"),
    Figure("capacity", "gpu", "B"),
    Figure("kv_needed", "gpu", "B"),
    Figure("kv_tokens", "memory", "tok", "more"),
    Figure("max_concurrency", "memory", WHOLE, "more"),
    Figure("host_ram", "memory", "B"),
)
COST = (
    Figure("power_w", "cost", "W", "less"),
    Figure("wh_per_mtok", "cost", "Wh", "less"),
    Figure("per_mtok", "cost", "money", "less"),
    Figure("per_month", "cost", "money", "less"),
)
TRAINING = (
    Figure("hours", "training", "h", "less"),
    Figure("tok_s", "training", "tok/s", "more"),
    Figure("tok_s_per_gpu", "training", "tok/s", "more"),
    Figure("step_s", "training", "s", "less"),
    Figure("mfu", "training", "%", "more"),
    Figure("gpu_hours", "training", "h", "less"),
    Figure("energy_wh", "training", "Wh", "less"),
    Figure("money", "training", "money", "less"),
)
TRAINING_MEMORY = (
    Figure("driver", "training", "B", "less"),
    Figure("reserved", "training", "B", "less"),
    Figure("allocated", "training", "B", "less"),
    Figure("resident", "training", "B", "less"),
    Figure("training_ram", "training", "B", "less", field="host_ram"),
)
BUYING = (
    Figure("purchase", "cost", "money", "less"),
    Figure("owned_month", "cost", "money", "less", field="per_month"),
)
FIGURES = {f.key: f for f in (*SPEED, *MEMORY, *COST, *TRAINING, *TRAINING_MEMORY, *BUYING)}
_PANELS = {
    "serve": ("ttft_s", "tpot_s", "output_tok_s", "max_concurrency", "power_w", "per_mtok"),
    "tune": ("driver", "hours", "tok_s", "energy_wh", "money", "training_ram"),
    "buy": ("purchase", "owned_month", "ttft_s", "tpot_s", "output_tok_s", "max_concurrency", "power_w", "per_mtok"),
}
PANELS = {purpose: tuple(FIGURES[key] for key in keys) for purpose, keys in _PANELS.items()}
"""What the answer panel shows, by what the walk is for."""


def every(plan: PlannedDeployment) -> tuple[Figure, ...]:
    """All figures that such a plan has."""
    if plan.estimate.finetune is not None:
        return (*TRAINING, *TRAINING_MEMORY)
    return (*SPEED, *MEMORY, *COST)


def known(plan: PlannedDeployment, figures: tuple[Figure, ...]) -> Iterator[tuple[Figure, Estimate]]:
    """Those that were worked out."""
    for figure in figures:
        estimate = figure.of(plan)
        if estimate is not None:
            yield figure, estimate


def _holder(estimate: EstimateDocument, part: str) -> object | None:
    if part == "speed":
        return estimate.performance
    if part == "cost":
        return estimate.cost
    if part == "training":
        return estimate.finetune
    if estimate.memory is None:
        return None
    return estimate.memory.per_gpu if part == "gpu" else estimate.memory
