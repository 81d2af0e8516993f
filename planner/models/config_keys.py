"""Reads values out of a config of unknown origin: by canonical name, of the right type, within bounds.

A config is untrusted. Every getter either returns a value of the promised type inside the promised bounds or raises
``BadInput`` that names the key. What was read is remembered, so that keys nobody understood can be listed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from planner.errors import BadInput

MAX_SIZE = 1 << 40
MAX_LAYERS = 4096
MAX_LIST = 1 << 13
_MISSING: Any = object()


def shown(value: object) -> str:
    """A value in an error message, cut short: it may be a number of 200 digits or a nest of tables."""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 256:
        return f"a number of about {int(value.bit_length() * 0.30103)} digits"
    if isinstance(value, str):
        return repr(value[:40])
    return repr(value) if isinstance(value, int | float | bool | None) else f"a {type(value).__name__}"


def whole_number(value: object, where: str, minimum: int, maximum: int) -> int:
    """A whole number within bounds; ``4096.0`` counts as whole, ``"4096"`` and ``true`` do not."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2.0**53:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadInput(where, f"expected a whole number, got {shown(value)}")
    if not minimum <= value <= maximum:
        raise BadInput(where, f"{shown(value)} is outside {minimum:,} … {maximum:,}")
    return value


class Keys:
    """A config seen through canonical names: a layer's own values first, then the config's, then its family's.

    A key that the config holds as null is not filled in: null means "derive it", as the reference implementations do.
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        implied: Mapping[str, Any],
        spellings: Mapping[str, Sequence[str]],
        where: str = "config.json",
    ) -> None:
        self.values, self.implied, self.spellings, self.where = values, implied, spellings, where
        self.own: Mapping[str, Any] = {}
        self.read: set[str] = set()
        self.filled: set[str] = set()
        self.lists: dict[tuple[str, str], Any] = {}

    def layer(self, values: Sequence[tuple[str, Any]]) -> Keys:
        """The same config as one layer sees it, where some values differ."""
        if not values:
            return self
        keys = Keys(self.values, self.implied, self.spellings, self.where)
        keys.own, keys.read, keys.filled, keys.lists = dict(values), self.read, self.filled, self.lists
        return keys

    def at(self, name: str) -> str:
        """Where a value stands, for messages."""
        return f"{self.where}: {name}"

    def raw(self, name: str) -> Any:
        """The first spelling with a value; None when neither the config nor its family has one."""
        if name in self.own:
            return self.own[name]
        null = False
        for spelling in self.spellings.get(name, (name,)):
            if spelling in self.values:
                self.read.add(spelling)
                value = self.values[spelling]
                if value is not None:
                    return value
                null = True
        implied = None if null else self.implied.get(name)
        if implied is not None:
            self.filled.add(name)
        return implied

    def has(self, name: str) -> bool:
        return self.raw(name) is not None

    def count(self, name: str, default: int | None = None, *, minimum: int = 1, maximum: int = MAX_SIZE) -> int:
        """A whole number; without a value and a default the config is incomplete."""
        value = self.raw(name)
        if value is None:
            if default is None:
                raise BadInput(self.at(name), "missing, and the size of the model depends on it")
            return default
        return whole_number(value, self.at(name), minimum, maximum)

    def optional(self, name: str, *, minimum: int = 1) -> int | None:
        """A whole number or nothing; 0 counts as nothing where the minimum is above it."""
        value = self.raw(name)
        if value is None or (minimum > 0 and not isinstance(value, bool) and value == 0):
            return None
        return whole_number(value, self.at(name), minimum, MAX_SIZE)

    def number(self, name: str, default: float) -> float:
        """A finite real number."""
        value = self.raw(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < MAX_SIZE:
            raise BadInput(self.at(name), f"expected a number, got {shown(value)}")
        return float(value)

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.raw(name)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        if isinstance(value, int) and value in (0, 1):
            return bool(value)
        raise BadInput(self.at(name), f"expected true or false, got {shown(value)}")

    def text(self, name: str, default: str = "") -> str:
        value = self.raw(name)
        if value is None:
            return default
        if not isinstance(value, str) or len(value) > 4096:
            raise BadInput(self.at(name), f"expected a short text, got {shown(value)}")
        return value

    def items(self, name: str) -> tuple[Any, ...] | None:
        """A list of bounded length, or nothing."""
        value = self.raw(name)
        if value is None:
            return None
        if not isinstance(value, list | tuple) or len(value) > MAX_LIST:
            raise BadInput(self.at(name), f"expected a list of at most {MAX_LIST:,} entries, got {shown(value)}")
        return tuple(value)

    def texts(self, name: str) -> tuple[str, ...] | None:
        """A list of words."""
        found: tuple[str, ...] | None = self._checked("texts", name, self._words)
        return found

    def counts(self, name: str) -> tuple[int, ...] | None:
        """A list of whole numbers from 0."""
        found: tuple[int, ...] | None = self._checked("counts", name, self._numbers)
        return found

    def members(self, name: str) -> frozenset[int]:
        """The numbers of a list, for asking whether one is among them."""
        found: frozenset[int] | None = self._checked("members", name, lambda key: frozenset(self._numbers(key) or ()))
        return found or frozenset()

    def _checked(self, kind: str, name: str, check: Callable[[str], Any]) -> Any:
        """Lists are checked once: they are asked for again for every layer."""
        if name in self.own:
            return check(name)
        if (kind, name) not in self.lists:
            self.lists[kind, name] = check(name)
        return self.lists[kind, name]

    def _words(self, name: str) -> tuple[str, ...] | None:
        items = self.items(name)
        if items is not None and not all(isinstance(item, str) for item in items):
            raise BadInput(self.at(name), "expected a list of names")
        return items

    def _numbers(self, name: str) -> tuple[int, ...] | None:
        items = self.items(name)
        return None if items is None else tuple(whole_number(i, self.at(name), 0, MAX_SIZE) for i in items)

    def table(self, name: str) -> Mapping[str, Any] | None:
        value = self.raw(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise BadInput(self.at(name), f"expected a table, got {shown(value)}")
        return value

    def words(self, name: str, default: str) -> tuple[str, ...]:
        """Names written in one text, parted by blanks."""
        return tuple(self.text(name, default).split())
