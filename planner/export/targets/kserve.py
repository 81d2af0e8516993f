"""KServe: an InferenceService with its own container, without Knative."""

from __future__ import annotations

from typing import Any

from planner.export.container import container_of
from planner.export.emit.yaml import yaml_text
from planner.export.pod import metadata, pod_spec, supporting
from planner.export.target import Context, Target

TARGET = Target(
    name="kserve",
    about="KServe InferenceService (RawDeployment) with its own container",
    except_engines=("ollama", "mlx", "mindie", "optimum-habana", "ktransformers"),
    platforms=("nvidia", "amd", "intel", "gaudi", "ascend", "cpu"),
    multi_node=False,
    needs_image=True,
    main="inferenceservice.yaml",
)
_CONTAINER = "kserve-container"


def render(context: Context) -> dict[str, str]:
    """``inferenceservice.yaml``, ``pvc.yaml``."""
    container = container_of(context)
    objects = [("inferenceservice.yaml", _service(context)), *supporting(context, container)]
    return {name: yaml_text(thing) for name, thing in objects}


def _service(context: Context) -> dict[str, Any]:
    named = {**metadata(context), "annotations": {"serving.kserve.io/deploymentMode": "RawDeployment"}}
    replicas = context.layout.instances
    predictor = {
        "minReplicas": replicas,
        "maxReplicas": replicas,
        "timeout": 600,
        **pod_spec(context, container_of(context), _CONTAINER),
    }
    kind = {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService"}
    return {**kind, "metadata": named, "spec": {"predictor": predictor}}
