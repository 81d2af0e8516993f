"""Words of a command line: literal text, and references to variables that are only known when it runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from planner.errors import BadInput

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")
_ENV_VALUE = re.compile(r"[A-Za-z0-9_./:,=@+%^-]{0,512}\Z")
_LONGEST = 4096


@dataclass(frozen=True, slots=True)
class Ref:
    """A variable of the shell, the pod or the compose file. Never holds a value."""

    name: str

    def __post_init__(self) -> None:
        if not _NAME.match(self.name):
            raise ValueError(f"not a variable name: {self.name!r}")


Word = str | Ref | tuple[str | Ref, ...]
"""One argument: text, a reference, or both glued together (``HEAD`` + ``:5000``)."""


def parts_of(word: Word) -> tuple[str | Ref, ...]:
    """The pieces of a word."""
    return word if isinstance(word, tuple) else (word,)


def literal(word: Word) -> str:
    """The text of a word, references as ``$NAME``: for people and for reading back, not for a shell."""
    return "".join(f"${p.name}" if isinstance(p, Ref) else p for p in parts_of(word))


def substituted(word: Word, values: Mapping[str, str]) -> str:
    """The text of a word with every reference replaced."""
    return "".join(values[p.name] if isinstance(p, Ref) else p for p in parts_of(word))


def plain_text(text: str, where: str) -> str:
    """Text from outside that may become an argument: printable, bounded. Raises BadInput otherwise."""
    if len(text) > _LONGEST:
        raise BadInput(where, f"is longer than {_LONGEST} characters", "use a shorter name")
    if any(not c.isprintable() for c in text):
        raise BadInput(where, f"holds characters that cannot be printed: {text[:80]!r}", "rename it")
    return text


def env_value(text: str, where: str) -> str:
    """A value that means the same in a shell, a systemd and a docker environment file. Raises BadInput otherwise."""
    if not _ENV_VALUE.match(text):
        allowed = "letters, digits and _ . / : , = @ + % ^ -"
        raise BadInput(where, f"cannot stand in an environment file: {text[:80]!r}", f"use only {allowed}")
    return text


def label(text: str, fallback: str = "model", longest: int = 40) -> str:
    """A name by the rules of DNS labels, for Kubernetes, compose services and units."""
    kept = re.sub(r"[^a-z0-9]+", "-", text.lower())[:longest].strip("-")
    return kept if kept and kept[0].isalpha() else f"{fallback}-{kept}".strip("-")[:longest]
