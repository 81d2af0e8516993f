"""A small memo by identity: for values derived from big frozen objects that are costly to hash on every call."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class IdentityMemo(Generic[Value]):
    """Keeps ``make()`` for a pair of objects (compared by ``is``) and a small hashable key.

    The objects are kept alive with their value, so that an id is never reused while it is known here.
    """

    def __init__(self, limit: int = 1024) -> None:
        self._limit = limit
        self._known: dict[tuple[int, int, Hashable], tuple[object, object, Value]] = {}

    def get(self, first: object, second: object, key: Hashable, make: Callable[[], Value]) -> Value:
        """The remembered value, or a new one; everything is forgotten when too many are known."""
        slot = (id(first), id(second), key)
        found = self._known.get(slot)
        if found is not None:
            return found[2]
        value = make()
        if len(self._known) >= self._limit:
            self._known.clear()
        self._known[slot] = (first, second, value)
        return value
