"""A small memo by identity: for values derived from big frozen objects that are costly to hash on every call."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")
_LIMIT = 1024


class IdentityMemo(Generic[Value]):
    """Keeps ``make()`` for a pair of objects (compared by ``is``) and a small hashable key.

    The objects are kept alive with their value, so that an id is never reused while it is known here.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, int, Hashable], tuple[object, object, Value]] = {}

    def get(self, first: object, second: object, key: Hashable, make: Callable[[], Value]) -> Value:
        """The remembered value, or a new one; the oldest entry leaves when too many are known."""
        slot = (id(first), id(second), key)
        found = self._known.get(slot)
        if found is not None:
            return found[2]
        value = make()
        if len(self._known) >= _LIMIT:
            self._known.pop(next(iter(self._known)), None)
        self._known[slot] = (first, second, value)
        return value
