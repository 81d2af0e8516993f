"""Kubernetes: Deployment, Service and the claim for the model."""

from __future__ import annotations

from typing import Any

from planner.export.container import container_of
from planner.export.emit.yaml import yaml_text
from planner.export.pod import labels, metadata, pod_spec, service, supporting
from planner.export.target import Context, Target

TARGET = Target(
    name="kubernetes",
    about="Deployment, Service, PersistentVolumeClaim",
    except_engines=("ollama", "mlx", "mindie", "optimum-habana", "ktransformers"),
    platforms=("nvidia", "amd", "intel", "gaudi", "ascend", "cpu", "moore-threads"),
    multi_node=False,
    needs_image=True,
    main="deployment.yaml",
)


def render(context: Context) -> dict[str, str]:
    """``deployment.yaml``, ``service.yaml``, ``pvc.yaml``."""
    container = container_of(context)
    objects = [
        ("deployment.yaml", _deployment(context)),
        ("service.yaml", service(context, container, labels(context))),
    ]
    return {name: yaml_text(thing) for name, thing in [*objects, *supporting(context, container)]}


def _deployment(context: Context) -> dict[str, Any]:
    selector = labels(context)
    spec = {
        "replicas": context.layout.instances,
        "selector": {"matchLabels": selector},
        # devices are rarely free twice: the old pod goes before the new one comes
        "strategy": {"type": "Recreate"},
        "progressDeadlineSeconds": context.timing.patience_s + 600,
        "template": {"metadata": {"labels": selector}, "spec": pod_spec(context, container_of(context), "engine")},
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata(context), "spec": spec}
