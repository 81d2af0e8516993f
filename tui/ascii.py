"""For terminals without Unicode: every sign of the app has a stand-in of one ASCII character."""

from __future__ import annotations

from collections.abc import Mapping

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

POOR_TERMS = frozenset({"linux", "vt100", "vt102", "vt220", "ansi", "cons25"})
"""Terminals whose fonts lack the signs."""
PAIRS = {
    "✓": "+", "✗": "x", "▸": ">", "●": "*", "○": "o", "…": "~", "·": ".", "×": "x", "–": "-", "—": "-", "−": "-",
    "→": ">", "←": "<", "↑": "^", "↓": "v", "▲": "^", "▼": "v", "‹": "<", "›": ">", "▏": "|",
    "≤": "<", "÷": "/", "Σ": "S", "µ": "u", "⏎": "/", "└": "`", "├": "|", "┤": "|", "°": "o", "•": "*",
    "“": '"', "”": '"', "’": "'",
}  # fmt: skip
STAND_INS = {ord(sign): stand_in for sign, stand_in in PAIRS.items()}


def stand_in(words: str) -> str:
    """The words in ASCII, as many cells as before; box lines become - | +, blocks #, anything else ?."""
    return words if words.isascii() else "".join(map(_one, words.translate(STAND_INS)))


def _one(sign: str) -> str:
    if sign.isascii():
        return sign
    if "─" <= sign <= "╿":
        return "=" if sign in "━╸╺═" else "-" if sign in "─╌╍╴╶╼╾" else "|" if sign in "│┃║╎╏╵╷╹╻" else "+"
    if "▀" <= sign <= "▟":
        return "#"
    return "?" * cell_len(sign)


class Ascii(LineFilter):
    """The last thing that happens to a line before it is written."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [Segment(stand_in(text), style, control) for text, style, control in segments]


def wanted(environ: Mapping[str, str]) -> bool:
    """Whether the terminal or the locale says that it has no Unicode."""
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    other_encoding = "." in locale and "utf" not in locale.lower()
    return other_encoding or environ.get("TERM", "") in POOR_TERMS
