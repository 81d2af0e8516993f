"""A deployment made ready for export: estimated, its model found, its files listed where they are at hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from planner.documents.deployment import Deployment
from planner.documents.inventory import Inventory, Nic
from planner.errors import BadInput
from planner.export.airgap import ModelFiles
from planner.export.target import Context, Options
from planner.predict import predict
from planner.resolve import resolve

if TYPE_CHECKING:
    from planner.library import Library

_MOST_FILES = 10_000


def prepare(deployment: Deployment, library: Library, options: Options | None = None) -> Context:
    """The context for rendering. Raises BadInput for names that do not exist."""
    chosen = options or Options()
    if deployment.serving is not None and deployment.serving.disaggregation is not None:
        said = "prefill and decode on workers of their own are planned, but not exported"
        raise BadInput("serving.disaggregation", said, "export each kind of worker as a deployment without it")
    if chosen.model_path is None and deployment.model.path is not None:
        chosen = replace(chosen, model_path=str(_model_place(Path(deployment.model.path))))
    return Context(deployment, resolve(deployment, library), predict(deployment, library), chosen)


def _model_place(path: Path) -> Path:
    """The checkpoint's folder or the .gguf file, absolute."""
    from planner.models.local import single_gguf

    place = path.expanduser().absolute()
    if place.suffix.lower() == ".json":
        return place.parent
    if place.is_dir() and not (place / "config.json").is_file():
        return single_gguf(place)
    return place


def model_files(context: Context) -> ModelFiles:
    """The model's files and their bytes, when they lie on this machine."""
    place = Path(context.location.path)
    if place.is_file():
        return [(place.name, place.stat().st_size)]
    if not place.is_dir():
        return []
    found = sorted(p for p in place.rglob("*") if p.is_file() and not any(q.startswith(".") for q in p.parts))
    return [(p.relative_to(place).as_posix(), p.stat().st_size) for p in found[:_MOST_FILES]]


def network_options(options: Options, inventory: Inventory) -> Options:
    """Interface and RDMA devices from an inventory, where the options name none."""
    nics = [nic for node in inventory.nodes for nic in node.host.nics]
    interface = options.interface or _fastest_ethernet(nics)
    rdma = options.ib_devices or ",".join(sorted({n.name for n in nics if n.kind in ("infiniband", "roce")})) or None
    return replace(options, interface=interface, ib_devices=rdma)


def _fastest_ethernet(nics: list[Nic]) -> str | None:
    wired = [nic for nic in nics if nic.kind == "ethernet"]
    return max(wired, key=lambda nic: (nic.bytes_s or 0.0, nic.name)).name if wired else None
