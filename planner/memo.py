"""What is worked out once and kept: with the object that it was worked out of, or up to a bound of its own.

The process may answer for thousands of models that somebody brings along, and must not hold on to all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import wraps
from threading import Lock
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar

Value = TypeVar("Value")
Rest = ParamSpec("Rest")
_MOST_DERIVED = 128
"""Of one object: more than a plan of a model needs, and not so much that a whole catalogue fills the memory."""
_NOTHING: Any = object()


class Derived(dict[Hashable, Any]):
    """What was worked out of an object. It stays behind when the object is copied or pickled."""

    def __reduce__(self) -> tuple[type[Derived], tuple[()]]:
        return Derived, ()


class Owner(Protocol):
    """Something that keeps what was worked out of it."""

    @property
    def derived(self) -> Derived: ...


Owned = TypeVar("Owned", bound=Owner)


def keep(owner: Owner, key: Hashable, make: Callable[[], Value]) -> Value:
    """The value that the owner keeps by this key, or a new one; all are forgotten when they are too many."""
    shelf = owner.derived
    found: Value = shelf.get(key, _NOTHING)
    if found is _NOTHING:
        found = make()
        if len(shelf) >= _MOST_DERIVED:
            shelf.clear()
        shelf[key] = found
    return found


def kept(make: Callable[Concatenate[Owned, Rest], Value]) -> Callable[Concatenate[Owned, Rest], Value]:
    """Keeps results on the first argument, by the other ones, which are hashable: they go when their owner goes."""

    @wraps(make)
    def known(owner: Owned, /, *args: Rest.args, **kwargs: Rest.kwargs) -> Value:
        key = (make, args, *kwargs.items()) if kwargs else (make, args)
        found: Value = owner.derived.get(key, _NOTHING)
        return found if found is not _NOTHING else keep(owner, key, lambda: make(owner, *args, **kwargs))

    return known


class IdentityMemo(Generic[Value]):
    """Keeps ``make()`` for a pair of objects (compared by ``is``) and a small hashable key.

    For values derived from big frozen objects that are costly to hash on every call. The objects are kept alive with
    their value, so that an id is never reused while it is known here: only for objects of which there are few.
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


class WeighedMemo(Generic[Value]):
    """The values asked for last, as many as weigh no more than ``most`` together, and always the very last."""

    def __init__(self, most: int, weight: Callable[[Value], int]) -> None:
        self._most, self._weight = most, weight
        self._known: dict[Hashable, Value] = {}
        self.weight = 0
        """Of all that is kept."""
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The remembered value, or a new one."""
        with self._lock:
            if key in self._known:
                value = self._known[key] = self._known.pop(key)
                return value
        value = make()
        with self._lock:
            if key not in self._known:
                self._known[key] = value
                self.weight += self._weight(value)
            while self.weight > self._most and len(self._known) > 1:
                self.weight -= self._weight(self._known.pop(next(iter(self._known))))
        return value
