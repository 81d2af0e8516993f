"""What the person has chosen so far and what the planner answered. No toolkit in here: values in, values out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from planner.units import MILLI

if TYPE_CHECKING:
    from planner.documents.inventory import Inventory
    from planner.documents.request import PlanRequest
    from planner.documents.result import PlanDocument, PlannedDeployment
    from planner.presets import Preset

MAX_HISTORY = 100
PERCENT = 100


@dataclass(frozen=True, slots=True)
class Draft:
    """Every input of the walk. None means "not asked for": the planner decides and says so."""

    inventory: Inventory | None = None
    site: str = "this machine"
    """What the hardware is called in the header."""
    model: str | None = None
    """Catalogue id or path; None asks for the best that fits."""
    preset: str = "chat"
    users: int = 16
    isl: int = 1500
    osl: int = 600
    max_model_len: int | None = None
    prefix_percent: int = 0
    ttft_ms: int | None = 2000
    tpot_ms: int | None = 50
    goal: str = "balanced"
    quality_floor: str | None = None
    engine: str | None = None

    def with_preset(self, preset: Preset) -> Draft:
        """The workload of a preset; users stay as they are."""
        load, level = preset.workload, preset.workload.service_level
        return replace(
            self,
            preset=preset.name,
            isl=round(load.isl or self.isl),
            osl=round(load.osl or self.osl),
            max_model_len=preset.max_model_len,
            prefix_percent=round(load.prefix_hit_rate * PERCENT),
            ttft_ms=round(level.ttft_s / MILLI) if level and level.ttft_s else None,
            tpot_ms=round(level.tpot_s / MILLI) if level and level.tpot_s else None,
        )

    def with_number(self, name: str, value: int | None) -> Draft:
        """One number of the workload changed by hand: the preset is then "custom"."""
        changes: dict[str, Any] = {"preset": "custom", name: value}
        return replace(self, **changes)

    def request(self) -> PlanRequest:
        """The question to the planner. Raises ValueError before any hardware is known."""
        from planner.documents.deployment import ServiceLevelTable, WorkloadTable
        from planner.documents.request import PlanRequest

        if self.inventory is None:
            raise ValueError("no hardware yet")
        level = ServiceLevelTable(
            ttft_s=self.ttft_ms * MILLI if self.ttft_ms else None, tpot_s=self.tpot_ms * MILLI if self.tpot_ms else None
        )
        workload = WorkloadTable(
            isl=self.isl,
            osl=self.osl,
            concurrency=self.users,
            prefix_hit_rate=self.prefix_percent / PERCENT,
            service_level=level,
        )
        return PlanRequest(
            inventory=self.inventory,
            models=(self.model,) if self.model else (),
            workload=workload,
            goal=self.goal,  # type: ignore[arg-type]
            max_model_len=self.max_model_len,
            engines=(self.engine,) if self.engine else (),
            quality_floor=self.quality_floor,
        )


@dataclass(slots=True)
class Session:
    """The draft with its history, the newest plan and the pinned proposal."""

    draft: Draft = field(default_factory=Draft)
    plan: PlanDocument | None = None
    planned_for: Draft | None = None
    """The draft that ``plan`` answers; older than ``draft`` while a new plan is being made."""
    failure: str | None = None
    selected: int = 0
    """Index of the proposal looked at."""
    pinned: PlannedDeployment | None = None
    undone: list[Draft] = field(default_factory=list)
    done: list[Draft] = field(default_factory=list)

    def change(self, draft: Draft) -> bool:
        """Take a new draft; False when nothing changed."""
        if draft == self.draft:
            return False
        self.done = [*self.done[-MAX_HISTORY:], self.draft]
        self.undone.clear()
        self.draft = draft
        return True

    def undo(self) -> bool:
        """Back to the draft before; False at the beginning."""
        if not self.done:
            return False
        self.undone.append(self.draft)
        self.draft = self.done.pop()
        return True

    def redo(self) -> bool:
        """Forward again; False when nothing was undone."""
        if not self.undone:
            return False
        self.done.append(self.draft)
        self.draft = self.undone.pop()
        return True

    def answer(self, draft: Draft, plan: PlanDocument) -> bool:
        """Take a plan; False when it answers a draft that is no longer the current one."""
        if draft != self.draft:
            return False
        self.plan, self.planned_for, self.failure = plan, draft, None
        self.selected = 0
        return True

    @property
    def best(self) -> PlannedDeployment | None:
        """The proposal looked at: the first, unless another was chosen."""
        if self.plan is None or not self.plan.candidates:
            return None
        return self.plan.candidates[min(self.selected, len(self.plan.candidates) - 1)]

    @property
    def current(self) -> bool:
        """Whether the plan answers the draft as it stands."""
        return self.plan is not None and self.planned_for == self.draft
