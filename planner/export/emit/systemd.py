"""systemd units: sections of key = value, with the escapes of systemd.syntax(7) and systemd.service(5)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from planner.export.emit.words import Ref, Word, parts_of

Section = tuple[str, Sequence[tuple[str, str]]]
_BARE = re.compile(r"[A-Za-z0-9_./:,=@+-]+\Z")


def unit_text(*sections: Section, comment: str = "") -> str:
    """A unit file. Values are taken as they are: make them with the functions below."""
    lines = [f"# {line}" for line in comment.splitlines()]
    for name, entries in sections:
        lines += ["", f"[{name}]", *(f"{key}={value}" for key, value in entries)]
    return "\n".join(lines).lstrip("\n") + "\n"


def exec_line(words: Sequence[Word]) -> str:
    """The value of ExecStart: specifiers (%) and variables ($) doubled, so that text stays text."""
    return " ".join(map(exec_word, words))


def exec_word(word: Word) -> str:
    """One argument of ExecStart."""
    text = "".join(f"${{{p.name}}}" if isinstance(p, Ref) else _escape(p).replace("$", "$$") for p in parts_of(word))
    return text if _BARE.match(text) else f'"{text}"'


def quoted_value(text: str) -> str:
    """A value of Environment= or a path: only specifiers are expanded there."""
    escaped = _escape(text)
    return escaped if _BARE.match(escaped) else f'"{escaped}"'


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
