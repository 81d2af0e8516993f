"""The change that a rejection asks for, as inputs of the walk."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planner.documents.inventory import Inventory
    from planner.documents.result import Rejection
    from tui.draft import Draft

NOT_AN_ANSWER = frozenset({"less-capable-model", "model-too-large"})
"""Rules about other models: no reason of the one that is looked at."""


def changes_of(item: Rejection, draft: Draft) -> dict[str, Any]:
    """Inputs that lift the rejection; empty where the walk has none for it, or where they stand so already."""
    change = item.change
    found: dict[str, Any] = {}
    if isinstance(change.get("serving.max_model_len"), int):
        found["max_model_len"] = change["serving.max_model_len"]
    if isinstance(change.get("model.weights"), str):
        found["weights"] = change["model.weights"]
    if "request.weights" in change:
        found["weights"] = change["request.weights"]
    if isinstance(change.get("request.quality_floor"), str):
        found["quality_floor"] = change["request.quality_floor"]
    if isinstance(change.get("serving.kv_cache_dtype"), str) and draft.kv_cache:
        found["kv_cache"] = None
    found |= _engine(change, draft) | _hardware(change, draft)
    return {key: value for key, value in found.items() if getattr(draft, key) != value}


def _engine(change: dict[str, Any], draft: Draft) -> dict[str, Any]:
    name, version = change.get("engine.name"), change.get("engine.version")
    if isinstance(version, str) and (name or draft.engine):
        return {"engine": f"{name or str(draft.engine).partition('==')[0]}=={version}"}
    return {"engine": name} if isinstance(name, str) else {}


def _hardware(change: dict[str, Any], draft: Draft) -> dict[str, Any]:
    inventory = draft.inventory
    if inventory is None:
        return {}
    nodes, fabric = change.get("hardware.nodes"), change.get("hardware.fabric")
    changed = inventory
    if isinstance(nodes, int) and nodes > 0:
        changed = with_nodes(changed, nodes)
    if isinstance(fabric, str):
        changed = replace(changed, fabric=fabric)
    return {} if changed is inventory else {"inventory": changed, "site": f"{draft.site}, changed"}


def with_nodes(inventory: Inventory, count: int) -> Inventory:
    """The inventory with ``count`` machines like its first."""
    first = replace(inventory.nodes[0], count=count)
    return replace(inventory, nodes=(first,), origin="simulated")


def in_words(changes: dict[str, Any]) -> str:
    """``weights awq-int4, quality floor int4``."""
    said = [f"{key.replace('_', ' ')} {value if value is not None else 'any'}" for key, value in changes.items()
            if key not in ("inventory", "site")]  # fmt: skip
    if "inventory" in changes:
        inventory = changes["inventory"]
        said.append(f"{sum(node.count for node in inventory.nodes)} nodes")
        if inventory.fabric:
            said.append(f"fabric {inventory.fabric}")
    return ", ".join(said)
