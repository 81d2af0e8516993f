"""A plan's speed at other loads as rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from planner.units import MILLI, human_count
from tui import text
from tui.rows import Column, Row

if TYPE_CHECKING:
    from planner.documents.result import Performance
    from tui.session import Session

LOAD_COLUMNS = (
    Column("users", "  Users", 7),
    Column("ttft_s", "First", 8, right=True),
    Column("tpot_s", "Token", 8, right=True),
    Column("output_tok_s", "tok/s", 8, right=True),
    Column("verdict", "", 1),
    Column("bar", "all users", 12, elastic=True),
)


def load_rows(session: Session, width: int = 12) -> Iterator[Row]:
    """The plan's speed from one user to hundreds."""
    points = session.load_curve or ()
    most = max((p.speed.output_tok_s.value for p in points if p.speed and p.speed.output_tok_s), default=0.0)
    for point in points:
        speed = point.speed
        rate = speed.output_tok_s.value if speed and speed.output_tok_s else 0.0
        cells = {
            "users": f"{point.users:,}",
            "ttft_s": text.figure(speed.ttft_s if speed else None, "s"),
            "tpot_s": text.figure(speed.tpot_s if speed else None, "s"),
            "output_tok_s": human_count(rate) if rate else text.UNKNOWN,
            "verdict": keeps(session, speed),
            "bar": "█" * round(width * rate / most) if most else "",
        }  # fmt: skip
        yield Row(str(point.users), cells, f"{point.users:,} in flight at once, on the plan looked at")


def keeps(session: Session, speed: Performance | None) -> str:
    """✓ or ✗ against the promises; empty without any."""
    if speed is None:
        return ""
    pairs = ((speed.ttft_s, session.draft.ttft_ms), (speed.tpot_s, session.draft.tpot_ms))
    held = [figure.value <= bound * MILLI for figure, bound in pairs if figure is not None and bound]
    return "" if not held else "✓" if all(held) else "✗"
