"""What speculative decoding takes, where a deployment leaves it open: acceptance, and the cost of a draft."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from planner.documents.deployment import SpeculativeTable
from planner.engines.speculation import method_of
from planner.models.architecture import Architecture
from planner.models.parameters import count_parameters
from planner.resolved import Serving

if TYPE_CHECKING:
    from planner.library import Library


def with_drafts(serving: Serving, architecture: Architecture, library: Library, assumed: dict[str, Any]) -> Serving:
    """The serving values with acceptance and draft cost filled in."""
    table = serving.speculative
    if table is None:
        return serving
    method = method_of(table.method)
    if table.acceptance is None:
        table = replace(table, acceptance=method.acceptance)
        assumed["serving.speculative.acceptance"] = method.acceptance
    layers = method.layers
    if layers is None:
        layers = architecture.num_layers * _share(table, architecture, library, assumed)
    return replace(serving, speculative=table, draft_layers=layers)


def _share(table: SpeculativeTable, architecture: Architecture, library: Library, assumed: dict[str, Any]) -> float:
    """Active weights of a draft model against those of the model it drafts for."""
    row = library.catalogue.find(table.draft) if table.draft else None
    own = count_parameters(architecture).active
    drafted = (row.parameters_active or row.parameters_total) if row else None
    if drafted and own:
        return float(drafted) / own
    share = method_of(table.method).share
    assumed["serving.speculative.draft"] = f"not in the catalogue: taken as {share:.0%} of the model's active weights"
    return share
