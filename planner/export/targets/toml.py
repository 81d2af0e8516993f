"""The deployment document itself, with its estimate and provenance."""

from __future__ import annotations

from planner.documents.files import deployment_toml
from planner.export.document import with_estimate
from planner.export.target import Context, Target

TARGET = Target(
    name="toml",
    about="the deployment document with its estimate and provenance",
    job="any",
    main="deployment.toml",
)


def render(context: Context) -> dict[str, str]:
    """``deployment.toml``."""
    return {"deployment.toml": deployment_toml(with_estimate(context.deployment, context.estimate))}
