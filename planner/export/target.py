"""What an export target is, and what it is given.

A target is a module with ``TARGET`` and ``render(context) -> {relative path: text}``; the registry names the modules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from planner.documents.deployment import Deployment
from planner.documents.result import EstimateDocument, Finding
from planner.errors import BadInput
from planner.resolved import Resolved

if TYPE_CHECKING:
    from planner.export.habits import Habits
    from planner.export.images import Image
    from planner.export.layout import Layout
    from planner.export.location import Location
    from planner.export.platforms import Platform
    from planner.export.runtime import Runtime
    from planner.export.timing import Timing

Job = Literal["serving", "finetune", "any"]


@dataclass(frozen=True, slots=True)
class Target:
    """One kind of output."""

    name: str
    about: str
    checked_by: str = ""
    """Which real tool read its output, where ``checks.toml`` does not say it."""
    job: Job = "serving"
    engines: tuple[str, ...] = ()
    """Engine names it can render; empty: every engine."""
    except_engines: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    """Platforms (``nvidia`` ``amd`` ``intel`` ``gaudi`` ``ascend`` ``apple`` ``cpu``); empty: every one."""
    multi_node: bool = True
    """Whether one instance may span several nodes."""
    by_mpi: bool = False
    """Can join nodes by MPI, for engines that need it."""
    starts: bool = True
    """Starts the engine, on the deployment's devices."""
    needs_image: bool = False
    """Runs a container image."""
    main: str = ""
    """The file shown when no folder is named."""
    trainers: tuple[str, ...] = ()
    """Trainers it can render, for fine-tuning jobs; empty: every trainer."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a deployment document does not say but a file needs. Every field may stay empty."""

    model_path: str | None = None
    """Where the weights lie on the serving machines."""
    image: str | None = None
    """``repository:tag`` instead of the published one."""
    digest: str | None = None
    """``sha256:…`` that pins the image."""
    port: int | None = None
    listen: str | None = None
    """Address to listen on; absent: 127.0.0.1, inside containers 0.0.0.0."""
    served_name: str | None = None
    interface: str | None = None
    """Network interface between nodes ("eth0", "bond0")."""
    ib_devices: str | None = None
    """RDMA devices ("mlx5_0,mlx5_1")."""
    rdma_resource: str | None = None
    """Resource of a cluster's RDMA device plug-in ("rdma/hca_shared_devices_a")."""
    head_address: str | None = None
    """Name or address of the first node."""
    namespace: str | None = None
    storage_class: str | None = None
    claim: str | None = None
    """An existing volume claim that holds the model."""
    node_selector: tuple[tuple[str, str], ...] = ()
    partition: str | None = None
    """Slurm partition."""
    disk_bytes_s: float | None = None
    """How fast the model's storage reads."""
    user: int = 10001
    """Numeric user that containers run as."""
    power_limit_w: float | None = None


@dataclass(frozen=True)
class Context:
    """Everything a target may look at. The rest is derived from it, once."""

    deployment: Deployment
    resolved: Resolved
    estimate: EstimateDocument
    options: Options = field(default_factory=Options)

    @cached_property
    def layout(self) -> Layout:
        """Instances, nodes and devices."""
        from planner.export.layout import layout_of

        return layout_of(self)

    @cached_property
    def habits(self) -> Habits:
        """What the model wants beside the layout."""
        from planner.export.habits import habits_of

        return habits_of(self)

    @cached_property
    def platform(self) -> Platform:
        """The vendor's devices, variables and resources."""
        from planner.export.platforms import platform_of

        return platform_of(self.resolved)

    @cached_property
    def runtime(self) -> Runtime:
        """How the engine is started: program, ports, variables."""
        from planner.export.runtime import runtime_of

        return runtime_of(self.resolved.engine)

    @cached_property
    def location(self) -> Location:
        """Where the model lies, and under which name it is served."""
        from planner.export.location import location_of

        return location_of(self)

    @cached_property
    def image(self) -> Image:
        """The container image. Raises BadInput when none is known."""
        from planner.export.images import image_of

        return image_of(self)

    @cached_property
    def timing(self) -> Timing:
        """How long loading takes and how long probes have to wait."""
        from planner.export.timing import timing_of

        return timing_of(self)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What the engine at this version, or this planner's export, cannot express."""
        from planner.export.command import serving_findings

        return serving_findings(self) if self.deployment.finetune is None else ()


Render = Callable[[Context], dict[str, str]]


def unsuitable(target: Target, context: Context) -> str | None:
    """Why a target does not apply to a deployment; None when it does."""
    resolved = context.resolved
    tests: Iterable[tuple[bool, str]] = (
        (target.job == "serving" and context.deployment.finetune is not None, "the document is a training job"),
        (target.job == "finetune" and context.deployment.finetune is None, "the document is no training job"),
        (bool(target.engines) and resolved.engine.name not in target.engines, _not_for(resolved.engine.name)),
        (resolved.engine.name in target.except_engines, _not_for(resolved.engine.name)),
        (bool(target.trainers) and _trainer(context) not in target.trainers, _not_for(_trainer(context))),
    )
    for hit, reason in tests:
        if hit:
            return reason
    return _unsuitable_machine(target, context)


def _unsuitable_machine(target: Target, context: Context) -> str | None:
    if target.job != "serving" or not target.starts:
        return None
    try:
        if target.platforms and context.platform.id not in target.platforms:
            return f"it does not run on {context.platform.name}"
        if context.runtime.platforms and context.platform.id not in context.runtime.platforms:
            return f"{context.resolved.engine.name} does not run on {context.platform.name}"
        return _unsuitable_nodes(target, context)
    except BadInput as error:
        return str(error)


def _unsuitable_nodes(target: Target, context: Context) -> str | None:
    nodes, engine = context.layout.nodes_per_instance, context.resolved.engine.name
    if nodes == 1:
        return None
    if not target.multi_node:
        return f"one instance spans {nodes} nodes"
    joined = context.runtime.nodes_joined_by
    if joined == "mpi":
        return None if target.by_mpi else f"{engine} joins nodes by MPI: use slurm"
    return None if joined else f"{engine} over several nodes is not rendered"


def _not_for(name: str) -> str:
    return f"it is not for {name}"


def _trainer(context: Context) -> str:
    trainer = context.resolved.trainer
    return trainer.name if trainer else "an unnamed trainer"
