"""The deployment document as it leaves: with its estimate, its provenance and a hash of both."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from planner.clock import today as _today
from planner.documents.deployment import Deployment, Provenance
from planner.documents.encode import to_plain
from planner.documents.files import deployment_hash, deployment_toml, parse_deployment
from planner.documents.result import EstimateDocument, PlannedDeployment
from planner.documents.table import without_null
from planner.version import VERSION


def with_estimate(deployment: Deployment, answer: EstimateDocument, date: str | None = None) -> Deployment:
    """The deployment with ``[estimate]`` and ``[provenance]`` written by this planner.

    The hash covers everything above ``[provenance]``. ``date`` is an ISO date; today when absent.
    """
    bare = replace(deployment, estimate=_figures(answer), provenance=None)
    provenance = Provenance(planner=VERSION, date=date or _today(), hash=deployment_hash(bare))
    return replace(bare, provenance=provenance)


def document_text(proposal: PlannedDeployment) -> str:
    """A proposal of a plan as a document to keep, with its estimate, provenance and hash."""
    deployment = parse_deployment(proposal.deployment, "plan")
    return deployment_toml(with_estimate(deployment, proposal.estimate))


def _figures(answer: EstimateDocument) -> dict[str, Any]:
    plain = without_null(to_plain(answer))
    for key in ("schema", "id"):
        plain.pop(key, None)
    return dict(plain)
