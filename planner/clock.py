"""Today's date, as documents carry it; ``SOURCE_DATE_EPOCH`` fixes it, so that the same input gives the same bytes."""

from __future__ import annotations

import os
from datetime import UTC, datetime

VARIABLE = "SOURCE_DATE_EPOCH"
_LONGEST = 11


def today() -> str:
    """ISO date in UTC. A variable that is no number of seconds is as if it were not there."""
    said = os.environ.get(VARIABLE, "")
    fixed = said.isascii() and said.isdigit() and len(said) <= _LONGEST
    return (datetime.fromtimestamp(int(said), UTC) if fixed else datetime.now(UTC)).date().isoformat()
