"""Whether a question about buying can be answered at all: every figure of it within sane bounds."""

from __future__ import annotations

import math
from collections.abc import Iterator

from planner.buy_document import BuyRequest
from planner.cost.knobs import MOST_MONEY
from planner.errors import BadDocument, Problem

MOST_USERS = 1e6
MOST_NODES = 1000
MOST_OFFERS = 500


def checked(request: BuyRequest) -> None:
    """Raises BadDocument with every problem."""
    if problems := tuple(_problems(request)):
        raise BadDocument(problems)


def _problems(request: BuyRequest) -> Iterator[Problem]:
    users = request.workload.concurrency
    if users is None:
        yield Problem("users", "is missing", "say for how many users to buy: --users 100")
    figures = {
        "--users": (users, MOST_USERS),
        "--budget": (request.budget, MOST_MONEY),
        "--power": (request.max_power_w, MOST_MONEY),
        "--max-nodes": (request.max_nodes, MOST_NODES),
        "--limit": (request.limit, MOST_OFFERS),
    }
    for name, (value, most) in figures.items():
        if value is not None and not (math.isfinite(value) and 0 < value <= most):
            yield Problem(name, f"{value:g} is not above 0 and up to {most:g}", "give another number")
    hits = request.workload.prefix_hit_rate
    if not (math.isfinite(hits) and 0 <= hits <= 1):
        yield Problem("--prefix-hit-rate", f"{hits:g} is no share from 0 to 1", "0: nothing is found in the cache")
    load = request.workload
    lengths = {"--isl": load.isl, "--osl": load.osl, "workload.context": load.context}
    for name, value in lengths.items():
        if value is not None and not (math.isfinite(value) and 0 <= value <= 1e9):
            yield Problem(name, f"{value:g} is no number of tokens", "give a length in tokens")
