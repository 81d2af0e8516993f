"""What has to be carried into a closed network: images, wheels, model files with bytes, and how long that takes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from planner.export.registry import target
from planner.export.timing import transfer_times

if TYPE_CHECKING:
    from planner.export.target import Context

ModelFiles = list[tuple[str, int]]
"""(path below the model's folder, bytes), where the files were at hand."""


def airgap(context: Context, names: list[str], model_files: ModelFiles) -> str:
    """``airgap.json``."""
    document: dict[str, Any] = {"schema": "deploy-planner/airgap/1", "model": _model(context, model_files)}
    serving = context.deployment.finetune is None
    images = [_image(context)] if serving and any(target(name).needs_image for name in names) else []
    document["images"] = images
    document["wheels"] = _wheels(context) if serving else []
    document["vocabulary"] = _vocabulary(context) if serving else []
    size = document["model"]["bytes"]
    document["transfer"] = [{"over": name, "seconds": round(seconds)} for name, seconds in transfer_times(size)]
    document["transfer_covers"] = "the model's files; images and wheels come on top"
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _model(context: Context, files: ModelFiles) -> dict[str, Any]:
    from planner.memory.host import disk_bytes

    listed = [{"path": path, "bytes": size} for path, size in files]
    total = sum(size for _, size in files) or round(disk_bytes(context.resolved))
    found: dict[str, Any] = {
        "repository": context.deployment.model.checkpoint or context.deployment.model.id or context.resolved.model_id,
        "bytes": total,
        "bytes_from": "the files" if files else "formula",
        "files": listed,
        "check": "sha256sum of every file, before and after the way",
    }
    return found


def _vocabulary(context: Context) -> list[dict[str, str]]:
    """Files that the engine would fetch at its start."""
    habits = context.habits.vocabulary
    if habits is None:
        return []
    place = f"{context.location.path}/{habits.folder}"
    return [{"fetch": f"{habits.source}/{name}", "into": place, "variable": habits.variable} for name in habits.files]


def _image(context: Context) -> dict[str, Any]:
    image = context.image
    save = f"docker pull {image.reference} && docker save {image.by_tag} -o image.tar"
    return {"image": image.by_tag, "digest": image.digest or "", "bytes": None, "source": image.source, "save": save}


def _wheels(context: Context) -> list[dict[str, Any]]:
    wheel, release = context.runtime.wheel, context.resolved.engine.release
    if not wheel or release is None:
        return []
    version = ".".join(map(str, release))
    return [{"wheel": f"{wheel}=={version}", "fetch": f"pip download {wheel}=={version} -d wheels", "bytes": None}]
