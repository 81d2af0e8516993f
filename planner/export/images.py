"""Container images: the published one of an engine, platform and version, or the one that the options name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.data import read_toml
from planner.engines.version import in_range
from planner.errors import BadInput

if TYPE_CHECKING:
    from planner.export.target import Context

_FILE = "export/images.toml"
_NAME = re.compile(r"[a-z0-9][A-Za-z0-9._/:-]{0,250}\Z")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
_PORTABLE = ("vulkan",)
"""Backends with an image of their own whatever the vendor."""
_FIX = "name one with --image REPOSITORY:TAG"


@dataclass(frozen=True, slots=True)
class Image:
    """An image by tag; the digest pins it once somebody has looked it up."""

    repository: str
    tag: str
    digest: str | None = None
    source: str = ""

    @property
    def by_tag(self) -> str:
        return f"{self.repository}:{self.tag}"

    @property
    def reference(self) -> str:
        """What a container engine pulls."""
        return f"{self.by_tag}@{self.digest}" if self.digest else self.by_tag


def image_of(context: Context) -> Image:
    """The image to run. Raises BadInput when none is known or the name is none."""
    digest = context.options.digest
    if digest is not None and not _DIGEST.match(digest):
        raise BadInput("digest", f"is none: {digest[:80]!r}", "give sha256: and 64 hex digits")
    if context.options.image is not None:
        repository, tag = _split(context.options.image)
        return Image(repository, tag, digest, "given by the operator")
    row = _published(context)
    if row is None:
        engine = context.resolved.engine
        what = f"no published image of {engine.name} {engine.version} for {context.platform.name} is known"
        raise BadInput("image", what, _FIX)
    return Image(row["repository"], _tag(row["tag"], context), digest, row["source"])


def _published(context: Context) -> Mapping[str, Any] | None:
    engine = context.resolved.engine
    for row in read_toml(_FILE)["images"]:
        if row["engine"] != engine.name or not _for_device(row, context):
            continue
        holds = in_range(engine.release, row.get("versions", "")) if engine.release else "{" not in row["tag"]
        if holds:
            return dict(row)
    return None


def _for_device(row: Mapping[str, Any], context: Context) -> bool:
    """Rows name a platform, or a backend that runs on several."""
    backend = context.resolved.engine.backend
    if backend in _PORTABLE or "backend" in row:
        return bool(row.get("backend") == backend)
    return bool(row["platform"] == context.platform.id)


def _tag(pattern: str, context: Context) -> str:
    release = context.resolved.engine.release or ()
    return pattern.format(version=".".join(map(str, release)), build=release[0] if release else "")


def _split(name: str) -> tuple[str, str]:
    """``host:5000/repository:tag`` → repository, tag."""
    if not _NAME.match(name):
        raise BadInput("image", f"is no image name: {name[:80]!r}", _FIX)
    head, _, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    if not tag or not last:
        raise BadInput("image", f"has no tag: {name[:80]!r}", _FIX)
    return (f"{head}/{last}" if head else last), tag
