"""A library, and a deployment to account for."""

from __future__ import annotations

from functools import cache
from typing import Any

from planner.cost.document import CostDocument
from planner.cost_report import CostRequest, cost_report
from planner.documents.deployment import Deployment
from planner.documents.files import parse_deployment
from planner.library import Library


@cache
def library() -> Library:
    return Library()


def r1(**tables: Any) -> Deployment:
    """DeepSeek-R1 in FP8 on eight H200."""
    data: dict[str, Any] = {
        "schema": "deploy-planner/deployment/1",
        "model": {"id": "deepseek-ai/DeepSeek-R1", "weights": "fp8"},
        "hardware": {"accelerator": "h200-sxm-141gb", "per_node": 8},
        "engine": {"name": "sglang"},
        "serving": {"tp": 8, "ep": 8},
        "workload": {"isl": 3600, "osl": 1000, "concurrency": 128, "prefix_hit_rate": 0.56},
        **tables,
    }
    return parse_deployment(data, "a test")


def report(deployment: Deployment | None = None, **request: Any) -> CostDocument:
    return cost_report(deployment or r1(), library(), CostRequest(**request))
