"""Fits the efficiency curves of ``planner/performance/curves`` to kernel timings.

    python -m benchmarks.fit_curves KERNELS_DIR [--out planner/performance/curves]

``KERNELS_DIR`` holds gemm.csv, attention.csv, mla.csv, moe.csv and collectives.csv: one timing a row, as the
header says (accelerator, framework, shape …, seconds). Peaks and bandwidths come from the hardware database.

Every curve is the same small law, so that it carries over to accelerators without timings by their peaks alone:

    seconds = latency + ((bytes / (bandwidth · memory))^p + (flop / (peak · compute))^p)^(1/p)

The fit minimises the mean of log-cosh of the log error (robust against outliers) by Nelder-Mead.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import tomli_w

from benchmarks.minimise import minimise, robust, share
from hwdb.database import Database
from hwdb.schema import Accelerator
from planner.performance.curves import family

Row = dict[str, str]
POWER = 3.0
GEMM_FORMATS = {
    "bfloat16": ("bf16", "bf16", 2.0, 2.0),
    "fp8": ("fp8", "fp8", 1.0, 1.0),
    "fp8_block": ("fp8-block", "fp8", 1.0, 1.0),
    "nvfp4": ("nvfp4", "fp4", 0.5625, 0.5625),
    "int4_wo": ("int4", "bf16", 0.53, 2.0),
    "w4a16_mxfp4": ("mxfp4", "bf16", 0.53, 2.0),
    "w4a8_mxfp4_mxfp8": ("mxfp4-fp8", "fp8", 0.53, 1.0),
    "int8_wo": ("int8-weight", "bf16", 1.0, 2.0),
    "sq": ("int8", "int8", 1.0, 1.0),
}
"""csv name → (curve name, format of the peak, bytes per weight, bytes per activation)."""


def read(path: Path) -> list[Row]:
    """Rows of one csv file; a row without a time is left out."""
    with path.open(newline="") as file:
        return [row for row in csv.DictReader(file) if float(row["seconds"]) > 0]


def law(latency: float, memory_s: float, compute_s: float) -> float:
    """Seconds of an operation from its latency and its two ideal times over their efficiencies."""
    return latency + (memory_s**POWER + compute_s**POWER) ** (1 / POWER)


def best_of_frameworks(rows: list[Row], keys: Sequence[str]) -> dict[tuple[str, ...], float]:
    """Fastest measured time per shape: floors of eager measurement in one framework do not count."""
    best: dict[tuple[str, ...], float] = {}
    for row in rows:
        key = tuple(row[k] for k in keys)
        best[key] = min(best.get(key, math.inf), float(row["seconds"]))
    return best


def outcome(model: Callable[[Sequence[float]], list[float]], x: Sequence[float]) -> dict[str, float]:
    """How well a fit reproduces its timings."""
    errors = sorted(abs(e) for e in model(x))
    return {
        "error_median": round(statistics.median(errors), 3),
        "error_p90": round(errors[int(0.9 * (len(errors) - 1))], 3),
        "samples": len(errors),
    }


def peak(device: Accelerator, form: str) -> float:
    """Dense peak of a format, of its nearest stand-in where the database has none."""
    for name in {"fp4": ("fp4", "fp8", "bf16"), "fp8": ("fp8", "bf16"), "int8": ("int8", "fp8", "bf16")}.get(
        form, (form, "fp16")
    ):
        if device.peak_flop_s.get(name):
            return device.peak_flop_s[name] * (2 if (form, name) == ("int8", "bf16") else 1)
    raise SystemExit(f"{device.id}: no peak for {form}")


def identity(device: Accelerator) -> dict[str, object]:
    """What a curve is found and carried over by."""
    return {"accelerator": device.id, "family": family(device), "vendor": device.vendor}


def fit_gemm(rows: list[Row], devices: dict[str, Accelerator]) -> list[dict[str, object]]:
    """Plain matrix products (m × k)·(k × n)."""
    times = best_of_frameworks(rows, ("accelerator", "gemm_dtype", "m", "n", "k"))
    groups: dict[tuple[str, str], list[tuple[float, float, float]]] = defaultdict(list)
    for (name, dtype, *shape), seconds in times.items():
        device = devices[name]
        form, peak_form, weight, activation = GEMM_FORMATS[dtype]
        m, n, k = map(int, shape)
        moved = n * k * weight + m * k * activation + 2.0 * m * n
        ideal = moved / (device.bandwidth_bytes_s or 1), 2.0 * m * n * k / peak(device, peak_form)
        if seconds > max(ideal):
            groups[name, form].append((*ideal, seconds))
    curves = []
    for (name, form), points in sorted(groups.items()):

        def errors(x: Sequence[float], points: list[tuple[float, float, float]] = points) -> list[float]:
            lat, mem, cmp_ = math.exp(x[0]), share(x[1]), share(x[2])
            return [math.log(law(lat, a / mem, b / cmp_) / t) for a, b, t in points]

        x = minimise(lambda x, f=errors: robust(f(x)), (math.log(5e-6), 1.5, 1.0))
        curves.append(
            identity(devices[name])
            | {
                "format": form,
                "latency_s": float(f"{math.exp(x[0]):.3g}"),
                "memory": round(share(x[1]), 3),
                "compute": round(share(x[2]), 3),
            }
            | outcome(errors, x)
        )
    return curves


def fit_prefill(rows: list[Row], devices: dict[str, Accelerator]) -> list[dict[str, object]]:
    """Causal attention over a whole prompt; efficiency rises with the length as context / (context + knee)."""
    rows = [r for r in rows if r["phase"] == "prefill"]
    keys = ("accelerator", "attn_dtype", "num_heads", "num_key_value_heads", "batch_size", "context")
    groups: dict[tuple[str, str], list[tuple[float, float, float]]] = defaultdict(list)
    for (name, dtype, *shape), seconds in best_of_frameworks(rows, keys).items():
        form = GEMM_FORMATS[dtype][1]
        heads, _, batch, context = map(int, shape)
        ideal = 2.0 * batch * heads * 128 * context**2 / peak(devices[name], form)
        groups[name, form].append((ideal, context, seconds))
    curves = []
    for (name, form), points in sorted(groups.items()):

        def errors(x: Sequence[float], points: list[tuple[float, float, float]] = points) -> list[float]:
            lat, eff, knee = math.exp(x[0]), share(x[1]), math.exp(x[2])
            return [math.log((lat + a / eff * (1 + knee / c)) / t) for a, c, t in points]

        x = minimise(lambda x, f=errors: robust(f(x)), (math.log(1e-5), 0.5, math.log(1000)))
        curves.append(
            identity(devices[name])
            | {
                "format": form,
                "latency_s": float(f"{math.exp(x[0]):.3g}"),
                "compute": round(share(x[1]), 3),
                "knee_tokens": round(math.exp(x[2])),
            }
            | outcome(errors, x)
        )
    return curves


def fit_decode(rows: list[Row], devices: dict[str, Accelerator]) -> list[dict[str, object]]:
    """One query token a request over the paged cache: bytes of K and V at a share of the bandwidth."""
    rows = [r for r in rows if r["phase"] == "decode"]
    keys = ("accelerator", "kv_cache_dtype", "num_key_value_heads", "batch_size", "context")
    groups: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for (name, dtype, *shape), seconds in best_of_frameworks(rows, keys).items():
        form, _, width, _ = GEMM_FORMATS[dtype]
        heads, batch, context = map(int, shape)
        ideal = 2 * heads * 128 * width * batch * context / (devices[name].bandwidth_bytes_s or 1)
        if ideal > 2e-7 and seconds > ideal:
            groups[name, form].append((ideal, seconds))
    curves = []
    for (name, form), points in sorted(groups.items()):

        def errors(x: Sequence[float], points: list[tuple[float, float]] = points) -> list[float]:
            lat, eff = math.exp(x[0]), share(x[1])
            return [math.log((lat + a / eff) / t) for a, t in points]

        x = minimise(lambda x, f=errors: robust(f(x)), (math.log(1e-5), 2.0))
        curves.append(
            identity(devices[name])
            | {"format": form, "latency_s": float(f"{math.exp(x[0]):.3g}"), "memory": round(share(x[1]), 3)}
            | outcome(errors, x)
        )
    return curves


def fit_mla(rows: list[Row], devices: dict[str, Accelerator]) -> list[dict[str, object]]:
    """Latent attention: decode absorbed (576 wide keys, 512 wide values), prefill with heads of 192 and 128."""
    keys = ("accelerator", "phase", "kv_cache_dtype", "num_heads", "batch_size", "context")
    groups: dict[tuple[str, str, str], list[tuple[float, float, float]]] = defaultdict(list)
    for (name, phase, dtype, *shape), seconds in best_of_frameworks(rows, keys).items():
        if phase not in ("prefill", "decode"):
            continue
        form, _, width, _ = GEMM_FORMATS[dtype]
        heads, batch, context = map(int, shape)
        device = devices[name]
        if phase == "decode":
            moved, flop = 576 * width * batch * context, 2.0 * heads * (576 + 512) * batch * context
        else:
            moved, flop = 576 * width * batch * context, heads * (192 + 128) * batch * float(context) ** 2
        ideal = moved / (device.bandwidth_bytes_s or 1), flop / peak(device, "bf16")
        groups[name, phase, form].append((*ideal, seconds))
    curves = []
    for (name, phase, form), points in sorted(groups.items()):

        def errors(x: Sequence[float], points: list[tuple[float, float, float]] = points) -> list[float]:
            lat, mem, cmp_ = math.exp(x[0]), share(x[1]), share(x[2], 2.0)
            return [math.log(law(lat, a / mem, b / cmp_) / t) for a, b, t in points]

        x = minimise(lambda x, f=errors: robust(f(x)), (math.log(1e-5), 1.0, 0.0))
        curves.append(
            identity(devices[name])
            | {
                "phase": phase,
                "format": form,
                "latency_s": float(f"{math.exp(x[0]):.3g}"),
                "memory": round(share(x[1]), 3),
                "compute": round(share(x[2], 2.0), 3),
            }
            | outcome(errors, x)
        )
    return curves


def fit_moe(rows: list[Row], devices: dict[str, Accelerator]) -> list[dict[str, object]]:
    """Grouped products of the routed experts, gate and up and down together.

    ``tile``: rows that each touched expert is padded by. Experts touched: E·(1 − (1 − k/E)^tokens), spread evenly
    over the ranks of expert parallelism. Routing is skewed as measured models route (a power law). Each engine brings
    kernels of its own; a curve without an engine is that of the fastest at each shape.
    """
    rows = [r for r in rows if r["distribution"] == "power_law_1.01" and r["moe_ep_size"] == "1"]
    own = [row | {"engine": row["framework"].split()[0]} for row in rows]
    rows = [row | {"engine": ""} for row in rows] + own
    shape_keys = ("hidden_size", "inter_size", "topk", "num_experts", "moe_tp_size", "num_tokens")
    groups: dict[tuple[str, str, str], list[tuple[float, float, float, float]]] = defaultdict(list)
    times = best_of_frameworks(rows, ("accelerator", "moe_dtype", "engine", *shape_keys))
    for (name, dtype, engine, *shape), seconds in times.items():
        form, peak_form, weight, _ = GEMM_FORMATS[dtype]
        hidden, inter, topk, experts, split, tokens = map(int, shape)
        device = devices[name]
        one = 3.0 * hidden * inter / split
        touched = experts * (1 - (1 - topk / experts) ** tokens)
        memory = touched * one * weight / (device.bandwidth_bytes_s or 1)
        row_s = 2 * one / peak(device, peak_form)
        if seconds > 0.8 * max(memory, row_s * tokens * topk):
            groups[name, form, engine].append((memory, row_s * tokens * topk, row_s * touched, seconds))
    curves = []
    for (name, form, engine), points in sorted(groups.items()):
        if engine and len(points) < FEWEST:
            continue

        def errors(x: Sequence[float], points: list[tuple[float, float, float, float]] = points) -> list[float]:
            lat, mem, cmp_, tile = math.exp(x[0]), share(x[1]), share(x[2]), math.exp(x[3])
            return [math.log(law(lat, a / mem, (b + c * tile) / cmp_) / t) for a, b, c, t in points]

        x = minimise(lambda x, f=errors: robust(f(x)), (math.log(2e-5), 1.0, 0.0, 3.0), 700)
        curves.append(
            identity(devices[name])
            | ({"engine": engine} if engine else {})
            | {
                "format": form,
                "latency_s": float(f"{math.exp(x[0]):.3g}"),
                "memory": round(share(x[1]), 3),
                "compute": round(share(x[2]), 3),
                "tile_rows": round(math.exp(x[3]), 1),
            }
            | outcome(errors, x)
        )
    return [curve for curve in curves if not surpassed(curve, curves)]


FEWEST = 12
"""Timings that a curve of one engine takes."""


def surpassed(curve: dict[str, object], curves: list[dict[str, object]]) -> bool:
    """Per-tensor FP8 experts that were timed with an untuned kernel: block-scaled ones of the same chip beat them."""
    if curve["format"] != "fp8":
        return False
    same = ("accelerator", "engine")
    rivals = [c for c in curves if c["format"] == "fp8-block" and all(c.get(k) == curve.get(k) for k in same)]
    return any(float(str(c["compute"])) > 1.5 * float(str(curve["compute"])) for c in rivals)


CRIPPLED = 0.12
"""Below this share of its link a machine's collectives say more about its topology (no peer-to-peer) than the link."""
KNOTS = tuple(4**i * 1024 for i in range(10))
"""1 KiB … 256 MiB."""


def fit_collectives(rows: list[Row], devices: dict[str, Accelerator]) -> list[dict[str, object]]:
    """Seconds by message size (whole tensor), fastest way that a captured graph may take."""
    points: dict[tuple[str, str, int], dict[int, float]] = defaultdict(dict)
    for row in rows:
        if "eager" in row["how"] or row["dtype"] not in ("bfloat16", "half"):
            continue
        table = points[row["accelerator"], row["op_name"].replace("alltoall", "all_to_all"), int(row["num_gpus"])]
        size = int(row["message_bytes"])
        table[size] = min(table.get(size, math.inf), float(row["seconds"]))
    curves: list[dict[str, object]] = []
    crippled: set[str] = set()
    for (name, operation, group), table in sorted(points.items()):
        device = devices[name]
        link = device.link_bytes_s or device.pcie_bytes_s or 0.0
        seconds = monotone([interpolate(table, size) for size in KNOTS])
        if operation == "all_reduce" and KNOTS[-1] / seconds[-1] < CRIPPLED * link:
            crippled.add(name)
        curves.append(
            identity(device)
            | {
                "operation": operation,
                "group": group,
                "switched": bool(device.link_bytes_s),
                "link_bytes_s": link,
                "seconds": [float(f"{s:.3g}") for s in seconds],
                "samples": len(table),
            }
        )
    return [curve for curve in curves if curve["accelerator"] not in crippled]


def interpolate(table: dict[int, float], size: int) -> float:
    """Log-log between the two nearest sizes; the ends are held."""
    sizes = sorted(table)
    if size <= sizes[0]:
        return table[sizes[0]]
    for low, high in itertools.pairwise(sizes):
        if size <= high:
            part = math.log(size / low) / math.log(high / low)
            return table[low] * (table[high] / table[low]) ** part
    return table[sizes[-1]] * size / sizes[-1]


def monotone(values: list[float]) -> list[float]:
    """Never falling with the size: each value at most the next."""
    for i in range(len(values) - 2, -1, -1):
        values[i] = min(values[i], values[i + 1])
    return values


SOURCE = "kernel timings of aiconfigurator-core 0.12 (Apache-2.0), sampled; fitted by benchmarks/fit_curves.py"
FITS = {
    "gemm": ("gemm.csv", fit_gemm, "m 1-16384, n 1024-16384, k 2048-8192"),
    "attention_prefill": ("attention.csv", fit_prefill, "head_dim 128, context 128-16384, batch 1-16, causal"),
    "attention_decode": ("attention.csv", fit_decode, "head_dim 128, context 128-131072, batch 1-256"),
    "mla": ("mla.csv", fit_mla, "latent 512 + 64, heads 16-128"),
    "moe": ("moe.csv", fit_moe, "8-256 experts, top 2-8, tokens 1-16384"),
    "collectives": ("collectives.csv", fit_collectives, "2-16 devices of one node, 1 KiB - 256 MiB"),
}


def main() -> None:
    """Fit every family and write one TOML file each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("kernels", type=Path)
    parser.add_argument("--out", type=Path, default=Path("planner/performance/curves"))
    parser.add_argument("--only", nargs="*", choices=sorted(FITS), default=sorted(FITS))
    arguments = parser.parse_args()
    database = Database()
    for name in arguments.only:
        file, fit, valid = FITS[name]
        rows = read(arguments.kernels / file)
        devices = {n: database.accelerator(n) for n in sorted({r["accelerator"] for r in rows})}
        curves = fit(rows, devices)
        document: dict[str, object] = {"source": SOURCE, "valid": valid, "power": POWER}
        if name == "collectives":
            document["knots_bytes"] = list(KNOTS)
        document["curve"] = curves
        (arguments.out / f"{name}.toml").write_text(tomli_w.dumps(document))
        print(name, len(curves), "curves")


if __name__ == "__main__":
    main()
