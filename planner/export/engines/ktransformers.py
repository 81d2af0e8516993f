"""KTransformers 0.5 and later: SGLang with experts on the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from planner.documents.result import Finding
from planner.export.engines import sglang
from planner.export.engines.sglang import node_options, serving

if TYPE_CHECKING:
    from planner.export.flags.table import FlagTable
    from planner.export.target import Context

__all__ = ["findings", "node_options", "options", "serving"]

_METHODS: Mapping[str, str] = {
    "fp8": "FP8", "bf16": "BF16", "none": "BF16", "w4a16": "RAWINT4", "awq": "AMXINT4", "gptq": "AMXINT4",
    "int8": "AMXINT8",
}  # fmt: skip
"""Start of the weights' scheme → kernel of the CPU experts (kt-kernel README)."""


def options(context: Context, table: FlagTable) -> dict[str, Any]:
    """SGLang's options and where the experts run."""
    host = context.resolved.cluster.host
    own: dict[str, Any] = {
        "kt_method": _method(context),
        "kt_weights": context.location.experts or context.location.path + "-experts",
        "kt_threads": host.cores,
        "kt_pools": host.sockets,
        "kt_gpu_experts": 0 if context.resolved.serving.experts_on_cpu is True else None,
    }
    return {**sglang.options(context, table), **own}


def _method(context: Context) -> str:
    scheme = context.resolved.quantization.scheme
    if scheme.startswith("gguf"):
        return "LLAMAFILE"
    return next((m for start, m in _METHODS.items() if scheme.startswith(start)), "BF16")


def findings(context: Context) -> list[Finding]:
    """Models that it does not help."""
    if context.resolved.architecture.has_experts:
        return sglang.findings(context)
    message = "KTransformers places experts on the CPU; this model has none"
    return [Finding("export-no-experts", message, "use llama.cpp, or SGLang on devices")]
