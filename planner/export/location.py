"""Where the model lies on the serving machines and inside containers, and the name it is served under."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from planner.errors import BadInput
from planner.export.emit.words import label, plain_text

if TYPE_CHECKING:
    from planner.export.target import Context

MODEL_ROOT = "/models"
"""Where weights are expected when nobody says otherwise."""
MOUNT = "/model"
"""Where containers see the folder of the weights, read-only."""
_GGUF = ".gguf"


@dataclass(frozen=True, slots=True)
class Location:
    """Paths and names of the model."""

    path: str
    """Directory of the checkpoint or the .gguf file, on the machine."""
    repository: str
    """Where the files are published, as far as known."""
    served_name: str
    label: str
    """The served name by the rules of DNS labels."""
    experts: str = ""
    """Directory of a GGUF file of the experts, for engines that take everything else from the model's own files."""

    @property
    def is_file(self) -> bool:
        return self.path.endswith(_GGUF)

    @property
    def folder(self) -> str:
        """What containers mount."""
        return str(PurePosixPath(self.path).parent) if self.is_file else self.path

    @property
    def inside(self) -> str:
        """The model's path inside a container."""
        return f"{MOUNT}/{PurePosixPath(self.path).name}" if self.is_file else MOUNT


def location_of(context: Context) -> Location:
    """Raises BadInput for names and paths that cannot be data of a file."""
    model, resolved = context.deployment.model, context.resolved
    repository = plain_text(model.checkpoint or model.id or resolved.model_id, "model.id")
    named = context.options.served_name
    served = plain_text(model.id or resolved.model_id if named is None else named, "served name")
    if not served.strip():
        raise BadInput("served name", "is empty", "give --served-name")
    where = model.id if _experts_apart(context) and model.id else repository
    path = context.options.model_path or model.path or default_path(context, where)
    experts = default_path(context, repository) if _experts_apart(context) else ""
    name = label(served.split("/")[-1])
    return Location(_absolute(plain_text(path, "model.path")), repository, served, name, experts)


def _experts_apart(context: Context) -> bool:
    """KTransformers reads the experts of GGUF files, all else of the model's own checkpoint (kt-kernel README)."""
    gguf = (context.deployment.model.weights or "").startswith("gguf:")
    return gguf and context.resolved.engine.family == "ktransformers"


def default_path(context: Context, repository: str) -> str:
    """``/models/<name>``, with the file's name for GGUF weights."""
    name = _file_name(repository.rstrip("/").split("/")[-1])
    weights = context.deployment.model.weights or ""
    if weights.startswith("gguf:") and context.resolved.engine.family != "ktransformers":
        stem = re.sub(r"-gguf$", "", name, flags=re.IGNORECASE)
        return f"{MODEL_ROOT}/{stem}/{stem}-{_file_name(weights.removeprefix('gguf:'))}{_GGUF}"
    return f"{MODEL_ROOT}/{name}"


def _file_name(text: str) -> str:
    kept = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.")[:120]
    return kept or "model"


def _absolute(path: str) -> str:
    """A clean absolute path; engines take anything else for the name of a hub's repository."""
    if not path.startswith("/"):
        raise BadInput("model.path", f"is not absolute: {path[:80]!r}", "give --model-path /where/the/weights/lie")
    if ".." in PurePosixPath(path).parts:
        raise BadInput("model.path", f"climbs with ..: {path[:80]!r}", "give the path without ..")
    return str(PurePosixPath("/" + path.lstrip("/")))
