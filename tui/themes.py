"""Looks beside Textual's own: high contrast, and which look a terminal gets at first."""

from __future__ import annotations

from dataclasses import replace

from textual.theme import BUILTIN_THEMES, Theme

DARK, LIGHT, CONTRAST, ANSI = "textual-dark", "textual-light", "high-contrast", "ansi-dark"
CYCLE = (DARK, LIGHT, CONTRAST, ANSI)
"""What ``T`` goes through."""
POOR = frozenset({"standard", "windows"})
"""Colour systems of 16 colours: the terminal's own palette reads better than the nearest of it."""

HIGH_CONTRAST = Theme(
    name=CONTRAST,
    primary="#ffff00",
    secondary="#00ffff",
    accent="#00ffff",
    warning="#ffff00",
    error="#ff8080",
    success="#80ff80",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#000000",
    boost="#000000",
    dark=True,
    variables={
        "text-muted": "#ffffff",
        "text-disabled": "#c0c0c0",
        "block-cursor-foreground": "#000000",
        "block-cursor-background": "#ffff00",
        "block-cursor-blurred-foreground": "#ffffff",
        "block-cursor-blurred-background": "#404040",
        "footer-key-foreground": "#ffff00",
        "border": "#ffffff",
        "border-blurred": "#ffffff",
    },
)

LIGHTER = replace(
    BUILTIN_THEMES[LIGHT],
    variables={
        **BUILTIN_THEMES[LIGHT].variables,
        "text-muted": "#3c3c3c",
        "text-primary": "#003e6b",
        "text-secondary": "#003e6b",
        "text-accent": "#6b3f00",
        "text-warning": "#6b3f00",
        "text-success": "#12502a",
        "text-error": "#7a0d1e",
        "footer-key-foreground": "#003e6b",
    },
)
"""Textual's light look with words dark enough to be read: 4.5 to 1 against every ground they stand on."""


def first_theme(no_color: bool, color_system: str | None) -> str:
    """The terminal's own colours where it has few or none are wanted."""
    return ANSI if no_color or color_system in POOR else DARK
