"""Figures that trainers publish of themselves and that nothing was fitted to, but where a comment says so.

Sources: [titan-24] pytorch/torchtitan docs/performance.md, May 2024 (64 A100); [titan-h100] its
benchmarks/llama3_h100_202412_torchtitan.md (H100 of 96 GB at 500 W; the 32k to 256k rows set the shares of attention in
training.toml); [lf] hiyouga/LLaMA-Factory wiki, Performance comparison (A100 40 GB, Llama-2-7B, 4 bits, one sample).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

LLAMA_8B, LLAMA_70B = "meta-llama/Llama-3.1-8B-Instruct", "meta-llama/Llama-3.1-70B-Instruct"
LLAMA_405B = "meta-llama/Llama-3.1-405B"
LLAMA2_7B, LLAMA2_13B, LLAMA2_70B = (f"meta-llama/Llama-2-{size}-hf" for size in ("7b", "13b", "70b"))


@dataclass(frozen=True)
class Published:
    """One row of a table."""

    name: str
    job: dict[str, Any]
    """Changes to ``tests.finetune.build.document``."""
    tok_s_per_gpu: float | None = None
    reserved_gib: float | None = None
    driver_gb: float | None = None
    """As whole numbers are printed."""


def rows() -> Iterator[Published]:
    """All of them."""
    yield from _titan_a100()
    yield from _titan_h100()
    yield from _llama_factory()


def _titan(**job: Any) -> dict[str, Any]:
    return {"method": "full", "trainer": "torchtitan", "objective": "pretrain", "precision": "bf16-mixed", **job}


def _titan_a100() -> Iterator[Published]:
    for model, batch, length, mode, speed in (
        (LLAMA_8B, 1, 8192, "selective", 2973),
        (LLAMA_70B, 1, 8192, True, 331),
        (LLAMA2_13B, 2, 4096, False, 2162),
        (LLAMA2_13B, 2, 4096, "selective", 1904),
        (LLAMA2_70B, 1, 4096, "selective", 355),
        (LLAMA2_70B, 2, 4096, True, 353),
    ):
        job = _titan(
            model=model,
            gpus=8,
            nodes=8,
            micro_batch=batch,
            seq_len=length,
            gradient_checkpointing=mode,
            sharding="fsdp",
        )
        yield Published(f"[titan-24] {model} {mode}", job, speed)


def _titan_h100() -> Iterator[Published]:
    large = {"hardware": "h100-sxm-80gb", "memory_bytes": 96 * 2**30, "gpus": 8}
    for nodes, compiled, precision, speed, memory in (
        (1, False, "bf16-mixed", 5762, 82.4),
        (1, True, "bf16-mixed", 6667, 77.0),
        (1, True, "fp8-mixed", 8532, 76.8),
        (16, False, "bf16-mixed", 5605, 67.0),
        (16, True, "bf16-mixed", 6514, 62.0),
        (16, True, "fp8-mixed", 8380, 61.8),
    ):
        job = _titan(**large, nodes=nodes, micro_batch=2, seq_len=8192, gradient_checkpointing="selective",
                     compile=compiled, precision=precision)  # fmt: skip
        yield Published(f"[titan-h100] 8B {nodes * 8} {compiled} {precision}", job, speed, memory)
    long = ((1, 3890, 83.9), (2, 2540, 84.2), (4, 1071, 84.0), (8, 548, 84.5))
    for ranks, speed, memory in long:
        job = _titan(**large, seq_len=32768 * ranks, compile=True, precision="fp8-mixed", parallel={"cp": ranks})
        yield Published(f"[titan-h100] 8B cp {ranks}", job, speed, memory)
    job = _titan(**large, model=LLAMA_70B, nodes=32, seq_len=8192, micro_batch=16, compile=True, precision="fp8-mixed",
                 parallel={"tp": 8})  # fmt: skip
    yield Published("[titan-h100] 70B tp 8", job, 829, 71.9)
    for chunks, speed, memory in ((1, 100, 82.5), (2, 128, 72.7)):
        job = _titan(**large, model=LLAMA_405B, nodes=64, seq_len=8192, micro_batch=32, compile=True,
                     precision="fp8-mixed", parallel={"tp": 8, "pp": 8, "vp": chunks})  # fmt: skip
        yield Published(f"[titan-h100] 405B vp {chunks}", job, speed, memory)


def _llama_factory() -> Iterator[Published]:
    shared = {"model": LLAMA2_7B, "hardware": "a100-sxm-40gb", "method": "qlora", "grad_accum": 4, "lora_rank": 8,
              "lora_targets": "all-linear"}  # fmt: skip
    plain = ((1024, 2295, 6), (2048, 2741, 7), (4096, 2926, 9), (8192, 3128, 12), (16384, 3542, 19), (32768, 2216, 32))
    for length, speed, memory in plain:
        job = {**shared, "trainer": "llama-factory", "seq_len": length}
        yield Published(f"[lf] {length}", job, speed, driver_gb=memory)
    fast = (
        (1024, 2556, 5), (2048, 3178, 6), (4096, 3413, 7), (8192, 3632, 8), (16384, 4050, 10), (32768, 2456, 16),
        (65536, 1820, 25), (100000, 1202, 37),
    )  # fmt: skip
    for length, speed, memory in fast:
        job = {**shared, "trainer": "unsloth", "seq_len": length, "gradient_checkpointing": "offloaded",
               "fused_kernels": True}  # fmt: skip
        yield Published(f"[lf] unsloth {length}", job, speed, driver_gb=memory)
