"""What speculative decoding takes, where a deployment leaves it open: acceptance, and the cost of a draft."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from planner.engines.speculation import method_of
from planner.models.architecture import Architecture
from planner.models.parameters import count_parameters
from planner.resolved import Draft, Serving


def with_drafts(serving: Serving, architecture: Architecture, draft: Draft | None, assumed: dict[str, Any]) -> Serving:
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
        share = method.share
        own = count_parameters(architecture).active
        if draft is not None and own:
            share = count_parameters(draft.architecture).active / own
        else:
            assumed["serving.speculative.draft"] = f"unknown: taken as {share:.0%} of the model's active weights"
        layers = architecture.num_layers * share
    return replace(serving, speculative=table, draft_layers=layers)
