"""What the engine's log should say when the plan comes true: its own lines with the predicted figures."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from planner.estimate import Estimate
from planner.units import GIB, MIB

if TYPE_CHECKING:
    from planner.export.target import Context


def expected_lines(context: Context) -> list[tuple[str, str]]:
    """(line as the engine prints it, range to accept); lines whose figures are not known are left out."""
    figures = _figures(context)
    found = []
    for template in context.runtime.log_lines(context.resolved.engine.release):
        names = [name for _, name, _, _ in string.Formatter().parse(template) if name]
        if all(name in figures for name in names):
            line = template.format(**{name: figures[name][0] for name in names})
            ranges = [figures[name][1] for name in names if figures[name][1]]
            found.append((line, ", ".join(ranges)))
    return found


def _figures(context: Context) -> dict[str, tuple[str, str]]:
    """Name → text and range."""
    memory = context.estimate.memory
    if memory is None:
        return {}
    serving = context.resolved.serving
    gpu = memory.per_gpu
    tokens = memory.kv_tokens_printed or memory.kv_tokens
    return {
        "weights_gib": _shown(gpu.weights, GIB, 2),
        "kv_cache_gib": _shown(gpu.kv_cache, GIB, 2),
        "weights_mib": _shown(gpu.weights, MIB, 0),
        "kv_needed_mib": _shown(gpu.kv_needed, MIB, 0),
        "kv_tokens": _shown(memory.kv_tokens, 1, 0),
        "kv_tokens_printed": _shown(tokens, 1, 0),
        "kv_blocks": _shown(memory.kv_tokens, max(1, serving.block_size), 0),
        "max_concurrency": _shown(memory.max_concurrency, 1, 2),
        "max_model_len": (f"{serving.max_model_len:,}", ""),
        "n_gpu_layers": (str(serving.n_gpu_layers), "") if serving.n_gpu_layers is not None else ("…", ""),
    }


def _shown(figure: Estimate, unit: float, digits: int) -> tuple[str, str]:
    value, low, high = (f"{x / unit:,.{digits}f}" for x in (figure.value, figure.low, figure.high))
    return value, f"{low} … {high}"
