"""What if: single changes of the inputs that can be tried against a plan. No toolkit in here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tui import text
from tui.draft import Draft
from tui.fixes import with_nodes
from tui.inputs.workload import NUMBERS
from tui.needs import in_flight
from tui.simulate import with_cards

if TYPE_CHECKING:
    from planner.documents.inventory import Inventory
    from planner.documents.result import PlanDocument, PlannedDeployment

MOST_CARDS = 16
"""In one machine."""
SMALL_CACHE = "fp8"
_OTHERS = 2
"""Of the engines, formats and methods that other proposals have."""
_CHANGED = ", changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the inputs."""

    key: str
    label: str
    changes: dict[str, Any]

    def draft(self, draft: Draft) -> Draft:
        """The inputs with it."""
        return draft.changed(self.changes)


def changes_for(draft: Draft, plan: PlannedDeployment, document: PlanDocument) -> tuple[Change, ...]:
    """What can be tried, the most asked first; nothing that would leave the inputs as they are."""
    found = [change for make in _MADE[draft.purpose] for change in make(draft, plan, document)]
    return tuple(change for change in found if _possible(change) and change.draft(draft) != draft)


def _possible(change: Change) -> bool:
    """Within what the fields of the walk take."""
    bounds = {number.name: number for number in NUMBERS}
    given = [(bounds[name], value) for name, value in change.changes.items() if name in bounds]
    return all(number.low <= value <= number.high for number, value in given)


Maker = Callable[[Draft, "PlannedDeployment", "PlanDocument"], Iterator[Change]]


def _load(draft: Draft, plan: PlannedDeployment, document: PlanDocument) -> Iterator[Change]:
    """Twice and half as many people."""
    if draft.load == "rate" and draft.purpose == "serve":
        yield from _twice_and_half("rate", "Requests a minute", draft.rate or 1)
    elif draft.load == "users" or draft.purpose == "buy":
        assumed = document.assumed.get("workload.concurrency")
        users = draft.users or round(float(assumed) if assumed else in_flight(draft.workload()))
        yield from _twice_and_half("users", "Users", users)


def _twice_and_half(name: str, label: str, value: int) -> Iterator[Change]:
    yield Change(f"{name}-double", f"{label} ×2: {value * 2:,}", {name: value * 2})
    if value > 1:
        yield Change(f"{name}-half", f"{label} ÷2: {value // 2:,}", {name: value // 2})


def _lengths(draft: Draft, plan: PlannedDeployment, document: PlanDocument) -> Iterator[Change]:
    """Longer and shorter requests. The lengths of a trace are its own."""
    longest = draft.max_model_len or text.longest_of(plan)
    if longest:
        yield Change("context-double", f"Longest ×2: {text.tokens(longest * 2)}", {"max_model_len": longest * 2})
        half = max(longest // 2, 256)
        yield Change("context-half", f"Longest ÷2: {text.tokens(half)}", {"max_model_len": half})
    if draft.trace is None:
        yield Change("prompt-double", f"Prompts ×2: {draft.isl * 2:,}", {"isl": draft.isl * 2})
        yield Change("answer-double", f"Answers ×2: {draft.osl * 2:,}", {"osl": draft.osl * 2})


def _cache(draft: Draft, plan: PlannedDeployment, document: PlanDocument) -> Iterator[Change]:
    """A cache of 8 bits, or the engine's own again."""
    if draft.kv_cache:
        yield Change("cache-any", "KV cache as usual", {"kv_cache": None})
    elif not _cache_of(plan).startswith(SMALL_CACHE):
        yield Change("cache-small", f"KV cache {SMALL_CACHE}", {"kv_cache": SMALL_CACHE})


def _cache_of(plan: PlannedDeployment) -> str:
    stated = plan.deployment.get("serving", {}).get("kv_cache_dtype", "auto")
    return str(plan.estimate.assumed.get("serving.kv_cache_dtype", "") if stated == "auto" else stated)


def _hardware(draft: Draft, plan: PlannedDeployment, document: PlanDocument) -> Iterator[Change]:
    """One card more, one fewer, another machine; only where all machines and cards are alike."""
    inventory = draft.inventory
    if inventory is None or not _alike(inventory):
        return
    cards, nodes = len(inventory.nodes[0].devices), inventory.nodes[0].count
    for step, label in ((1, "One GPU more"), (-1, "One GPU fewer")):
        if 0 < cards + step <= MOST_CARDS and cards:
            where = " in each machine" if nodes > 1 else ""
            yield _rig(draft, f"gpu{step:+d}", f"{label}{where}: {cards + step}", with_cards(inventory, cards + step))
    yield _rig(draft, "machine+1", f"One machine more: {nodes + 1}", with_nodes(inventory, nodes + 1))
    if nodes > 1:
        yield _rig(draft, "machine-1", f"One machine fewer: {nodes - 1}", with_nodes(inventory, nodes - 1))


def _alike(inventory: Inventory) -> bool:
    kinds = {(device.accelerator, device.total_bytes) for node in inventory.nodes for device in node.devices}
    return len(inventory.nodes) == 1 and len(kinds) <= 1


def _rig(draft: Draft, key: str, label: str, inventory: Inventory) -> Change:
    site = draft.site if draft.site.endswith(_CHANGED) else f"{draft.site}{_CHANGED}"
    return Change(key, label, {"inventory": inventory, "site": site})


def _engines(draft: Draft, plan: PlannedDeployment, document: PlanDocument) -> Iterator[Change]:
    """Engines and formats that other proposals have."""
    if draft.engine:
        yield Change("engine-any", "Any engine", {"engine": None})
    own = plan.deployment.get("engine", {}).get("name")
    names = dict.fromkeys(other.deployment.get("engine", {}).get("name") for other in document.candidates)
    for name in [name for name in names if name and name != own][:_OTHERS]:
        yield Change(f"engine-{name}", f"Engine {name}", {"engine": name})
    if draft.weights:
        yield Change("weights-any", "Any weights", {"weights": None})
    formats = dict.fromkeys(str(other.deployment["model"].get("weights") or "") for other in document.candidates)
    for name in [name for name in formats if name and name != text.weights_of(plan)][:_OTHERS]:
        yield Change(f"weights-{name}", f"Weights {name}", {"weights": name})


def _spare(draft: Draft, plan: PlannedDeployment, document: PlanDocument) -> Iterator[Change]:
    spare = draft.purchase.spare
    label = "No spare servers" if spare else "Spare servers (N+1)"
    yield Change("spare", label, {"purchase": replace(draft.purchase, spare="" if spare else "yes")})


def _training(draft: Draft, plan: PlannedDeployment, document: PlanDocument) -> Iterator[Change]:
    """Longer samples, larger steps, other adapters and methods."""
    from planner.training.request import training_preset

    training, usual = draft.training, training_preset(draft.training.preset)
    rows = (("seq_len", "seq_len", "Sequence"), ("batch", "global_batch", "Step"))
    for name, field, label in rows:
        value = (getattr(training, name) or round(getattr(usual, field))) * 2
        yield Change(f"{name}-double", f"{label} ×2: {value:,}", {"training": replace(training, **{name: value})})
    if training.method:
        yield Change("method-any", "Any method", {"training": replace(training, method="")})
    own = plan.deployment["finetune"].get("method")
    methods = dict.fromkeys(str(other.deployment["finetune"].get("method")) for other in document.candidates)
    for method in [name for name in methods if name != own][:_OTHERS]:
        yield Change(f"method-{method}", f"Method {method}", {"training": replace(training, method=method)})


_MADE: dict[str, tuple[Maker, ...]] = {
    "serve": (_load, _lengths, _cache, _hardware, _engines),
    "tune": (_training, _hardware),
    "buy": (_load, _lengths, _spare, _engines),
}
