"""Training jobs for the tests: catalogue models, named hardware, a table of changes."""

from __future__ import annotations

from functools import cache
from typing import Any

from planner.documents.deployment import Deployment
from planner.documents.files import parse_deployment
from planner.documents.result import EstimateDocument
from planner.library import Library
from planner.memory.finetune_job import Job, job_of
from planner.predict import predict
from planner.resolve import resolve
from planner.units import GIB

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
QWEN_MOE = "Qwen/Qwen3-30B-A3B"
V3 = "deepseek-ai/DeepSeek-V3"


@cache
def library() -> Library:
    return Library()


def document(
    model: str = LLAMA,
    weights: str = "bf16",
    hardware: str = "a100-sxm-80gb",
    gpus: int = 1,
    nodes: int = 1,
    memory_bytes: int | None = None,
    **table: Any,
) -> Deployment:
    """A deployment with ``[finetune]``; ``memory_bytes`` instead of the card's own."""
    memory = {} if memory_bytes is None else {"memory_bytes": memory_bytes}
    return parse_deployment(
        {
            "schema": "deploy-planner/deployment/1",
            "model": {"id": model, "weights": weights},
            "hardware": {"accelerator": hardware, "per_node": gpus, "nodes": nodes, **memory},
            "finetune": {"gradient_checkpointing": True, **table},
        },
        "test",
    )


def estimate(*args: Any, **kwargs: Any) -> EstimateDocument:
    """The prediction of ``document(...)``."""
    return predict(document(*args, **kwargs), library())


def job(*args: Any, **kwargs: Any) -> Job:
    """The job of ``document(...)``."""
    return job_of(resolve(document(*args, **kwargs), library()))


def gib(answer: EstimateDocument, counter: str = "allocated") -> float:
    """A peak in GiB."""
    assert answer.finetune is not None
    return float(getattr(answer.finetune, counter).value / GIB)
