"""What an engine adds to the device's work: by engine family, version, backend. Data from ``curves/engines.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

from planner.engines.profile import EngineProfile
from planner.engines.version import in_range
from planner.performance.curves import Curves


@dataclass(frozen=True, slots=True)
class Overheads:
    """One engine at one release."""

    step_s: float = 1e-3
    """Host time per step that the device waits for."""
    request_s: float = 5e-6
    """The same per running request."""
    layer_s: float = 8e-6
    """Small kernels of a layer (norms, rope, cache write, activation, quantisation) and gaps between kernels."""
    moe_layer_s: float = 0.0
    """Added to a layer with routed experts: routing, sorting, quantisation of what goes to them."""
    experts: float = 1.2
    """Scale of reading routed experts against the fitted kernels, which ran on even routing."""
    experts_compute: float = 1.0
    """Scale of computing them."""
    routing: float = 0.8
    """Of the tokens of a step, the share that picks experts freely; the rest go where others went already."""
    channel_fp8: float = 1.0
    """Scale of reading per-channel FP8 weights where no fused kernel takes them: they are cast up into memory, and
    the product then runs in 16 bit, at half the peak."""
    block_s: float = 0.0
    """Added to a product in FP8 blocks: the kernel before it that quantises its input."""
    nvfp4: float = 1.0
    """Scale of reading NVFP4 weights of plain products: with few rows these kernels stay below the bandwidth."""
    int4_experts: float = 1.0
    """Scale of computing routed experts with 4-bit weights that are cast up, on top."""
    int4_read: float = 1.0
    """The same of reading them: slices of many small experts fill no wave of the kernel."""
    moe_latency: float = 0.5
    """Scale of the latency of routed experts, whose single timings hold routing and launches."""
    latency: float = 1.0
    """Scale of kernel latencies: below 1 where graphs and fusion hide what single timings show."""
    compute: float = 1.0
    """Scale of the reached compute share."""
    attention: float = 1.0
    """Scale of decode attention that reads K and V, against the fitted kernels."""
    attention_compute: float = 1.0
    """The same of a prompt's attention."""
    sinks: float = 1.0
    """On top where attention has sinks: kernels that know them reach less than those that were timed."""
    latent: float = 1.0
    """The same of decode attention over compressed latents (MLA)."""
    latent_compute: float = 1.0
    """The same of a prompt's."""
    latent_serial_s: float = 0.0
    """Per cached token and layer, where the engine has no decode kernel for an architecture's MLA that splits a
    request's cache over the device: one block of it reads the cache alone, however many requests there are."""
    communication: float = 1.0
    """Scale of collectives: below 1 where they overlap or are fused with norms."""
    elementwise_share: float = 0.6
    """Share of the bandwidth that element-wise kernels reach; above 1 where they are fused into others."""
    group_delay: float = 0.0
    """Attention groups go in step: share of a step that the mean group waits for the slowest of many."""
    sampler_passes: float = 8.0
    """How often the sampler passes over the logits."""
    expert_imbalance: float = 1.2
    """Load of the busiest rank over the mean under expert parallelism."""
    prefill_s: float = 2e-3
    """Host time per prompt: tokenising, scheduling, first token out."""
    prefill_layer_s: float = 1.5e-4
    """Launches per layer of a step with prompts, which runs without captured graphs: it takes at least that long."""
    prefill_first: bool = False
    """Prompts stop all decoding until they are through, instead of sharing steps."""
    reserve: float = 0.6
    """Share of the answer that admission counts against the KV pool: 1 where no request may ever be evicted."""
    evicted: float = 0.0
    """With which power of a request's growth (its mean length over its prompt) more requests are started than the pool
    holds; 0 where none is ever evicted."""
    burst: float = 0.1
    """Share of a closed loop's prompts that queue behind each other, as when all clients start together."""
    late_slots: float = 0.0
    """Requests of a closed loop that wait for a slot at all times where nobody states ``max_num_seqs``: engines that
    are set up for a load get as many slots as it has requests, and lose some to padding and late hand-over."""
    frontend_request_s: float = 0.0
    """Time of the one API process per request: parsing, tokenising, connection. Bounds requests per second."""
    frontend_token_s: float = 0.0
    """The same per streamed token."""
    offline_tail: float = 0.0
    """An offline run is finite: answers' durations that it takes longer than its mean rate says, on 1000 requests."""
    endless: bool = False
    """An offline run has requests enough for its start and its tail not to count, and no API before it: the engine's
    own tool makes it."""
    offline_s: float = 0.0
    """Seconds that such a run takes at its start beside its work: connections, first captures and compilations."""
    short_answers: float = 1.0
    """Where lengths vary and a run starts at once: by how much waiting for prompts weighs more on the mean time per
    token than on the mean answer (mean of 1/length · mean length − 1; about 2 for a lognormal of ShareGPT's width)."""
    kernels: str = ""
    """Whose kernels of routed experts run, as the curves name them."""
    mxfp4_activations: str = "fp8"
    """What MXFP4 experts compute in on chips with FP4 units."""
    eager_layer_s: float = 1.5e-4
    """Added per layer without captured graphs."""
    spread: float = 0.25
    """Half width of the interval of the time per token, as a share."""
    spread_first: float = 0.6
    """The same of the time to the first token."""
    spread_rate: float = 0.3
    """The same of throughput."""
    spread_offline: float = 0.5
    """The same of all figures of an offline run."""

    def frontend_s(self, answer: float) -> float:
        """Time of the API process for a request with so many tokens of answer."""
        return self.frontend_request_s + self.frontend_token_s * answer


@dataclass(frozen=True, slots=True)
class Runtime:
    """What rows of engine overheads are chosen by."""

    family: str
    name: str
    release: tuple[int, ...] | None
    backend: str
    chip: str
    """Family of the chip (``planner.performance.curves.family``)."""
    eager: bool = False
    """Without captured graphs: every layer pays its launches."""
    serial_latent: bool = True
    """No decode kernel for the architecture's MLA splits one request's cache, where the engine may lack one."""

    @property
    def unversioned(self) -> bool:
        """The deployment names no release that can be read."""
        return self.release is None


def overheads_of(
    engine: EngineProfile,
    backend: str,
    chip: str,
    curves: Curves,
    *,
    eager: bool = False,
    serial_latent: bool = True,
) -> Overheads:
    """What the rows that hold for this engine, release, backend and chip family set and multiply, within the limits."""
    return _merged(Runtime(engine.family, engine.name, engine.release, backend, chip, eager, serial_latent), curves)


@lru_cache(maxsize=512)
def _merged(runtime: Runtime, curves: Curves) -> Overheads:
    values: dict[str, Any] = {field.name: field.default for field in fields(Overheads)}
    for row in curves.engines:
        if _holds(row, runtime):
            values.update({key: value for key, value in row.items() if key in values})
            for key, factor in row.get("times", {}).items():
                values[key] *= factor
    for key, (low, high) in curves.limits.items():
        values[key] = min(max(values[key], low), high)
    return under(Overheads(**values), eager=runtime.eager, serial_latent=runtime.serial_latent)


def under(over: Overheads, *, eager: bool = False, serial_latent: bool = True) -> Overheads:
    """The overheads as graphs and kernels for MLA are there or not (see ``Runtime``)."""
    return replace(
        over,
        layer_s=over.layer_s + (over.eager_layer_s if eager else 0.0),
        latent_serial_s=over.latent_serial_s if serial_latent else 0.0,
    )


def _holds(row: Mapping[str, Any], runtime: Runtime) -> bool:
    if row["engine"] not in ("any", runtime.family, runtime.name):
        return False
    if runtime.backend not in row.get("backends", (runtime.backend,)):
        return False
    if runtime.chip not in row.get("chips", (runtime.chip,)):
        return False
    if row.get("unversioned") and not runtime.unversioned:
        return False
    clauses = row.get("versions", "")
    if runtime.release is None:
        return not clauses
    return in_range(runtime.release, clauses)
