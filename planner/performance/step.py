"""Seconds of one engine step on one rank, by part.

A step carries ``requests`` decoding tokens at a mean context and, with chunked prefill, ``tokens`` of prompts. The
operators are compiled once for a chip and a layout into coefficients; a step is then a short sum.
"""

from __future__ import annotations

from math import cbrt
from typing import NamedTuple

from planner.memo import keep
from planner.performance.attention import Work, latent, recurrence, softmax
from planner.performance.chip import Chip
from planner.performance.collectives import Network, Timer
from planner.performance.operators import ExpertOp, Layout, Operators, Product
from planner.performance.overheads import Overheads
from planner.resolved import Cluster

ACTIVATION_BYTES = 2.0
_PADDING = 4.0
"""Rows of padding per served row at most: kernels take smaller tiles for small groups."""


class Load(NamedTuple):
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
    share: float = 1.0
    """Of the attention groups, those that carry prompts in this step; experts and exchanges see all groups."""
    drafting: float = 1.0
    """Layers that drafting one of them takes, beside an output head; 0 where nothing is computed to draft."""

    @property
    def rows(self) -> float:
        """Tokens through the projections."""
        return self.requests * (1 + self.draft) + self.tokens

    @property
    def mean_rows(self) -> float:
        """Tokens of the mean attention group."""
        return self.requests * (1 + self.draft) + self.tokens * self.share

    @property
    def logits(self) -> float:
        """Rows through the head."""
        return self.requests * (1 + self.draft) + (self.tokens / self.prompt if self.prompt else 0.0)


class Step(NamedTuple):
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


class _Law(NamedTuple):
    """``latency + cbrt((fixed + per_row·m)³ + (compute·m)³)`` for m rows, all products of a kind together."""

    latency: float
    fixed: float
    per_row: float
    compute: float


class _Products(NamedTuple):
    """Several products: what they cost at any number of rows, and (fixed, per_row, compute³) of each."""

    latency: float
    laws: tuple[tuple[float, float, float], ...]

    def seconds(self, rows: float) -> float:
        """Of so many rows."""
        total, cubed = self.latency, rows * rows * rows
        for fixed, per_row, compute in self.laws:
            memory = fixed + per_row * rows
            total += cbrt(memory * memory * memory + compute * cubed)
        return total


def _together(laws: tuple[_Law, ...]) -> _Products:
    return _Products(sum(law.latency for law in laws), tuple((f, p, c * c * c) for _, f, p, c in laws))


class _Experts(NamedTuple):
    """Grouped products of one kind of layer: experts touched are read once, rows padded to tiles."""

    layers: float
    latency: float
    local: float
    """Experts on this rank."""
    missed: float
    """Chance that one token leaves an expert alone."""
    served: float
    """Rows on the busiest rank per token of one attention group."""
    groups: int
    expert_s: float
    """To read one expert."""
    row_s: float
    """To compute one row of one expert."""
    tile: float
    routing: float

    def seconds(self, rows: float) -> float:
        total = rows * self.groups
        free = 1 + (total - 1) * self.routing if total > 1 else total
        touched = self.local * (1 - self.missed**free)
        served = rows * self.served
        memory = touched * self.expert_s
        work = (served + min(touched * self.tile, served * _PADDING)) * self.row_s
        return self.layers * (self.latency + cbrt(memory * memory * memory + work * work * work))


class StepModel:
    """Times of steps of one architecture on one layout of one chip under one engine."""

    def __init__(self, operators: Operators, layout: Layout, chip: Chip, network: Network, over: Overheads) -> None:
        self.operators, self.layout, self.chip, self.network, self.over = operators, layout, chip, network, over
        self._products = _together(tuple(self._compile(p) for p in operators.products))
        self._head = _together(tuple(self._compile(p) for p in operators.head))
        self._experts = tuple(self._compile_experts(e) for e in operators.experts)
        self._softmax = tuple(softmax(op, chip, layout, over) for op in operators.attention)
        self._latent = tuple(latent(op, chip, layout, over) for op in operators.latent)
        self._recurrence = recurrence(operators, chip, over.latency)
        self._token_s = operators.token_bytes / (chip.bandwidth_bytes_s * over.elementwise_share)
        self._launch_s = over.prefill_layer_s * operators.layers
        self._row_bytes = operators.hidden * ACTIVATION_BYTES
        self._exchanges = _exchanges(operators, layout, network)
        self._send = network.pipeline(layout.pp, layout.ranks) if layout.pp > 1 else None
        self._gather = network.timer("all_gather", layout.tp) if layout.tp > 1 else None
        self._sample_s = over.sampler_passes / chip.bandwidth_bytes_s
        self._delay = over.group_delay * (1 - 1 / layout.attention_dp)
        self._small_s = operators.layers * over.layer_s + operators.moe_layers * over.moe_layer_s

    def _compile(self, product: Product) -> _Law:
        form = self.chip.format(product.format)
        law = self.chip.law("gemm", form)
        slower = self.over.channel_fp8 if form == "fp8-channel" else 1.0
        flop = 2 * product.n * product.k
        rate = self.chip.bandwidth_bytes_s * law.memory / (self.over.nvfp4 if form == "nvfp4" else slower)
        latency = law.latency_s * self.over.latency + (self.over.block_s if form == "fp8-block" else 0.0)
        compute = min(slower, 2.0) * flop / (self.chip.peak(form) * law.compute * self.over.compute)
        return _Law(
            latency=product.count * latency,
            fixed=product.count * product.weight_bytes / rate,
            per_row=product.count * (product.k + product.n) * ACTIVATION_BYTES / rate,
            compute=product.count * compute,
        )

    def _compile_experts(self, op: ExpertOp) -> _Experts:
        form = self.chip.format(op.format)
        if form == "mxfp4" and "fp4" in self.chip.peaks and self.over.mxfp4_activations == "fp8":
            form = "mxfp4-fp8"
        law = self.chip.law("moe", form, self.over.kernels)
        slower = self.over.experts_compute * (self.over.int4_experts if form == "int4" else 1.0)
        reading = self.over.experts * (self.over.int4_read if form == "int4" else 1.0)
        share = op.local_experts / op.num_experts
        balance = 1.0 if self.layout.ep <= 1 else self.over.expert_imbalance
        return _Experts(
            layers=op.count,
            latency=law.latency_s * self.over.moe_latency,
            local=op.local_experts,
            missed=1 - op.experts_per_token / op.num_experts,
            served=self.layout.attention_dp * op.experts_per_token * share * balance,
            groups=self.layout.attention_dp,
            expert_s=reading * op.expert_bytes / (self.chip.bandwidth_bytes_s * law.memory),
            row_s=slower * op.expert_flop / (self.chip.peak(form) * law.compute),
            tile=law.knee,
            routing=self.over.routing,
        )

    def step(self, load: Load) -> Step:
        """One step."""
        rows, experts = load.rows, 0.0
        mean = rows if load.share == 1.0 else load.mean_rows
        for group in self._experts:
            experts += group.seconds(mean)
        step = Step(
            products=self._products.seconds(rows),
            attention=self._attention_s(load),
            experts=experts,
            communication=self._communication(rows, mean),
            elementwise=rows * self._token_s + self._small_s,
            head=self._head_s(load),
            launches=0.0,
            host=self.over.step_s + self.over.request_s * (load.requests + (1 if load.tokens else 0)),
        )
        if self._delay:
            step = step._replace(host=step.host + self._delay * step.device)
        if load.draft and load.drafting:
            step = step._replace(head=step.head + load.draft * self._draft_s(step, load.drafting))
        if not load.tokens:
            return step
        missing = self._launch_s - step.device
        return step._replace(launches=missing) if missing > 0 else step

    def _draft_s(self, step: Step, drafting: float) -> float:
        """To draft one token with so many layers (one of MTP or EAGLE): their share of all, and the output head."""
        layers = step.products + step.attention + step.experts + step.communication + step.elementwise
        return drafting * layers / max(self.operators.layers, 1) + step.head

    def _attention_s(self, load: Load) -> float:
        drafted = load.requests * (1 + load.draft)
        length = load.prompt or load.tokens
        work = Work(load.requests, load.context, drafted, load.tokens, length, load.start)
        seconds = self._recurrence.seconds(work)
        for plain in self._softmax:
            seconds += plain.seconds(work)
        for compressed in self._latent:
            seconds += compressed.seconds(work)
        return seconds

    def _communication(self, rows: float, mean: float) -> float:
        message = rows * self._row_bytes
        seconds = 0.0
        for count, timer, shared in self._exchanges:
            seconds += count * timer(mean * self._row_bytes if shared else message)
        return seconds * self.over.communication + (self._send(message) if self._send else 0.0)

    def _head_s(self, load: Load) -> float:
        if not self._head.laws:
            return 0.0
        rows = load.logits
        logits = rows * self.operators.vocab * ACTIVATION_BYTES
        seconds = self._head.seconds(rows) + logits * self._sample_s
        return seconds + self._gather(logits) if self._gather else seconds


def _exchanges(operators: Operators, layout: Layout, network: Network) -> tuple[tuple[float, Timer, bool], ...]:
    """(how often in a pass, seconds by bytes of one group's rows, whether all groups take part).

    Two all-reduces a layer over tensor parallel ranks; with attention groups, experts instead gather all rows and
    scatter their sums.
    """
    if layout.ranks <= 1:
        return ()
    plain = 2 * operators.layers
    found: list[tuple[float, Timer, bool]] = []
    if layout.attention_dp > 1:
        plain -= operators.moe_layers
        for operation in ("all_gather", "reduce_scatter"):
            timer = network.timer(operation, layout.ranks, layout.attention_dp)
            found.append((float(operators.moe_layers), timer, True))
    if layout.tp > 1:
        found.append((float(plain), network.timer("all_reduce", layout.tp), False))
    return tuple(found)


def step_model(operators: Operators, layout: Layout, chip: Chip, cluster: Cluster, over: Overheads) -> StepModel:
    """The compiled model, kept per combination."""
    key = (layout, chip, cluster.per_node, cluster.link, cluster.fabric, over)
    return keep(operators, key, lambda: StepModel(operators, layout, chip, Network(cluster, chip.curves), over))
