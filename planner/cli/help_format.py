"""How ``--help`` is laid out: prose wrapped to the terminal, examples broken where a shell would take them up again."""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Iterator

_COLUMNS = re.compile(r"^(\s*\S.*?)(\s{2,})(\S.*)$")
"""An example or a verb, a gap, and what it does."""
_OPTION = re.compile(r"\s+(?=--?[a-z])")
DEEPER = 6


class HelpFormat(argparse.HelpFormatter):
    """Lines that begin with blanks are examples and keep their lines; all other text is prose."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(line for part in text.strip("\n").split("\n") for line in _laid_out(part, width))


def _laid_out(line: str, width: int) -> Iterator[str]:
    if len(line) <= width:
        yield line
    elif not line.startswith(" "):
        yield from textwrap.wrap(line, width)
    else:
        yield from _example(line, width)


def _example(line: str, width: int) -> Iterator[str]:
    """A command and its comment; the comment goes below where both are too long."""
    found = _COLUMNS.match(line)
    if found is None:
        yield from _command(line, width)
        return
    command, gap, comment = found.groups()
    column = len(command) + len(gap)
    if column <= width // 2:
        rest = textwrap.wrap(comment, width - column)
        yield f"{command}{gap}{rest[0]}"
        yield from (" " * column + more for more in rest[1:])
        return
    if len(command) + 4 + len(comment) <= width:
        yield f"{command}  # {comment}"
        return
    yield from _command(command, width)
    yield from textwrap.wrap(f"# {comment}", width, initial_indent=" " * DEEPER, subsequent_indent=" " * DEEPER + "# ")


def _command(line: str, width: int) -> Iterator[str]:
    """A command over several lines, broken before options, a backslash at the end of each line but the last."""
    inset = line[: len(line) - len(line.lstrip())]
    current = inset
    for part in _OPTION.split(line.strip()):
        if current.strip() and len(current) + 1 + len(part) > width - 2:
            yield f"{current} \\"
            current = inset + " " * DEEPER + part
        else:
            current += f" {part}" if current.strip() else part
    yield current
