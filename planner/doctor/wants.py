"""What a deployment wants of a machine; a preflight without one wants little."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from planner.data import read_toml
from planner.documents.deployment import Deployment
from planner.engines.version import in_range
from planner.errors import BadInput
from planner.predict import predict_resolved
from planner.resolve import resolve

if TYPE_CHECKING:
    from planner.library import Library


@dataclass(frozen=True, slots=True)
class Wants:
    """Needs of one node. Zero or None: nothing in particular."""

    name: str | None = None
    engine: str | None = None
    family: str | None = None
    vendor: str | None = None
    cuda: str | None = None
    """CUDA of the engine's default image at that version."""
    gpus_per_node: int = 0
    nodes: int = 1
    accelerator: str | None = None
    per_gpu_bytes: float = 0.0
    share: float | None = None
    """Of a device's total that the engine takes at once."""
    host_bytes: float = 0.0
    disk_bytes: float = 0.0
    weights: Path | None = None
    sources: Mapping[str, str] = field(default_factory=dict)


def wants_of(deployment: Deployment, library: Library) -> Wants:
    """The needs, from the same prediction as everywhere."""
    if deployment.hardware is None:
        raise BadInput("hardware", "the document names no hardware", "add [hardware] accelerator, per_node")
    resolved = resolve(deployment, library)
    memory = predict_resolved(resolved, library).memory
    local = resolved.engine.local
    gpus = resolved.serving.gpus if not local else resolved.cluster.num_devices
    on_gpu = resolved.cluster.device.accelerator is not None
    return Wants(
        name=deployment.model.id or deployment.model.path,
        engine=f"{resolved.engine.name} {resolved.engine.version}",
        family=resolved.engine.family,
        vendor=resolved.cluster.device.vendor,
        cuda=image_cuda(resolved.engine.name, resolved.engine.release),
        gpus_per_node=min(gpus, resolved.cluster.per_node) if on_gpu else 0,
        nodes=resolved.cluster.nodes,
        accelerator=resolved.cluster.device.accelerator.id if resolved.cluster.device.accelerator else None,
        per_gpu_bytes=memory.per_gpu.total.value if memory else 0.0,
        share=None if local else resolved.serving.gpu_memory_utilization,
        host_bytes=memory.host_ram.value if memory and memory.host_ram else 0.0,
        disk_bytes=memory.disk or 0.0 if memory else 0.0,
        weights=Path(deployment.model.path) if deployment.model.path else None,
    )


def image_cuda(engine: str, release: tuple[int, ...] | None) -> str | None:
    """CUDA of the default image; None where no row knows."""
    if release is None:
        return None
    rows = read_toml("doctor/drivers.toml")["image"]
    return next((r["cuda"] for r in rows if r["engine"] == engine and in_range(release, r["versions"])), None)
