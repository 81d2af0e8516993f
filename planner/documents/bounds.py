"""Limits of the values of a document. Plain, so that a document's classes cost no validation library to import."""

from __future__ import annotations

from typing import Any


class Bounds:
    """Stands in ``Annotated[type, Bounds(…)]``; read where text enters, see ``planner.documents.table``.

    ``limits`` are those of pydantic's core schemas: ge gt le lt allow_inf_nan, min_length max_length.
    """

    __slots__ = ("limits",)

    def __init__(self, **limits: float) -> None:
        self.limits = limits

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> dict[str, Any]:
        """The hook by which pydantic learns the limits."""
        return {**handler(source), **self.limits}
