"""What an input is: a number within bounds, or one of several ways."""

from __future__ import annotations

from typing import NamedTuple


class Number(NamedTuple):
    """A number that people set."""

    name: str
    """Field of the draft."""
    label: str
    unit: str
    low: int
    high: int
    optional: bool
    """May be empty: the planner then decides, or nothing was promised."""
    about: str


class Kind(NamedTuple):
    """One of several ways."""

    key: str
    label: str
    about: str = ""


class OneOf(NamedTuple):
    """A choice that people make."""

    name: str
    """Field of the draft, or of a part of it."""
    label: str
    about: str
    kinds: tuple[Kind, ...]
