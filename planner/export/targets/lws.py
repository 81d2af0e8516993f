"""LeaderWorkerSet: groups of pods, one a node, that start and fail together."""

from __future__ import annotations

from typing import Any

from planner.export.container import Container, container_of
from planner.export.emit.words import Ref
from planner.export.emit.yaml import yaml_text
from planner.export.node import Node
from planner.export.pod import labels, metadata, pod_spec, service, supporting
from planner.export.target import Context, Target

TARGET = Target(
    name="lws",
    about="LeaderWorkerSet for instances over several nodes, Service, PersistentVolumeClaim",
    engines=("vllm", "vllm-ascend", "vllm-gaudi", "sglang"),
    platforms=("nvidia", "amd", "intel", "gaudi", "ascend"),
    needs_image=True,
    main="leaderworkerset.yaml",
)
_GROUP = "leaderworkerset.sigs.k8s.io/name"


def render(context: Context) -> dict[str, str]:
    """``leaderworkerset.yaml``, ``service.yaml``, ``pvc.yaml``."""
    leader = container_of(context, node=_node(follower=False))
    selector = {_GROUP: context.location.label, "role": "leader"}
    objects = [("leaderworkerset.yaml", _set(context, leader)), ("service.yaml", service(context, leader, selector))]
    return {name: yaml_text(thing) for name, thing in [*objects, *supporting(context, leader)]}


def _node(*, follower: bool) -> Node:
    """The variables that LeaderWorkerSet sets in every container."""
    return Node(Ref("LWS_WORKER_INDEX") if follower else "0", Ref("LWS_LEADER_ADDRESS"), follower)


def _set(context: Context, leader: Container) -> dict[str, Any]:
    layout = context.layout
    group: dict[str, Any] = {
        "size": layout.nodes_per_instance,
        "restartPolicy": "RecreateGroupOnPodRestart",
        "leaderTemplate": _template(context, leader, "leader", serves=True),
        "workerTemplate": _template(context, container_of(context, node=_node(follower=True)), "worker", serves=False),
    }
    spec = {"replicas": layout.instances, "leaderWorkerTemplate": group}
    kind = {"apiVersion": "leaderworkerset.x-k8s.io/v1", "kind": "LeaderWorkerSet"}
    return {**kind, "metadata": metadata(context), "spec": spec}


def _template(context: Context, container: Container, role: str, *, serves: bool) -> dict[str, Any]:
    spec = pod_spec(context, container, role, serves=serves)
    return {"metadata": {"labels": {**labels(context), "role": role}}, "spec": spec}
