"""The question as the search understands it: nothing left open."""

from __future__ import annotations

import math
from typing import NamedTuple

from planner.documents.request import Goal
from planner.resolved import Workload
from planner.search.policy import Policy

STEP = 256
"""Contexts are proposed in whole multiples of this many tokens."""


class Task(NamedTuple):
    """Load, goal and limits."""

    workload: Workload
    goal: Goal
    policy: Policy
    must_context: int | None
    """Longest request that must be possible; None: as long as fits, up to the policy's aim."""
    quality_floor: str

    def least_context(self, max_position: int | None, *, generates: bool = True) -> int:
        """The shortest context that serves the workload at all; models that write nothing cut what is too long."""
        needed = self.workload.context + self.workload.isl + (self.workload.osl if generates else 0.0)
        least = math.ceil(max(math.ceil(needed), 1) / STEP) * STEP
        if not generates and max_position is not None:
            least = min(least, max_position)
        return max(self.must_context or 0, least)

    def wanted_context(self, max_position: int | None) -> int:
        """The context to aim at for a model."""
        longest = max_position or 2**20
        if self.must_context is not None:
            return max(self.must_context, 1)
        if self.goal == "context":
            return longest
        return max(min(self.policy.max_model_len, longest), min(self.least_context(max_position), longest))

    def enough_context(self, max_position: int | None) -> int:
        """The context at which nothing is traded for a longer one."""
        wanted = self.wanted_context(max_position)
        if self.must_context is not None or self.goal == "context":
            return wanted
        return max(min(wanted, self.policy.comfortable_context), min(self.least_context(max_position), wanted))
