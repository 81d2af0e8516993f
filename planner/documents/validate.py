"""Parsed text as a deployment: checked by pydantic against its annotations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from planner.documents.deployment import Deployment
from planner.documents.table import valid, without_null


def valid_deployment(data: dict[str, Any], where: str) -> Deployment:
    """A whole document. Raises BadDocument with every problem."""
    return _without_null_in_config(valid(Deployment, data, where))


def _without_null_in_config(deployment: Deployment) -> Deployment:
    """A null of a config.json means absent; TOML has none."""
    config = deployment.model.config
    if not isinstance(config, dict):
        return deployment
    return replace(deployment, model=replace(deployment.model, config=without_null(config)))
