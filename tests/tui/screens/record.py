"""What the screens show, recorded from the real planner: ``python -m tests.tui.screens.record``.

The plan and the training runs are those of the tour. Screens then change with the app, not with every better formula.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from docs.make_tour import recorded as of_tour
from planner.buy_document import BuyDocument
from planner.cost.document import CostDocument
from planner.documents.encode import to_json
from planner.documents.result import Performance, PlanDocument
from planner.documents.simulation import SimulationDocument
from planner.library import Library
from planner.verify.result import Verification
from tui.draft import Draft

HERE = Path(__file__).parent / "recorded"
KINDS: dict[str, Any] = {
    "cost": CostDocument,
    "curve": tuple[tuple[int, Performance | None], ...],
    "bought": BuyDocument,
    "fleets": PlanDocument,
    "verified": Verification,
    "simulated": SimulationDocument,
}
FLEETS = 4
BOUGHT_FOR = "Qwen/Qwen3-32B"
LOG = """\
INFO 11-20 09:12:31 [__init__.py:1] vLLM API server version 0.33.0
INFO 11-20 09:13:20 [gpu_model_runner.py:1] Model loading took {weights:.2f} GiB memory and 61.5 seconds
INFO 11-20 09:13:50 [kv_cache_utils.py:1] GPU KV cache size: {tokens:,} tokens
INFO 11-20 09:14:09 [gpu_model_runner.py:1] Graph capturing finished in 17 secs, took 0.92 GiB
"""


@cache
def recorded(name: str) -> Any:
    """One of ``KINDS``, as the app gets it from the planner."""
    text = (HERE / f"{name}.json").read_text(encoding="utf-8")
    return TypeAdapter(KINDS[name]).validate_python(json.loads(text))


def record() -> None:
    """Ask the planner anew."""
    library = Library()
    for name, answer in {**_of_plan(library), **_of_purchase(library)}.items():
        plain = json.loads(to_json(answer))
        (HERE / f"{name}.json").write_text(json.dumps(plain, separators=(",", ":")) + "\n", encoding="utf-8")


def _of_plan(library: Library) -> dict[str, Any]:
    """Its cost, its load curve, a log that is held against it."""
    from planner.cost_report import CostRequest, cost_report
    from planner.documents.files import parse_deployment
    from planner.verify.lines import clean_lines
    from planner.verify.verification import verify_lines
    from tui.load_curve import load_curve
    from tui.simulated import load_of_draft, simulated

    plans = of_tour().candidates
    first = parse_deployment(plans[0].deployment, "plan")
    served = next(plan for plan in plans if plan.deployment["engine"]["name"] == "vllm")
    memory = served.estimate.memory
    assert memory is not None
    log = LOG.format(weights=memory.per_gpu.weights.value * 1.2 / 2**30, tokens=round(memory.kv_tokens.value))
    deployment = parse_deployment(served.deployment, "plan")
    held = verify_lines(deployment, clean_lines([log]), library, metrics=False)
    return {
        "cost": cost_report(first, library, CostRequest()),
        "curve": [(point.users, point.speed) for point in load_curve(served, library)],
        "verified": held.answer,
        "simulated": simulated(dict(served.deployment), load_of_draft(_draft()), library, lambda: False),
    }


def _draft() -> Draft:
    from planner.presets import DEFAULT, preset

    return Draft().with_preset(preset(DEFAULT))


def _of_purchase(library: Library) -> dict[str, Any]:
    from dataclasses import replace

    from planner.buy import buy
    from tui.answers import plan_of

    draft = replace(_draft(), purpose="buy", model=BOUGHT_FOR)
    found = buy(draft.purchase.request(BOUGHT_FOR, draft.workload(), library), library)
    found = replace(found, offers=found.offers[:FLEETS])
    return {"bought": found, "fleets": plan_of(found, library)}


if __name__ == "__main__":
    record()
