"""Fits the efficiency curves of ``planner/performance/curves`` to kernel timings.

    python -m benchmarks.fit_curves KERNELS_DIR [--out planner/performance/curves]

``KERNELS_DIR`` holds gemm.csv, attention.csv, mla.csv, moe.csv and collectives.csv: one timing a row, as the
header says (accelerator, framework, shape …, seconds). Peaks and bandwidths come from the hardware database.

Every curve is the same small law (``benchmarks.kernels.timings``), so that it carries over to accelerators without
timings by their peaks alone. The fit minimises the mean of log-cosh of the log error (robust against outliers) by
Nelder-Mead.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import tomli_w

from benchmarks.kernels.attention import fit_decode, fit_mla, fit_prefill
from benchmarks.kernels.collectives import KNOTS, fit_collectives
from benchmarks.kernels.experts import fit_moe
from benchmarks.kernels.gemm import fit_gemm
from benchmarks.kernels.timings import POWER, read
from hwdb.database import Database

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
