"""How many users one set of servers carries within the promises: as many as its memory holds, as its speed allows."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from planner.buying.carriers import End, Unit, keeps, speed_at
from planner.search.candidate import Tools
from planner.search.task import Task

_NEAR = 1.02
"""Factor between the bounds at which the search for the number of users ends."""


@dataclass(slots=True)
class Capacity:
    """Looked for once for each unit."""

    task: Task
    tools: Tools
    _known: dict[tuple[Unit, End], float] = field(default_factory=dict)

    def of(self, unit: Unit, end: End = "value") -> float:
        """Users of one set; 0 where not even one is served within the promises."""
        if (unit, end) not in self._known:
            self._known[unit, end] = self._searched(unit, end)
        return self._known[unit, end]

    def _searched(self, unit: Unit, end: End) -> float:
        most = float(math.floor(unit.candidate.users)) or unit.candidate.users
        if self._kept(unit, most, end):
            return most
        least = min(1.0, most)
        if not self._kept(unit, least, end):
            return 0.0
        while most / least > _NEAR and most - least > 1:
            middle = math.sqrt(least * most)
            least, most = (middle, most) if self._kept(unit, middle, end) else (least, middle)
        return float(math.floor(least))

    def _kept(self, unit: Unit, users: float, end: End) -> bool:
        performance = speed_at(unit.candidate, users, self.tools)
        return performance is not None and keeps(performance, self.task, end)
