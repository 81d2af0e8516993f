"""A bundle: the chosen targets' files, the document they were made from, README, air-gap list, manifest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from planner.documents.files import deployment_hash, deployment_toml
from planner.documents.result import Finding
from planner.errors import BadInput
from planner.export.airgap import ModelFiles, airgap
from planner.export.document import with_estimate
from planner.export.readme import readme
from planner.export.registry import render, target
from planner.export.target import Context, unsuitable
from planner.version import VERSION

DOCUMENT, README, AIRGAP, MANIFEST = "deployment.toml", "README.md", "airgap.json", "MANIFEST.json"
_EXECUTABLE = (".sh",)


@dataclass(frozen=True, slots=True)
class Bundle:
    """Files by path below the bundle's folder, and what could not be expressed."""

    files: Mapping[str, str]
    findings: tuple[Finding, ...] = field(default=())

    @property
    def is_legal(self) -> bool:
        return not any(f.severity == "error" for f in self.findings)


def render_bundle(context: Context, names: Sequence[str], model_files: ModelFiles | None = None) -> Bundle:
    """Everything for the chosen targets. Raises BadInput for a target that does not suit, or text that is no data."""
    files: dict[str, str] = {DOCUMENT: deployment_toml(with_estimate(context.deployment, context.estimate))}
    chosen = [name for name in dict.fromkeys(names) if name != "toml"]
    for name in chosen:
        files |= {f"{name}/{path}": text for path, text in target_files(context, name).items()}
    findings = context.findings
    files[README] = readme(context, chosen, (*context.estimate.problems, *findings))
    files[AIRGAP] = airgap(context, chosen, model_files or [])
    files[MANIFEST] = _manifest(context, files)
    return Bundle(files, findings)


def target_files(context: Context, name: str) -> dict[str, str]:
    """One target's files. Raises BadInput when it does not suit the deployment."""
    reason = unsuitable(target(name), context)
    if reason is not None:
        raise BadInput(f"target {name}", reason, "deploy-planner export --list says what suits what")
    files = render(name, context)
    for path in files:
        _check_path(path)
    return files


def _check_path(path: str) -> None:
    """A target that names a path outside its folder is a bug, and must not reach a disk."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts or len(path) > 200:
        raise ValueError(f"a target named the path {path!r}")


def mode_of(path: str) -> int:
    """Scripts can be run, nothing can be written by others."""
    return 0o755 if path.endswith(_EXECUTABLE) else 0o644


def _manifest(context: Context, files: Mapping[str, str]) -> str:
    """Every file with its size and sha256; itself excepted."""
    listed: list[dict[str, Any]] = []
    for path, text in sorted(files.items()):
        content = text.encode()
        listed.append({"path": path, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()})
    document = {
        "schema": "deploy-planner/manifest/1",
        "planner": VERSION,
        "deployment": deployment_hash(context.deployment),
        "files": listed,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
