"""A Kubernetes pod that runs the engine: shared by Deployment, LeaderWorkerSet and KServe."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

from planner.export.cluster_names import dns_label, dns_subdomain, label_value, qualified_name
from planner.export.container import Container
from planner.export.emit.words import Ref, Word, parts_of
from planner.export.pod_network import host_network, rdma_limits, uses_rdma
from planner.export.runtime import CACHE, CONFIG
from planner.units import GIB, MIB

if TYPE_CHECKING:
    from planner.export.target import Context

SECRET_KEY = "api-key"
_PERIOD_S = 10


def labels(context: Context) -> dict[str, str]:
    """What selects the pods of this deployment."""
    return {"app.kubernetes.io/name": context.location.label, "app.kubernetes.io/managed-by": "deploy-planner"}


def metadata(context: Context, suffix: str = "") -> dict[str, Any]:
    """Name, labels, and the namespace where one was given."""
    found: dict[str, Any] = {"name": context.location.label + suffix, "labels": labels(context)}
    if context.options.namespace:
        found["namespace"] = dns_label(context.options.namespace, "namespace")
    return found


def secret_name(context: Context) -> str:
    """The secret that holds the API key; made by the operator, never written here."""
    return f"{context.location.label}-api-key"


def claim_name(context: Context) -> str:
    """The volume claim with the model's files."""
    return dns_subdomain(context.options.claim or f"{context.location.label}-model", "claim")


def node_labels(context: Context) -> dict[str, str]:
    """Labels of the nodes that pods may run on."""
    where = "node selector"
    return {qualified_name(k, where): label_value(v, where) for k, v in context.options.node_selector}


def config_name(context: Context) -> str:
    """The config map with files that the engine reads."""
    return f"{context.location.label}-config"


def kubernetes_word(word: Word) -> str:
    """Kubernetes expands $(NAME) in commands; a literal dollar is doubled."""
    return "".join(f"$({p.name})" if isinstance(p, Ref) else p.replace("$", "$$") for p in parts_of(word))


def pod_spec(context: Context, container: Container, name: str, *, serves: bool = True) -> dict[str, Any]:
    """The pod. ``serves``: whether this one answers requests."""
    spec: dict[str, Any] = {
        "containers": [_container(context, container, name, serves)],
        "volumes": _volumes(context, container),
        "securityContext": _pod_security(context),
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 120,
        **host_network(context),
    }
    if context.options.node_selector:
        spec["nodeSelector"] = node_labels(context)
    if context.platform.resource:
        spec["tolerations"] = [{"key": context.platform.resource, "operator": "Exists", "effect": "NoSchedule"}]
    return spec


def _container(context: Context, container: Container, name: str, serves: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": name,
        "image": context.image.reference,
        "imagePullPolicy": "IfNotPresent",
        "command": [kubernetes_word(w) for w in container.entrypoint],
        "args": [kubernetes_word(w) for w in container.arguments],
        "env": [_variable(context, k, v) for k, v in container.environment.items() if k != context.platform.visible],
        "resources": _resources(context, container),
        "volumeMounts": _mounts(context, container),
        "securityContext": _security(context),
    }
    if serves:
        found["ports"] = [{"name": "http", "containerPort": container.port, "protocol": "TCP"}]
        found |= _probes(context)
    return found


def _variable(context: Context, name: str, value: Word) -> dict[str, Any]:
    if isinstance(value, Ref):
        wanted = {"name": secret_name(context), "key": SECRET_KEY, "optional": not context.runtime.key_flag}
        return {"name": name, "valueFrom": {"secretKeyRef": wanted}}
    return {"name": name, "value": kubernetes_word(value)}


def _probes(context: Context) -> dict[str, Any]:
    """The start-up probe waits as long as a slow load takes; then a hung server is restarted."""
    check = {
        "httpGet": {"path": context.runtime.health, "port": "http"},
        "periodSeconds": _PERIOD_S,
        "timeoutSeconds": 5,
    }
    return {
        "startupProbe": {
            **check,
            "periodSeconds": context.timing.probe_period_s,
            "failureThreshold": context.timing.probe_failures,
        },
        "readinessProbe": {**check, "failureThreshold": 3},
        "livenessProbe": {**check, "failureThreshold": 6},
    }


def _resources(context: Context, container: Container) -> dict[str, Any]:
    """Devices as limits; processors and memory as requests: an over-tight memory limit kills the load."""
    platform, memory = context.platform, host_memory_bytes(context)
    limits: dict[str, Any] = {}
    if platform.resource:
        limits[platform.resource] = str(len(container.devices))
    if platform.huge_pages:
        pages = platform.huge_pages_per_device_bytes * len(container.devices)
        limits[platform.huge_pages] = f"{ceil(pages / MIB)}Mi"
    limits |= rdma_limits(context)
    requests = {"cpu": str(max(4, 4 * len(container.devices))), "memory": f"{ceil(memory / GIB)}Gi"}
    found: dict[str, Any] = {"requests": {**requests, **limits}}
    return {**found, "limits": limits} if limits else found


def host_memory_bytes(context: Context) -> float:
    """Host memory of one node's processes: as predicted, shared memory included."""
    memory = context.estimate.memory
    predicted = memory.host_ram.value if memory and memory.host_ram else 8.0 * GIB
    shared = 0.0 if not context.platform.shared_memory else 16.0 * GIB
    return min(predicted + shared, 4096.0 * GIB)


def _volumes(context: Context, container: Container) -> list[dict[str, Any]]:
    volumes: list[dict[str, Any]] = [
        {"name": "model", "persistentVolumeClaim": {"claimName": claim_name(context), "readOnly": True}},
        {"name": "cache", "emptyDir": {}},
    ]
    if container.shm_bytes:
        limit = f"{ceil(container.shm_bytes / GIB)}Gi"
        volumes.append({"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": limit}})
    if container.files:
        volumes.append({"name": "config", "configMap": {"name": config_name(context)}})
    return volumes


def _mounts(context: Context, container: Container) -> list[dict[str, Any]]:
    location = context.location
    inside = location.inside.rsplit("/", 1)[0] if location.is_file else location.inside
    mounts: list[dict[str, Any]] = [
        {"name": "model", "mountPath": inside, "readOnly": True},
        {"name": "cache", "mountPath": CACHE},
    ]
    if container.shm_bytes:
        mounts.append({"name": "shm", "mountPath": "/dev/shm"})
    if container.files:
        mounts.append({"name": "config", "mountPath": CONFIG, "readOnly": True})
    return mounts


def runs_as_user(context: Context) -> bool:
    """Device files of AMD and Intel belong to a group whose number differs from node to node: there, root."""
    return context.platform.non_root and not context.platform.group_variables


def _pod_security(context: Context) -> dict[str, Any]:
    profile = {"type": "Unconfined" if context.platform.seccomp else "RuntimeDefault"}
    if not runs_as_user(context):
        return {"seccompProfile": profile}
    user = context.options.user
    return {"runAsNonRoot": True, "runAsUser": user, "runAsGroup": user, "fsGroup": user, "seccompProfile": profile}


def _security(context: Context) -> dict[str, Any]:
    capabilities: dict[str, Any] = {"drop": ["ALL"]} if runs_as_user(context) else {}
    added = list(context.platform.capabilities)
    if uses_rdma(context):
        added.append("IPC_LOCK")
    if added:
        capabilities["add"] = added
    found: dict[str, Any] = {"allowPrivilegeEscalation": False}
    return {**found, "capabilities": capabilities} if capabilities else found


def claim(context: Context) -> dict[str, Any]:
    """A volume claim large enough for the files."""
    size = ceil(context.timing.weight_bytes * 1.1 / GIB) + 1
    spec: dict[str, Any] = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": f"{size}Gi"}}}
    if context.options.storage_class:
        spec["storageClassName"] = dns_subdomain(context.options.storage_class, "storage class")
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata(context, "-model"), "spec": spec}


def config_map(context: Context, container: Container) -> dict[str, Any]:
    """Files that the engine reads beside its flags."""
    named = {**metadata(context), "name": config_name(context)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": named, "data": dict(container.files)}


def service(context: Context, container: Container, selector: dict[str, str]) -> dict[str, Any]:
    """A stable address inside the cluster."""
    ports = [{"name": "http", "port": 80, "targetPort": container.port, "protocol": "TCP"}]
    spec = {"type": "ClusterIP", "selector": selector, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata(context), "spec": spec}


def supporting(context: Context, container: Container) -> list[tuple[str, dict[str, Any]]]:
    """Objects that the pods need, by file name: claim and config map."""
    found = [] if context.options.claim else [("pvc.yaml", claim(context))]
    return found + ([("configmap.yaml", config_map(context, container))] if container.files else [])
