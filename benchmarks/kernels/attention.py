"""Attention over context: prompts, decoding, and latent attention in both."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable

from benchmarks.kernels.timings import (
    FORMATS,
    Curve,
    Numbers,
    Row,
    best_of_frameworks,
    fitted,
    latency,
    law,
    peak,
)
from benchmarks.minimise import share
from hwdb.schema import Accelerator


def fit_prefill(rows: list[Row], devices: dict[str, Accelerator]) -> list[Curve]:
    """Causal attention over a whole prompt; efficiency rises with the length as context / (context + knee)."""
    rows = [r for r in rows if r["phase"] == "prefill"]
    keys = ("accelerator", "attn_dtype", "num_heads", "num_key_value_heads", "batch_size", "context")
    groups: dict[tuple[str, str], list[tuple[float, float, float]]] = defaultdict(list)
    for (name, dtype, *shape), seconds in best_of_frameworks(rows, keys).items():
        form = FORMATS[dtype][1]
        heads, _, batch, context = map(int, shape)
        ideal = 2.0 * batch * heads * 128 * context**2 / peak(devices[name], form)
        groups[name, form].append((ideal, context, seconds))
    start = (math.log(1e-5), 0.5, math.log(1000))
    return [
        fitted(devices[name], points, _prefill_s, start, lambda x, form=form: _prefill(form, x))
        for (name, form), points in sorted(groups.items())
    ]


def _prefill_s(x: Numbers) -> Callable[[float, float], float]:
    wait, compute, knee = math.exp(x[0]), share(x[1]), math.exp(x[2])
    return lambda ideal, context: wait + ideal / compute * (1 + knee / context)


def _prefill(form: str, x: Numbers) -> Curve:
    knee = round(math.exp(x[2]))
    return {"format": form, "latency_s": latency(x[0]), "compute": round(share(x[1]), 3), "knee_tokens": knee}


def fit_decode(rows: list[Row], devices: dict[str, Accelerator]) -> list[Curve]:
    """One query token a request over the paged cache: bytes of K and V at a share of the bandwidth."""
    rows = [r for r in rows if r["phase"] == "decode"]
    keys = ("accelerator", "kv_cache_dtype", "num_key_value_heads", "batch_size", "context")
    groups: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for (name, dtype, *shape), seconds in best_of_frameworks(rows, keys).items():
        form, _, width, _ = FORMATS[dtype]
        heads, batch, context = map(int, shape)
        ideal = 2 * heads * 128 * width * batch * context / (devices[name].bandwidth_bytes_s or 1)
        if ideal > 2e-7 and seconds > ideal:
            groups[name, form].append((ideal, seconds))
    start = (math.log(1e-5), 2.0)
    return [
        fitted(devices[name], points, _decode_s, start, lambda x, form=form: _decode(form, x))
        for (name, form), points in sorted(groups.items())
    ]


def _decode_s(x: Numbers) -> Callable[[float], float]:
    wait, memory = math.exp(x[0]), share(x[1])
    return lambda ideal: wait + ideal / memory


def _decode(form: str, x: Numbers) -> Curve:
    return {"format": form, "latency_s": latency(x[0]), "memory": round(share(x[1]), 3)}


def fit_mla(rows: list[Row], devices: dict[str, Accelerator]) -> list[Curve]:
    """Latent attention: decode absorbed (576 wide keys, 512 wide values), prefill with heads of 192 and 128."""
    keys = ("accelerator", "phase", "kv_cache_dtype", "num_heads", "batch_size", "context")
    groups: dict[tuple[str, str, str], list[tuple[float, float, float]]] = defaultdict(list)
    for (name, phase, dtype, *shape), seconds in best_of_frameworks(rows, keys).items():
        if phase not in ("prefill", "decode"):
            continue
        form, _, width, _ = FORMATS[dtype]
        heads, batch, context = map(int, shape)
        device, moved = devices[name], 576 * width * batch * context
        pairs = batch * context if phase == "decode" else batch * float(context) ** 2
        flop = (2.0 * (576 + 512) if phase == "decode" else 192 + 128) * heads * pairs
        ideal = moved / (device.bandwidth_bytes_s or 1), flop / peak(device, "bf16")
        groups[name, phase, form].append((*ideal, seconds))
    start = (math.log(1e-5), 1.0, 0.0)
    return [
        fitted(devices[name], points, _mla_s, start, lambda x, phase=phase, form=form: _mla(phase, form, x))
        for (name, phase, form), points in sorted(groups.items())
    ]


def _mla_s(x: Numbers) -> Callable[[float, float], float]:
    wait, memory, compute = math.exp(x[0]), share(x[1]), share(x[2], 2.0)
    return lambda moved, flop: law(wait, moved / memory, flop / compute)


def _mla(phase: str, form: str, x: Numbers) -> Curve:
    memory, compute = round(share(x[1]), 3), round(share(x[2], 2.0), 3)
    return {"phase": phase, "format": form, "latency_s": latency(x[0]), "memory": memory, "compute": compute}
