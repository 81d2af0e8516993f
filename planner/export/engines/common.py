"""What several engines' options share."""

from __future__ import annotations

from typing import Any

from planner.resolved import Serving


def more_than_one(count: int) -> int | None:
    """A number of ranks or groups that is worth a flag."""
    return count if count > 1 else None


def limits(serving: Serving) -> dict[str, Any]:
    """Context, batch and share of memory, which every engine takes."""
    return {
        "max_model_len": serving.max_model_len,
        "max_num_seqs": serving.max_num_seqs,
        "max_num_batched_tokens": serving.max_num_batched_tokens,
        "gpu_memory_utilization": serving.gpu_memory_utilization,
    }


def additions(serving: Serving) -> dict[str, Any]:
    """Eager execution, offload and adapters."""
    return {
        "enforce_eager": serving.enforce_eager,
        "cpu_offload_bytes": serving.cpu_offload_bytes or None,
        "lora": serving.lora_rank > 0,
        "lora_rank": serving.lora_rank or None,
        "lora_adapters": serving.lora_adapters or None,
    }
