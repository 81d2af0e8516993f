"""How a deployment spreads over processes and nodes: instances, nodes each, devices of each node."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from planner.errors import BadInput
from planner.export.command import engine_replicas

if TYPE_CHECKING:
    from planner.export.target import Context

_MOST_INSTANCES = 64
_MOST_NODES = 1024


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the processes of a deployment run."""

    instances: int
    """Engines started apart from each other, each with its own port."""
    engine_dp: int
    """Replicas that one engine keeps by itself behind one port."""
    gpus_per_instance: int
    nodes_per_instance: int
    gpus_per_node: int
    """Of one instance on one node."""
    instances_per_node: int

    @property
    def multi_node(self) -> bool:
        return self.nodes_per_instance > 1

    def devices(self, instance: int) -> tuple[int, ...]:
        """Device indices of an instance on its node."""
        first = instance % self.instances_per_node * self.gpus_per_node
        return tuple(range(first, first + self.gpus_per_node))


def layout_of(context: Context) -> Layout:
    """Raises BadInput when an instance cannot be laid out over whole nodes."""
    serving, cluster = context.resolved.serving, context.resolved.cluster
    engine_dp = engine_replicas(context)
    gpus = devices_of_instance(context) * engine_dp
    nodes = max(1, ceil(gpus / cluster.per_node))
    instances = serving.dp // engine_dp
    if gpus % nodes or nodes > _MOST_NODES:
        message = f"{gpus} devices of one instance do not divide over {nodes} nodes of {cluster.per_node}"
        raise BadInput("serving", message, f"choose tp × pp × attention_dp as a multiple of {cluster.per_node}")
    if instances > _MOST_INSTANCES:
        raise BadInput(
            "serving.dp", f"{instances} instances are more than one bundle holds", "export one and repeat it"
        )
    per_node = gpus // nodes
    return Layout(
        instances=instances,
        engine_dp=engine_dp,
        gpus_per_instance=gpus,
        nodes_per_instance=nodes,
        gpus_per_node=per_node,
        instances_per_node=max(1, cluster.per_node // per_node) if nodes == 1 else 1,
    )


def devices_of_instance(context: Context) -> int:
    """Devices of one replica: the layout's, or for engines that split by themselves all of the node."""
    serving, resolved = context.resolved.serving, context.resolved
    if resolved.engine.local:
        return max(1, resolved.cluster.per_node // serving.dp)
    return serving.tp * serving.attention_dp * serving.pp
