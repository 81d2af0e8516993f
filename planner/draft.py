"""The draft of a speculative deployment: looked up where it is named, a usual head where only its method is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.documents.deployment import SpeculativeTable
from planner.engines.speculation import HEADS, method_name
from planner.errors import BadInput, UnknownArchitecture
from planner.models.architecture import Architecture
from planner.models.draft_head import eagle_head
from planner.models.formats import weight_scheme
from planner.models.intake import open_model
from planner.models.source import ModelSource
from planner.resolved import Draft

if TYPE_CHECKING:
    from planner.library import Library


def draft_of(table: SpeculativeTable | None, target: Architecture, library: Library) -> Draft | None:
    """The draft's architecture and weights; None where the model itself or its text proposes, or nothing is known."""
    if table is None:
        return None
    method = method_name(table.method)
    source = _named(table.draft, library) if table.draft else None
    if source is not None:
        own = source.quantization or weight_scheme(source.architecture.dtype, source.architecture)
        return Draft(source.architecture, own)
    if method in HEADS:
        return Draft(eagle_head(target, method), weight_scheme("bf16", target), assumed=True)
    return None


def _named(name: str, library: Library) -> ModelSource | None:
    """The model of that name; None for repositories that the catalogue does not know and for paths of other machines
    (legality says that its memory is a guess then)."""
    try:
        return open_model(name, library)
    except (BadInput, UnknownArchitecture):
        return None
