"""Signs for terminals without Unicode: every one of the app's has a stand-in of one ASCII character."""

from __future__ import annotations

from collections.abc import Mapping
from unicodedata import combining, east_asian_width

POOR_TERMS = frozenset({"linux", "vt100", "vt102", "vt220", "ansi", "cons25"})
"""Terminals whose fonts lack the signs."""
COERCED, NO_LOCALE = "C.UTF-8", ("C", "POSIX")
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
        return (
            " "
            if sign in "╸╺"
            else "="
            if sign in "━═"
            else "-"
            if sign in "─╌╍╴╶╼╾"
            else "|"
            if sign in "│┃║╎╏╵╷╹╻"
            else "+"
        )
    if "▀" <= sign <= "▟":
        return "#"
    return "??" if east_asian_width(sign) in "WF" else "?" * (not combining(sign))


def wanted(environ: Mapping[str, str]) -> bool:
    """Whether the terminal or the locale says that it has no Unicode.

    Python itself sets ``LC_CTYPE=C.UTF-8`` where the locale is C: what ``LANG`` says then counts.
    """
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    if locale == COERCED:
        locale = environ.get("LANG") or locale
    other_encoding = "." in locale and "utf" not in locale.lower()
    return other_encoding or locale in NO_LOCALE or environ.get("TERM", "") in POOR_TERMS
