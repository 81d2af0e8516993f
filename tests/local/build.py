"""Deployments of local engines for the tests: real configs, real profiles, cards of the database."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from planner.documents.files import parse_deployment
from planner.library import Library
from planner.models.architecture import Architecture
from planner.models.hf_config import architecture_from_config
from planner.resolve import resolve
from planner.resolved import Resolved

CONFIGS = Path(__file__).parent.parent / "fixtures" / "configs"
LLAMA_8B = "meta-llama--Llama-3.1-8B.json"
LLAMA_70B = "meta-llama--Llama-3.1-70B.json"
QWEN_30B = "Qwen--Qwen3-30B-A3B.json"
QWEN_235B = "Qwen--Qwen3-235B-A22B.json"
R1 = "deepseek-ai--DeepSeek-R1.json"
GEMMA_E2B = "google--gemma-4-E2B-it.json"
GEMMA_26B = "google--gemma-4-26B-A4B-it.json"
HYBRID_27B = "nvidia--Qwen3.6-27B-NVFP4.json"
GPT_OSS = "openai--gpt-oss-20b.json"


@cache
def library() -> Library:
    return Library()


@cache
def config(name: str) -> dict[str, Any]:
    values = json.loads((CONFIGS / name).read_text(encoding="utf-8"))
    values.pop("quantization_config", None)
    return values


@cache
def architecture(name: str) -> Architecture:
    return architecture_from_config(config(name))


def resolved(name: str = LLAMA_8B, weights: str = "Q4_K_M", card: str = "rtx-4090", **tables: Any) -> Resolved:
    """A deployment by config, mix and card; further tables as keywords, their keys merged."""
    document = {
        "model": {"id": "some/model", "weights": f"gguf:{weights}", "config": config(name), **tables.pop("model", {})},
        "hardware": {"accelerator": card, **tables.pop("hardware", {})},
        "engine": {"name": "llama.cpp", **tables.pop("engine", {})},
        "serving": {"max_model_len": 4096, **tables.pop("serving", {})},
        "workload": {"concurrency": 1, **tables.pop("workload", {})},
    }
    return resolve(parse_deployment(document, "test"), library())
