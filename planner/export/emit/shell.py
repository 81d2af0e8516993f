"""Shell scripts from words: every text quoted by shlex, every variable in double quotes."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from planner.export.emit.words import Ref, Word, parts_of

HEADER = ("#!/usr/bin/env bash", "set -euo pipefail")


def shell_word(word: Word) -> str:
    """One argument, quoted."""
    return "".join(f'"${{{p.name}}}"' if isinstance(p, Ref) else shlex.quote(p) for p in parts_of(word))


def shell_command(words: Sequence[Word], *, program: Sequence[Word] = (), prefix: str = "", suffix: str = "") -> str:
    """A command, one flag with its value a line. ``prefix`` and ``suffix`` are shell text of our own.

    ``program``: first words that stay on one line although flags are among them.
    """
    groups = _groups(words)
    while groups and not _is_flag(groups[0][0]):
        program = [*program, *groups.pop(0)]
    first = " ".join(([prefix] if prefix else []) + [shell_word(word) for word in program])
    rest = [" ".join(map(shell_word, group)) for group in groups] + ([suffix] if suffix else [])
    return " \\\n  ".join([first, *rest])


def script(*lines: str, comment: str = "") -> str:
    """A whole bash script."""
    said = [f"# {line}".rstrip() for line in comment.splitlines()]
    return "\n".join([HEADER[0], *said, *HEADER[1:], *lines]) + "\n"


def _is_flag(word: Word) -> bool:
    return isinstance(word, str) and word.startswith("-")


def _groups(words: Sequence[Word]) -> list[list[Word]]:
    """A flag together with the values behind it."""
    groups: list[list[Word]] = []
    for word in words:
        if groups and not _is_flag(word) and _is_flag(groups[-1][0]):
            groups[-1].append(word)
        else:
            groups.append([word])
    return groups
