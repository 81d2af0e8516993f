"""Values of the vLLM production-stack Helm chart."""

from __future__ import annotations

from math import ceil
from typing import Any

from planner.export.command import Command, command_of, container_place
from planner.export.container import container_of, environment_of
from planner.export.emit.words import literal
from planner.export.emit.yaml import yaml_text
from planner.export.pod import (
    SECRET_KEY,
    claim,
    claim_name,
    host_memory_bytes,
    kubernetes_word,
    node_labels,
    runs_as_user,
    secret_name,
)
from planner.export.runtime import CACHE
from planner.export.target import Context, Target
from planner.units import GIB

TARGET = Target(
    name="helm-values",
    about="values.yaml of the vLLM production-stack chart",
    engines=("vllm", "vllm-ascend", "vllm-gaudi"),
    platforms=("nvidia", "amd", "intel", "gaudi", "ascend", "cpu"),
    multi_node=False,
    needs_image=True,
    main="values.yaml",
)
_OWN_KEYS = {
    "tp": ("tensorParallelSize", int),
    "max_model_len": ("maxModelLen", int),
    "max_num_seqs": ("maxNumSeqs", int),
    "gpu_memory_utilization": ("gpuMemoryUtilization", float),
}
"""Options that the chart has keys for; everything else goes through extraArgs."""
_CHART_SETS = ("host", "port")


def render(context: Context) -> dict[str, str]:
    """``values.yaml``, and the claim that it mounts."""
    files = {"values.yaml": yaml_text({"servingEngineSpec": _engine(context)}, comment=_COMMENT)}
    return files if context.options.claim else {**files, "pvc.yaml": yaml_text(claim(context))}


_COMMENT = "helm install NAME vllm/vllm-stack -f values.yaml"


def _engine(context: Context) -> dict[str, Any]:
    probe = {"path": context.runtime.health, "port": container_of(context).port}
    spec: dict[str, Any] = {
        "enableEngine": True,
        "vllmApiKey": {"secretName": secret_name(context), "secretKey": SECRET_KEY},
        "startupProbe": {
            "initialDelaySeconds": 15,
            "periodSeconds": context.timing.probe_period_s,
            "failureThreshold": context.timing.probe_failures,
            "httpGet": probe,
        },
        "containerSecurityContext": {"allowPrivilegeEscalation": False},
        "modelSpec": [_model(context)],
    }
    if runs_as_user(context):
        user = context.options.user
        spec["securityContext"] = {"runAsNonRoot": True, "runAsUser": user, "runAsGroup": user, "fsGroup": user}
    return spec


def _model(context: Context) -> dict[str, Any]:
    location, layout, container = context.location, context.layout, container_of(context)
    command = command_of(context, container_place(context))
    model: dict[str, Any] = {
        "name": location.label,
        "repository": context.image.repository,
        "tag": _tag(context),
        "modelURL": location.inside,
        "replicaCount": layout.instances,
        "requestCPU": max(4, 4 * layout.gpus_per_node),
        "requestMemory": f"{ceil(host_memory_bytes(context) / GIB)}Gi",
        "requestGPU": layout.gpus_per_node if context.platform.resource else 0,
        "extraVolumes": _volumes(context),
        "extraVolumeMounts": [
            {"name": "model", "mountPath": location.inside if not location.is_file else "/model", "readOnly": True},
            {"name": "cache", "mountPath": CACHE},
        ],
        "env": [{"name": k, "value": v} for k, v in environment_of(context, None, container=True).items()],
        "vllmConfig": _config(command),
    }
    if container.shm_bytes:
        model["shmSize"] = f"{ceil(container.shm_bytes / GIB)}Gi"
    if context.platform.resource and context.platform.id != "nvidia":
        model["requestGPUType"] = context.platform.resource
    if context.options.node_selector:
        terms = [{"key": k, "operator": "In", "values": [v]} for k, v in node_labels(context).items()]
        model["nodeSelectorTerms"] = [{"matchExpressions": terms}]
    return model


def _tag(context: Context) -> str:
    image = context.image
    return f"{image.tag}@{image.digest}" if image.digest else image.tag


def _volumes(context: Context) -> list[dict[str, Any]]:
    return [
        {"name": "model", "persistentVolumeClaim": {"claimName": claim_name(context), "readOnly": True}},
        {"name": "cache", "emptyDir": {}},
    ]


def _config(command: Command) -> dict[str, Any]:
    config: dict[str, Any] = {}
    rest: list[str] = []
    for flag in command.flags:
        if flag.option in _OWN_KEYS and flag.value is not None:
            key, kind = _OWN_KEYS[flag.option]
            config[key] = kind(literal(flag.value))
        elif flag.option not in _CHART_SETS:
            rest += [kubernetes_word(word) for word in command.flag_words(flag)]
    return {**config, "extraArgs": rest}
