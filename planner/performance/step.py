"""Seconds of one engine step on one rank, by part.

A step carries ``requests`` decoding tokens at a mean context and, with chunked prefill, ``tokens`` of prompts. The
operators are compiled once for a chip and a layout into coefficients; a step is then a short sum.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import cbrt

from planner.memory.memo import IdentityMemo
from planner.performance.chip import Chip
from planner.performance.collectives import Network
from planner.performance.curves import Law
from planner.performance.operators import ExpertOp, LatentOp, Layout, Operators, Product
from planner.performance.overheads import Overheads
from planner.resolved import Cluster

ACTIVATION_BYTES = 2.0
_PADDING = 4.0
"""Rows of padding per served row at most: kernels take smaller tiles for small groups."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one attention group computes in a step."""

    requests: float
    """Decoding requests."""
    context: float = 0.0
    """Mean tokens that a decoding token attends to."""
    tokens: float = 0.0
    """Prompt tokens."""
    start: float = 0.0
    """Mean tokens already cached before the prompt tokens of this step."""
    prompt: float = 0.0
    """Mean length of the stretch of one prompt in this step."""
    draft: float = 0.0
    """Speculated tokens verified beside each decoding token."""

    @property
    def rows(self) -> float:
        """Tokens through the projections."""
        return self.requests * (1 + self.draft) + self.tokens

    @property
    def logits(self) -> float:
        """Rows through the head."""
        return self.requests * (1 + self.draft) + (self.tokens / self.prompt if self.prompt else 0.0)


@dataclass(frozen=True, slots=True)
class Step:
    """Seconds by part."""

    products: float
    attention: float
    experts: float
    communication: float
    elementwise: float
    head: float
    launches: float
    """What the device idles while a step without captured graphs is launched."""
    host: float
    """Scheduling, sampling and launches that the device waits for."""

    @property
    def device(self) -> float:
        """Seconds on the device."""
        return self.products + self.attention + self.experts + self.communication + self.elementwise + self.head

    @property
    def seconds(self) -> float:
        return self.device + self.launches + self.host


@dataclass(frozen=True, slots=True)
class _Law:
    """``count · (latency + cbrt((fixed + per_row·m)³ + (compute·m)³))``."""

    count: float
    latency: float
    fixed: float
    per_row: float
    compute: float

    def seconds(self, rows: float) -> float:
        memory = self.fixed + self.per_row * rows
        compute = self.compute * rows
        return self.count * (self.latency + cbrt(memory * memory * memory + compute * compute * compute))


@dataclass(frozen=True, slots=True)
class _Experts:
    """Grouped products: experts touched are read once, rows padded to tiles."""

    op: ExpertOp
    latency: float
    expert_s: float
    """To read one expert."""
    row_s: float
    """To compute one row of one expert."""
    tile: float
    groups: int
    balance: float
    routing: float

    def seconds(self, rows: float) -> float:
        op = self.op
        total = rows * self.groups
        share = op.local_experts / op.num_experts
        free = 1 + (total - 1) * self.routing if total > 1 else total
        touched = op.local_experts * (1 - (1 - op.experts_per_token / op.num_experts) ** free)
        served = total * op.experts_per_token * share * self.balance
        memory = touched * self.expert_s
        compute = (served + min(touched * self.tile, served * _PADDING)) * self.row_s
        return op.count * (self.latency + cbrt(memory**3 + compute**3))


class StepModel:
    """Times of steps of one architecture on one layout of one chip under one engine."""

    def __init__(self, operators: Operators, layout: Layout, chip: Chip, network: Network, over: Overheads) -> None:
        self.operators, self.layout, self.chip, self.network, self.over = operators, layout, chip, network, over
        self._products = tuple(self._compile(p) for p in operators.products)
        self._head = tuple(self._compile(p) for p in operators.head)
        self._experts = tuple(self._compile_experts(e) for e in operators.experts)
        prefill = self._law("attention_prefill", "bf16")
        decode = self._law("attention_decode", "fp8" if layout.kv_bytes <= 1.1 else "bf16")
        rate = chip.bandwidth_bytes_s * decode.memory
        peak = chip.peak("bf16")
        self._attention = tuple(
            (
                op.count,
                decode.latency_s * over.latency,
                op.kv_token_bytes / rate,
                4 * op.q_heads * op.head_dim / (peak * prefill.compute),
                prefill.knee,
                prefill.latency_s * over.latency,
                op.window,
            )
            for op in operators.attention
        )
        self._token_s = operators.token_bytes / (chip.bandwidth_bytes_s * over.elementwise_share)
        self._small_s = operators.layers * over.layer_s + operators.moe_layers * over.moe_layer_s
        self._state_s = sum(op.count * op.state_elements for op in operators.recurrent) * 8 / chip.bandwidth_bytes_s
        self._scan_s = sum(op.count * op.state_elements for op in operators.recurrent) * 6 / (peak * 0.2)

    def _law(self, operation: str, form: str) -> Law:
        return self.chip.law(operation, form)

    def _compile(self, product: Product) -> _Law:
        form = self.chip.format(product.format)
        law = self.chip.law("gemm", form)
        slower = self.over.channel_fp8 if form == "fp8-channel" else 1.0
        rate = self.chip.bandwidth_bytes_s * law.memory / slower
        return _Law(
            count=product.count,
            latency=law.latency_s * self.over.latency,
            fixed=product.weight_bytes / rate,
            per_row=(product.k + product.n) * ACTIVATION_BYTES / rate,
            compute=slower * 2 * product.n * product.k / (self.chip.peak(form) * law.compute * self.over.compute),
        )

    def _compile_experts(self, op: ExpertOp) -> _Experts:
        form = self.chip.format(op.format)
        if form == "mxfp4" and "fp4" in self.chip.peaks and self.over.mxfp4_activations == "fp8":
            form = "mxfp4-fp8"
        law = self.chip.law("moe", form)
        return _Experts(
            op=op,
            latency=law.latency_s * self.over.moe_latency,
            expert_s=self.over.experts * op.expert_bytes / (self.chip.bandwidth_bytes_s * law.memory),
            row_s=self.over.experts_compute * op.expert_flop / (self.chip.peak(form) * law.compute),
            tile=law.knee,
            groups=self.layout.attention_dp,
            balance=1.0 if self.layout.ep <= 1 else self.over.expert_imbalance,
            routing=self.over.routing,
        )

    def step(self, load: Load) -> Step:
        """One step."""
        rows = load.rows
        step = Step(
            products=sum(p.seconds(rows) for p in self._products),
            attention=self._attention_s(load) + self._latent_s(load) + self._recurrent_s(load),
            experts=sum(e.seconds(rows) for e in self._experts),
            communication=self._communication(rows),
            elementwise=rows * self._token_s + self._small_s,
            head=self._head_s(load),
            launches=0.0,
            host=self.over.step_s + self.over.request_s * (load.requests + (1 if load.tokens else 0)),
        )
        missing = self.over.prefill_layer_s * self.operators.layers - step.device if load.tokens else 0.0
        return replace(step, launches=missing) if missing > 0 else step

    def _attention_s(self, load: Load) -> float:
        total = 0.0
        length = load.prompt or load.tokens
        for count, decode_s, token_s, flop_s, knee, prefill_s, window in self._attention:
            seconds = 0.0
            if load.requests:
                context = load.context if window is None else min(load.context, window)
                seconds += decode_s + load.requests * context * token_s * (1 + 0.3 * load.draft)
            if load.tokens:
                seen = load.start + length / 2
                if window is not None:
                    seen = min(seen, window)
                seconds += prefill_s + load.tokens * seen * flop_s * (1 + knee / max(length + load.start, 1.0))
            total += count * seconds
        return total

    def _latent_s(self, load: Load) -> float:
        return sum(self._latent_one(op, load) for op in self.operators.latent)

    def _latent_one(self, op: LatentOp, load: Load) -> float:
        seconds = 0.0
        form = "fp8" if self.layout.kv_bytes <= 1.1 else "bf16"
        bandwidth, peak = self.chip.bandwidth_bytes_s, self.chip.peak("bf16")
        if load.requests:
            law = self.chip.law("mla_decode", form)
            context = load.context / op.compression if op.window is None else min(load.context, op.window)
            seen = min(context, op.top_k) if op.top_k else context
            memory = load.requests * seen * op.kv_token_bytes / (bandwidth * law.memory)
            flop = 2 * load.requests * (1 + load.draft) * op.q_heads * (op.latent + op.rank) * seen
            compute = flop / (peak * law.compute)
            seconds += law.latency_s * self.over.latency + cbrt(memory**3 + compute**3)
            seconds += self._index_s(op, load.requests * (1 + load.draft), context)
        if load.tokens:
            law = self.chip.law("mla_prefill", form)
            length = load.prompt or load.tokens
            mean = load.start + length / 2
            seen = min(mean, op.top_k) if op.top_k else mean
            width = op.latent + op.rank if op.top_k else op.head_dim + op.v_head_dim
            flop = 2 * load.tokens * op.q_heads * width * seen
            seconds += law.latency_s * self.over.latency + flop / (peak * law.compute)
            seconds += self._index_s(op, load.tokens, mean)
        return op.count * seconds

    def _index_s(self, op: LatentOp, rows: float, context: float) -> float:
        """The indexer scores every cached token with its own small heads (fp8 where the chip has it)."""
        if not op.index_heads:
            return 0.0
        flop = 2 * rows * op.index_heads * op.index_dim * context
        return 2e-5 * self.over.latency + flop / (self.chip.peak(self.chip.format("fp8")) * 0.35)

    def _recurrent_s(self, load: Load) -> float:
        if not self.operators.recurrent:
            return 0.0
        layers = sum(op.count for op in self.operators.recurrent)
        return layers * 1e-5 * self.over.latency + load.requests * self._state_s + load.tokens * self._scan_s

    def _communication(self, rows: float) -> float:
        layout, ops, network = self.layout, self.operators, self.network
        if layout.ranks <= 1:
            return 0.0
        message = rows * ops.hidden * ACTIVATION_BYTES
        plain = 2 * ops.layers
        seconds = 0.0
        if layout.attention_dp > 1:
            plain -= ops.moe_layers
            total = message * layout.attention_dp
            one = network.seconds("all_gather", total, layout.ranks)
            one += network.seconds("reduce_scatter", total, layout.ranks)
            seconds += ops.moe_layers * one
        if layout.tp > 1:
            seconds += plain * network.seconds("all_reduce", message, layout.tp)
        return seconds * self.over.communication

    def _head_s(self, load: Load) -> float:
        rows = load.logits
        if not self._head:
            return 0.0
        logits = rows * self.operators.vocab * ACTIVATION_BYTES
        seconds = sum(p.seconds(rows) for p in self._head)
        seconds += self.network.seconds("all_gather", logits, self.layout.tp)
        return seconds + logits * self.over.sampler_passes / self.chip.bandwidth_bytes_s


_MODELS: IdentityMemo[StepModel] = IdentityMemo()


def step_model(operators: Operators, layout: Layout, chip: Chip, cluster: Cluster, over: Overheads) -> StepModel:
    """The compiled model, kept per combination."""
    key = (layout, cluster.per_node, cluster.link, cluster.fabric, over)
    return _MODELS.get(
        operators, chip, key, lambda: StepModel(operators, layout, chip, Network(cluster, chip.curves), over)
    )
