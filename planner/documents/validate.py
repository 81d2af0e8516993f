"""Parsed text as tables of a deployment: checked by pydantic against their annotations."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from planner.documents.deployment import Deployment, Table, without_null
from planner.documents.problems import problems_of
from planner.errors import BadDocument

AnyTable = TypeVar("AnyTable", bound=Table)


def valid(kind: type[AnyTable], data: dict[str, Any], where: str) -> AnyTable:
    """The table that ``data`` describes. Raises BadDocument with every problem."""
    table_type: Any = kind
    try:
        table: AnyTable = _adapter(table_type).validate_python(data)
    except ValidationError as error:
        raise BadDocument(problems_of(error, where, kind)) from None
    return table


def valid_deployment(data: dict[str, Any], where: str) -> Deployment:
    """The same for a whole document."""
    return _without_null_in_config(valid(Deployment, data, where))


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _without_null_in_config(deployment: Deployment) -> Deployment:
    """A null of a config.json means absent; TOML has none."""
    config = deployment.model.config
    if not isinstance(config, dict):
        return deployment
    return replace(deployment, model=replace(deployment.model, config=without_null(config)))
