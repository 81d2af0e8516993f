"""How an engine behaves at one version: data from ``profiles/<engine>.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class EngineProfile:
    """One engine at one release.

    ``facts`` is the merged tables of the profile file for that release, e.g. ``facts["defaults"]["max_num_seqs"]``;
    a value may be any TOML value. ``sources`` maps the dotted key of a fact to where it was read.
    """

    name: str
    version: str
    """As written by the person, or the profile's newest when absent."""
    release: tuple[int, ...] | None
    """Parsed; None when the version could not be read as a release (the newest profile is taken, wider range)."""
    family: str
    """Kind of engine: ``vllm`` ``sglang`` ``trtllm`` ``llama.cpp`` … (plug-ins and forks name their base)."""
    exact: bool
    """The release lies in a profile's own range, not merely next to it."""
    backend: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    local: bool = False
    """It lays its buffers out device by device and splits layers itself (``memory.convention = "buffers"``), where
    others take a share of each device's memory."""

    def fact(self, dotted: str, default: Any = None) -> Any:
        """The value under a dotted key, or the default."""
        node: Any = self.facts
        for key in dotted.split("."):
            if not isinstance(node, dict) or key not in node:
                return default
            node = node[key]
        return node
