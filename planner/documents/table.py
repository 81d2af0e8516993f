"""What every table of a document is: plain values, checked where text enters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from planner.errors import BadDocument

if TYPE_CHECKING:
    from pydantic import TypeAdapter


def without_null(value: Any) -> Any:
    """The same mapping or sequence without what is None."""
    if isinstance(value, dict):
        return {key: without_null(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_null(item) for item in value if item is not None]
    return value


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the document; as JSON or TOML it has only the keys that are not None."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    @classmethod
    def model_validate(cls, data: dict[str, Any]) -> Self:
        """A table from parsed text. Raises BadDocument with every problem."""
        return valid(cls, data, cls.__name__)

    def model_copy(self, *, update: Mapping[str, Any]) -> Self:
        """The table with other values, unchecked."""
        return replace(self, **update)


AnyTable = TypeVar("AnyTable", bound=Table)


def valid(kind: type[AnyTable], data: dict[str, Any], where: str) -> AnyTable:
    """The table that ``data`` describes. Raises BadDocument with every problem."""
    from pydantic import ValidationError

    from planner.documents.problems import problems_of

    table_type: Any = kind
    try:
        table: AnyTable = _adapter(table_type).validate_python(data)
    except ValidationError as error:
        raise BadDocument(problems_of(error, where, kind)) from None
    return table


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)
