"""Checked values of options: numbers in range, finite, of sane length."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

_MOST_DIGITS = 30
MOST_TOKENS = 2**31


def count(least: int, most: int) -> Callable[[str], int]:
    """A whole number between two bounds."""

    def parse(text: str) -> int:
        try:
            value = int(text) if len(text) <= _MOST_DIGITS else None
        except ValueError:
            value = None
        if value is None or not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a whole number from {least} to {most}")
        return value

    return parse


tokens = count(1, MOST_TOKENS)


def positive(text: str, most: float = 1e9) -> float:
    """A finite number above zero."""
    try:
        value = float(text) if len(text) <= _MOST_DIGITS else math.nan
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and 0 < value <= most):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a number above 0")
    return value


def duration(text: str) -> float:
    """Seconds: "0.05", "50ms", "2s"."""
    bare = text.strip().lower()
    if bare.endswith("ms"):
        return positive(bare[:-2]) / 1000
    return positive(bare.removesuffix("s"))


def rate(text: str) -> float:
    """Per second."""
    return positive(text)


def share(text: str) -> float:
    """Between 0 and 1."""
    return 0.0 if text.strip() in ("0", "0.0") else positive(text, 1.0)


def percentile(text: str) -> float:
    """Above 0 and below 100."""
    return positive(text, 99.99)
