"""Lines out, lines in: nothing else of a terminal is used. No colour, no cursor, no line that is drawn again."""

from __future__ import annotations

import unicodedata
from typing import TextIO

from tui.signs import stand_in

MOST_CHARACTERS = 4096
"""Of an answer; a longer line is no answer of a person."""
WORDS_FOR_SIGNS = {"✓": "yes", "✗": "no", "▲": "better", "▼": "worse", "●": "best"}
"""Signs that a screen reader spells out or leaves out."""


class Back(Exception):
    """The person wants the question before."""


class Quit(Exception):
    """The person wants to leave."""


class Ended(Exception):
    """The input ended before an answer."""


class Talk:
    """One conversation over two streams."""

    def __init__(self, source: TextIO, sink: TextIO, *, ascii_only: bool = False) -> None:
        self._source, self._sink = source, sink
        self._ascii_only = ascii_only or "utf" not in (getattr(sink, "encoding", None) or "utf-8").lower()
        self.echo = not source.isatty()
        """Answers that nobody typed on this screen are written into the conversation."""

    def say(self, words: str = "") -> None:
        """Lines of text; what is no text of a line is left out."""
        self._write("\n".join(clean(line) for line in words.split("\n")) + "\n")

    def heading(self, words: str) -> None:
        """Where a new question begins: an empty line, then its name."""
        self.say(f"\n{words}")

    def hear(self, prompt: str) -> str:
        """One answer. Raises Ended at the end of the input."""
        self._write(f"{clean(prompt)} ")
        line = self._source.readline(MOST_CHARACTERS)
        if not line:
            self._write("\n")
            raise Ended
        if len(line) == MOST_CHARACTERS and not line.endswith("\n"):
            self._skip_line()
            self.say("\nThat line is too long for an answer.")
            return self.hear(prompt)
        answer = clean(line).strip()
        if not answer and line.strip():
            self.say("\nNothing in that answer can be read.")
            return self.hear(prompt)
        if self.echo:
            self._write(f"{answer}\n")
        return answer

    def _skip_line(self) -> None:
        while (more := self._source.readline(MOST_CHARACTERS)) and not more.endswith("\n"):
            pass

    def _write(self, text: str) -> None:
        self._sink.write(stand_in(text) if self._ascii_only else text)
        self._sink.flush()


def clean(line: str) -> str:
    """A line without control characters: neither a name from a file nor an answer moves a cursor or turns text."""
    if line.isprintable():
        return _in_words(line)
    kept = ("" if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp") else sign for sign in line)
    return _in_words("".join(" " if sign == "\t" else sign for sign in kept))


def _in_words(line: str) -> str:
    for sign, words in WORDS_FOR_SIGNS.items():
        line = line.replace(sign, words)
    return line
