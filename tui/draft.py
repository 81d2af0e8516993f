"""Every input of the walk as one frozen value, and the question that it asks of the planner."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from planner.units import MILLI, SECONDS_PER_MINUTE
from tui.needs import Purchase, Training

if TYPE_CHECKING:
    from planner.documents.deployment import WorkloadTable
    from planner.documents.inventory import Inventory
    from planner.documents.request import PlanRequest
    from planner.presets import Preset
    from tui.trace import Trace

PERCENT = 100
TRACE = "trace"
"""The preset whose numbers are those of recorded requests."""
MADE_OF = ("load", "isl", "osl")
"""Inputs that are the trace's alone: one changed by hand is no longer the trace."""
WORKLOAD = (
    "users", "rate", "isl", "osl", "images", "image_tokens", "max_model_len", "prefix_percent", "ttft_ms", "tpot_ms",
)  # fmt: skip
"""Numbers that a preset sets; one changed by hand makes the workload "custom"."""


@dataclass(frozen=True, slots=True)
class Draft:
    """None means "not asked for": the planner decides and says so."""

    inventory: Inventory | None = None
    site: str = "this machine"
    """What the hardware is called in the header."""
    model: str | None = None
    """Catalogue id or path; None asks for the best that fits."""
    preset: str = "custom"
    load: str = "users"
    """users (in flight), rate (arriving) or full (as many as the memory holds)."""
    users: int | None = None
    rate: int | None = 60
    """Requests a minute."""
    isl: int = 1000
    osl: int = 400
    images: int | None = None
    """Of a request, beside its text."""
    image_tokens: int | None = None
    """Of one image; None: the model's own number."""
    max_model_len: int | None = None
    prefix_percent: int = 0
    ttft_ms: int | None = None
    tpot_ms: int | None = None
    goal: str = "balanced"
    quality_floor: str | None = None
    engine: str | None = None
    """Name, or name==version."""
    weights: str | None = None
    kv_cache: str | None = None
    """Format of the KV cache; None: the engine's own."""
    trace: Trace | None = None
    """Recorded requests that rate and lengths come from, while the preset is "trace"."""
    purpose: str = "serve"
    """What the walk is for: serve, tune or buy."""
    training: Training = field(default_factory=Training)
    purchase: Purchase = field(default_factory=Purchase)

    @property
    def question(self) -> Draft:
        """Without the inputs that this purpose does not look at: equal questions have equal answers."""
        plain = Draft()
        if self.purpose == "tune":
            return replace(plain, purpose="tune", inventory=self.inventory, model=self.model, training=self.training)
        if self.purpose == "buy":
            return replace(self, inventory=None, site="", training=plain.training)
        return replace(self, training=plain.training, purchase=plain.purchase)

    def with_preset(self, preset: Preset) -> Draft:
        """The workload of a preset; the number of users stays as it is."""
        load, level = preset.workload, preset.workload.service_level
        return replace(
            self,
            preset=preset.name,
            trace=None,
            load="full" if load.saturated else "users",
            isl=round(load.isl or self.isl),
            osl=round(load.osl or self.osl),
            images=round(load.images) if load.images else None,
            image_tokens=round(load.image_tokens) if load.image_tokens else None,
            max_model_len=preset.max_model_len,
            prefix_percent=round(load.prefix_hit_rate * PERCENT),
            ttft_ms=round(level.ttft_s / MILLI) if level and level.ttft_s else None,
            tpot_ms=round(level.tpot_s / MILLI) if level and level.tpot_s else None,
        )

    def changed(self, changes: dict[str, Any]) -> Draft:
        """With other inputs; a number of the workload changed by hand makes the preset "custom".

        A trace stays with other promises, another rate, another longest request; its lengths are its own.
        """
        own = set(MADE_OF) if self.trace is not None else {*WORKLOAD, "load"} - {"users"}
        by_hand = "preset" not in changes and set(changes) & own
        after = replace(self, **{**({"preset": "custom"} if by_hand else {}), **changes})
        return after if after.preset == TRACE else replace(after, trace=None)

    def request(self) -> PlanRequest:
        """The question to the planner. Raises ValueError before any hardware is known."""
        from planner.documents.request import PlanRequest

        if self.inventory is None:
            raise ValueError("no hardware yet")
        return PlanRequest(
            inventory=self.inventory,
            models=(self.model,) if self.model else (),
            workload=self.workload(),
            goal=self.goal,  # type: ignore[arg-type]
            max_model_len=self.max_model_len,
            weights=(self.weights,) if self.weights else (),
            engines=(self.engine,) if self.engine else (),
            kv_cache=self.kv_cache,
            quality_floor=self.quality_floor,
        )

    def workload(self) -> WorkloadTable:
        """The load and its promises."""
        from planner.documents.deployment import ServiceLevelTable, WorkloadTable

        level = ServiceLevelTable(
            ttft_s=self.ttft_ms * MILLI if self.ttft_ms else None, tpot_s=self.tpot_ms * MILLI if self.tpot_ms else None
        )
        table = WorkloadTable(
            isl=float(self.isl),
            osl=float(self.osl),
            images=float(self.images) if self.images else None,
            image_tokens=float(self.image_tokens) if self.images and self.image_tokens else None,
            concurrency=float(self.users) if self.users and self.load == "users" else None,
            request_rate=(self.rate or 1) / SECONDS_PER_MINUTE if self.load == "rate" else None,
            saturated=self.load == "full",
            prefix_hit_rate=self.prefix_percent / PERCENT,
            service_level=level if self.ttft_ms or self.tpot_ms else None,
        )
        return self.trace.over(table, self.rate) if self.trace is not None else table
