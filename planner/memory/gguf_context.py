"""The context that llama.cpp takes when nobody names one.

``--fit`` (llama.cpp ``common_fit_params``) first shortens the context until everything lies on the GPUs, down to 4096
tokens, and only then moves weights to the host. Engines with a fixed default (``gguf.default_context``) take that.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from planner.memory.gguf_cache import PAD, context_cells
from planner.resolved import Resolved

_KEY = "serving.max_model_len"
_LEAST = 4096


def chosen_context(resolved: Resolved, fits: Callable[[Resolved], bool]) -> Resolved:
    """The deployment with the context as the engine would choose it; unchanged where the document names one."""
    if _KEY not in resolved.assumed:
        return resolved
    longest = resolved.serving.max_model_len
    least = min(longest, max(_fixed(resolved) or _LEAST, _needed(resolved)))
    if _fixed(resolved) or fits(resolved):
        return _with(resolved, least if _fixed(resolved) else longest)
    low, high = context_cells(least) // PAD, context_cells(longest) // PAD
    if not fits(_with(resolved, least)):
        return _with(resolved, least)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(_with(resolved, middle * PAD)) else (low, middle)
    return _with(resolved, max(least, low * PAD))


def _fixed(resolved: Resolved) -> int:
    return int(resolved.engine.fact("gguf.default_context", 0))


def _needed(resolved: Resolved) -> int:
    """Tokens that the workload puts into the slots at once."""
    load = resolved.workload
    users = min(load.concurrency or 1.0, resolved.serving.parallel)
    need = users * (load.context + load.isl + load.osl)
    return int(min(need, 2.0**40)) if math.isfinite(need) else 0


def _with(resolved: Resolved, tokens: int) -> Resolved:
    return replace(resolved, serving=replace(resolved.serving, max_model_len=max(1, tokens)))
