"""Rules of the devices below a layout: how many there are, and what lies between nodes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from planner.documents.result import Finding
from planner.legality.layout import in_words, ranks
from planner.resolved import Cluster, Serving
from planner.units import human_rate


def device_rules(serving: Serving, cluster: Cluster) -> Iterator[Finding]:
    """As many devices as there are."""
    if serving.gpus <= cluster.num_devices:
        return
    layout = f"tp {serving.tp} × attention_dp {serving.attention_dp} × pp {serving.pp} × dp {serving.dp}"
    if serving.prefill is not None:
        layout += f" + {serving.prefill.gpus} for prefill"
    message = f"{layout} = {serving.gpus} devices, but there are {cluster.num_devices}"
    change = _fewer(serving, cluster.num_devices)
    yield Finding("gpus-available", message, f"set {in_words(change)}", "error", change)


def _fewer(serving: Serving, available: int) -> dict[str, Any]:
    """A layout for what there is; without prefill workers where these leave nothing to decode on."""
    if serving.prefill is None:
        return fewer_devices(serving, available)
    left = available - serving.prefill.gpus
    if left < 1:
        return {"serving.disaggregation": None}
    return fewer_devices(replace(serving, prefill=None), left)


def fewer_devices(serving: Serving, available: int) -> dict[str, Any]:
    """Drop replicas first, then pipeline stages, then attention groups, then tensor ranks."""
    change: dict[str, Any] = {}
    left = serving
    for name in ("dp", "pp", "attention_dp", "tp"):
        if left.gpus <= available:
            break
        own = getattr(left, name)
        keep = max(available * own // left.gpus, 1)
        keep = max(d for d in range(1, keep + 1) if own % d == 0)
        change[f"serving.{name}"] = keep
        left = _with(left, name, keep)
    if serving.ep > 1 and left.ep != ranks(left):
        change["serving.ep"] = ranks(left)
    return change


def _with(serving: Serving, name: str, ways: int) -> Serving:
    sizes = {"tp": serving.tp, "attention_dp": serving.attention_dp, "pp": serving.pp, "dp": serving.dp, name: ways}
    return replace(serving, tp=sizes["tp"], attention_dp=sizes["attention_dp"], pp=sizes["pp"], dp=sizes["dp"])


def node_rules(serving: Serving, cluster: Cluster, tensor_fabric_bytes_s: float) -> Iterator[Finding]:
    """Groups across nodes need a network; tensor ranks across nodes need a fast one and whole nodes."""
    stage, node = ranks(serving), cluster.per_node
    if cluster.nodes == 1 or stage * serving.pp <= node:
        return
    fabric = cluster.fabric
    if stage <= node:
        if fabric is None:
            message = "pipeline stages cross nodes over a network that is not named"
            yield Finding("network-unknown", message, "name hardware.fabric", "warning")
    elif fabric is None or fabric.bytes_s < tensor_fabric_bytes_s:
        yield _needs_fabric(serving, cluster)
    if stage > node and stage % node:
        change = _into_nodes(serving, node)
        message = f"tp × attention_dp = {stage} fills nodes of {node} unevenly"
        yield Finding("group-fills-nodes", message, f"set {in_words(change)}", "error", change)


def _needs_fabric(serving: Serving, cluster: Cluster) -> Finding:
    """A network that nobody named may be fast: a warning. One that is named and slow is an error."""
    change = _into_nodes(serving, cluster.per_node)
    head = f"tp × attention_dp = {ranks(serving)} crosses nodes of {cluster.per_node}"
    if cluster.fabric is None:
        fix = f"name hardware.fabric, or set {in_words(change)}"
        message = f"{head} over a network that is not named; it needs InfiniBand, RoCE or the like"
        return Finding("tp-across-nodes-needs-fabric", message, fix, "warning", change)
    message = f"{head} over {cluster.fabric.id} ({human_rate(cluster.fabric.bytes_s)}): too slow for all-reduces"
    return Finding("tp-across-nodes-needs-fabric", message, f"set {in_words(change)}", "error", change)


def _into_nodes(serving: Serving, node: int) -> dict[str, Any]:
    """The same devices with tensor groups inside nodes and stages across them."""
    tp = max(t for t in range(1, min(serving.tp, node) + 1) if serving.tp % t == 0)
    groups = max(g for g in range(1, serving.attention_dp + 1) if serving.attention_dp % g == 0 and g * tp <= node)
    stages = serving.pp * ranks(serving) // (tp * groups)
    change: dict[str, Any] = {"serving.tp": tp, "serving.pp": stages}
    if groups != serving.attention_dp:
        change["serving.attention_dp"] = groups
    if serving.ep > 1:
        change["serving.ep"] = tp * groups
    return change
