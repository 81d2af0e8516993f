"""Inputs of the two other walks as frozen values: a training job, a purchase. None means "not asked for"."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from planner.units import KILO

if TYPE_CHECKING:
    from planner.buy_document import BuyRequest
    from planner.documents.deployment import WorkloadTable
    from planner.documents.inventory import Inventory
    from planner.library import Library
    from planner.training.request import FinetuneRequest

USERS = 64
"""For how many to buy where nobody said."""
QUALITIES: dict[str, tuple[str, ...]] = {
    "": (),
    "16-bit": ("lora", "dora", "full"),
    "full": ("full",),
}
"""What must learn, and the methods that do: adapters over a 4-bit base, over 16-bit weights, or every weight."""
PRESET_FIELDS = ("seq_len", "tokens", "epochs", "batch")


@dataclass(frozen=True, slots=True)
class Training:
    """A fine-tuning job. What is None is the preset's."""

    preset: str = "instructions"
    samples: int | None = None
    sample_tokens: int = 500
    tokens: int | None = None
    """Of the dataset; ``samples`` go before them."""
    seq_len: int | None = None
    epochs: int | None = None
    batch: int | None = None
    """Samples of one optimizer step."""
    method: str = ""
    quality: str = ""
    trainer: str = ""
    rank: int | None = None
    hours: int | None = None
    """Allowed for the whole run."""
    goal: str = "time"

    def changed(self, changes: dict[str, Any]) -> Training:
        """With other inputs; another preset takes its own numbers with it."""
        cleared = dict.fromkeys(PRESET_FIELDS) if "preset" in changes else {}
        return replace(self, **{**cleared, **changes})

    @property
    def methods(self) -> tuple[str, ...]:
        """Allowed methods; empty: all. Raises BadInput where method and quality exclude each other."""
        allowed = QUALITIES[self.quality]
        if not self.method:
            return allowed
        if allowed and self.method not in allowed:
            from planner.errors import BadInput

            raise BadInput("method", f"{self.method} learns less than the quality asked for", "change one of the two")
        return (self.method,)

    def request(self, inventory: Inventory, model: str) -> FinetuneRequest:
        """The question to the planner."""
        from planner.training.request import FinetuneRequest

        dataset = self.samples * self.sample_tokens if self.samples else self.tokens
        return FinetuneRequest(
            inventory=inventory,
            model=model,
            methods=self.methods,
            trainer=self.trainer or None,
            preset=self.preset,
            seq_len=self.seq_len,
            tokens=float(dataset) if dataset else None,
            epochs=float(self.epochs) if self.epochs else None,
            global_batch=self.batch,
            lora_rank=self.rank,
            goal=self.goal,  # type: ignore[arg-type]
        )


@dataclass(frozen=True, slots=True)
class Purchase:
    """Limits of what may be bought, and the order of the fleets."""

    budget_k: int | None = None
    """Thousands, in the currency of the prices."""
    power_kw: int | None = None
    """That the room gives at its plugs."""
    spare: str = ""
    """"yes": one set of servers more."""
    max_nodes: int = 16
    vendor: str = ""
    rank_by: str = "purchase"

    def request(self, model: str, workload: WorkloadTable, library: Library, **more: Any) -> BuyRequest:
        """The question to the planner."""
        from planner.buy_document import BuyRequest

        load = workload.model_copy(
            update={"concurrency": in_flight(workload), "request_rate": None, "saturated": False}
        )
        return BuyRequest(
            model=model,
            workload=load,
            hardware=_sold_by(self.vendor, library),
            budget=self.budget_k * KILO if self.budget_k else None,
            max_power_w=self.power_kw * KILO if self.power_kw else None,
            spare=self.spare == "yes",
            max_nodes=self.max_nodes,
            rank_by=self.rank_by,  # type: ignore[arg-type]
            **more,
        )


def in_flight(load: WorkloadTable) -> float:
    """Requests to buy for: as many as were named, or as a rate keeps in flight while promises are just kept.

    The latter is Little's law, rate × (time to the first token + answer tokens × time per token), with the promised
    times. Without either ``USERS``.
    """
    level = load.service_level
    if load.concurrency:
        return load.concurrency
    if load.request_rate is None or level is None or level.tpot_s is None:
        return float(USERS)
    return float(max(1, math.ceil(load.request_rate * ((level.ttft_s or 0.0) + (load.osl or 0.0) * level.tpot_s))))


def _sold_by(vendor: str, library: Library) -> tuple[str, ...]:
    """Accelerators of one maker that the purchase looks at; empty: all."""
    if not vendor:
        return ()
    rows = library.database.accelerators()
    return tuple(row.id for row in rows if row.vendor == vendor and row.memory_bytes and not row.announced)


MOST = 100_000_000_000
"""No number of these inputs is larger."""
WORDS = {
    Training: {
        "method": ("", "qlora", "lora", "dora", "full"),
        "quality": tuple(QUALITIES),
        "goal": ("time", "memory", "fewest-gpus"),
    },
    Purchase: {"spare": ("", "yes"), "rank_by": ("purchase", "tco", "power", "devices")},
}
"""What fields of words may say, where that is a closed list."""


def needs_of(data: object, kind: type[Training] | type[Purchase]) -> Training | Purchase | None:
    """A value from what was kept in a file; None for anything that no field would take."""
    shape = kind()
    if not isinstance(data, dict) or set(data) != set(kind.__dataclass_fields__):
        return None
    for name, value in data.items():
        default = getattr(shape, name)
        number = type(value) is int and 1 <= value <= MOST and not isinstance(default, str)
        words = isinstance(default, str) and isinstance(value, str) and len(value) <= 60 and value.isprintable()
        if not (number or words or (value is None and default is None)):
            return None
        if value not in WORDS[kind].get(name, (value,)):
            return None
    return replace(shape, **data)
