"""Seconds of attention over context and of recurrent states, compiled for one chip and layout."""

from __future__ import annotations

from math import cbrt
from typing import NamedTuple

from planner.performance.chip import Chip
from planner.performance.operators import AttentionOp, LatentOp, Layout, Operators
from planner.performance.overheads import Overheads

_FP8_BYTES = 1.1
"""Bytes per cached element up to which the FP8 kernels run."""
_DRAFT_SHARE = 0.3
"""Of a request's attention, what each further query row costs: K and V are read once for all."""
_INDEX_S = 2e-5
"""Latency of an indexer's scoring and selection kernels (assumed: two launches of 10 µs)."""
_INDEX_SHARE = 0.35
"""Of the FP8 peak that the indexer's small heads reach (assumed)."""
_SPARSE_HEADS = 64.0
"""Query heads below which kernels of selected latents compute as many (FlashMLA's sparse kernels, padded by vLLM's
flashmla_sparse.py: 64 on Hopper, 128 on Blackwell)."""
_STATE_S = 1e-5
"""Latency of a recurrent layer's kernels (assumed)."""
_SCAN_SHARE = 0.2
"""Of the 16-bit peak that a chunked scan reaches (assumed)."""


class Work(NamedTuple):
    """What attention sees of a step."""

    requests: float
    context: float
    """Mean tokens that a decoding token attends to."""
    rows: float
    """Query tokens of decoding requests, speculated ones included."""
    tokens: float
    """Prompt tokens."""
    length: float
    """Of one prompt's stretch in this step."""
    start: float
    """Tokens cached before it."""


class Softmax(NamedTuple):
    """Attention with separate K and V: decode reads the cache, a prompt computes."""

    layers: float
    decode_s: float
    token_s: float
    """To read K and V of one token of one request."""
    prefill_s: float
    pair_s: float
    """To compute one query against one key."""
    knee: float
    window: int | None

    def seconds(self, work: Work) -> float:
        seconds, window = 0.0, self.window
        if work.requests:
            context = work.context if window is None else min(work.context, window)
            extra = 1 + _DRAFT_SHARE * (work.rows / work.requests - 1)
            seconds += self.decode_s + work.requests * context * self.token_s * extra
        if work.tokens:
            seen = work.start + work.length / 2
            if window is not None:
                seen = min(seen, window)
            ramp = 1 + self.knee / max(work.length + work.start, 1.0)
            seconds += self.prefill_s + work.tokens * seen * self.pair_s * ramp
        return self.layers * seconds


class Latent(NamedTuple):
    """MLA: absorbed in decode and under sparse selection, with full heads in plain prefill."""

    layers: float
    decode_s: float
    token_s: float
    absorbed_s: float
    """To compute one query token of all heads against one latent."""
    serial_s: float
    """Per token of one request's cache, whatever the batch."""
    prefill_s: float
    pair_s: float
    index_pair_s: float
    """To score one cached token by the indexer; 0 without one."""
    top_k: float
    window: float
    compression: float

    def seconds(self, work: Work) -> float:
        seconds = 0.0
        if work.requests:
            context = min(work.context / self.compression, self.window)
            seen = min(context, self.top_k)
            memory, compute = work.requests * seen * self.token_s, work.rows * seen * self.absorbed_s
            seconds += self.decode_s + cbrt(memory * memory * memory + compute * compute * compute)
            seconds += seen * self.serial_s + self._index(work.rows, context)
        if work.tokens:
            mean = work.start + work.length / 2
            seconds += self.prefill_s + work.tokens * min(mean, self.top_k, self.window) * self.pair_s
            seconds += self._index(work.tokens, mean)
        return self.layers * seconds

    def _index(self, rows: float, context: float) -> float:
        return _INDEX_S + rows * context * self.index_pair_s if self.index_pair_s else 0.0


class Recurrence(NamedTuple):
    """All recurrent layers: decode reads and writes the state, a prompt scans in chunks."""

    latency_s: float
    request_s: float
    token_s: float

    def seconds(self, work: Work) -> float:
        if not self.latency_s:
            return 0.0
        return self.latency_s + work.requests * self.request_s + work.tokens * self.token_s


def softmax(op: AttentionOp, chip: Chip, layout: Layout, over: Overheads) -> Softmax:
    """Attention of some layers on a chip under an engine."""
    decode = chip.law("attention_decode", "fp8" if layout.kv_bytes <= _FP8_BYTES else "bf16")
    prefill = chip.law("attention_prefill", "bf16")
    slower = over.attention_compute * (over.sinks if op.sinks else 1.0)
    return Softmax(
        layers=op.count,
        decode_s=decode.latency_s * over.latency,
        token_s=over.attention * op.kv_token_bytes / (chip.bandwidth_bytes_s * decode.memory),
        prefill_s=prefill.latency_s * over.latency,
        pair_s=slower * 4 * op.q_heads * op.head_dim / (chip.peak("bf16") * prefill.compute),
        knee=prefill.knee,
        window=op.window,
    )


def latent(op: LatentOp, chip: Chip, layout: Layout, over: Overheads) -> Latent:
    """MLA of some layers on a chip under an engine."""
    form = "fp8" if layout.kv_bytes <= _FP8_BYTES else "bf16"
    decode, prefill = chip.law("mla_decode", form), chip.law("mla_prefill", form)
    peak = chip.peak("bf16")
    width = op.latent + op.rank if op.top_k else op.head_dim + op.v_head_dim
    heads = max(op.q_heads, _SPARSE_HEADS) if op.top_k else op.q_heads
    index = 2 * op.index_heads * op.index_dim / (chip.peak(chip.format("fp8")) * _INDEX_SHARE)
    return Latent(
        layers=op.count,
        decode_s=decode.latency_s * over.latency,
        token_s=over.latent * op.kv_token_bytes / (chip.bandwidth_bytes_s * decode.memory),
        serial_s=over.latent_serial_s,
        absorbed_s=over.latent * 2 * heads * (op.latent + op.rank) / (peak * decode.compute),
        prefill_s=prefill.latency_s * over.latency,
        pair_s=over.latent_compute * 2 * heads * width / (peak * prefill.compute),
        index_pair_s=index,
        top_k=float(op.top_k or 1e30),
        window=float(op.window or 1e30),
        compression=float(op.compression),
    )


def recurrence(operators: Operators, chip: Chip, latency: float) -> Recurrence:
    """All recurrent layers on a chip: states are fp32, read and written; six FLOP an element scan a token."""
    elements = sum(op.count * op.state_elements for op in operators.recurrent)
    return Recurrence(
        latency_s=sum(op.count for op in operators.recurrent) * _STATE_S * latency,
        request_s=elements * 8 / chip.bandwidth_bytes_s,
        token_s=elements * 6 / (chip.peak("bf16") * _SCAN_SHARE),
    )
