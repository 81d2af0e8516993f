"""Planned figures beside actual ones."""

from __future__ import annotations

from collections.abc import Iterator

from planner.documents.result import DeviceMemory, EstimateDocument, ServingMemory
from planner.estimate import Estimate
from planner.verify.actual import Actual, DeviceActual, Figure
from planner.verify.result import Part, State, Unit

_CAPACITY_SLACK = 0.01
"""Of a device's total: drivers differ by some MiB in what they reserve."""
_TINY_BUFFER = 0.01
"""Share of a device's weights below which a host buffer is not worth a difference (norms, tables of positions)."""
_GPU_PARTS = ("weights", "kv_cache", "activations", "cuda_graphs", "non_torch", "capacity")
_NO_GATE = frozenset({"cuda_graphs", "capacity"})
_SPEEDS: tuple[tuple[str, Unit], ...] = (
    ("ttft_s", "s"),
    ("tpot_s", "s"),
    ("decode_tok_s", "tok/s"),
    ("prefill_tok_s", "tok/s"),
    ("output_tok_s", "tok/s"),
)


def compare_parts(estimate: EstimateDocument, actual: Actual) -> tuple[Part, ...]:
    """Every figure that was planned or printed."""
    memory = estimate.memory
    found: list[Part] = []
    if memory is not None and actual.devices:
        found += _device_parts(memory, actual)
    elif memory is not None:
        found += _gpu_parts(memory, actual)
    found += _speed_parts(estimate, actual)
    return tuple(part for part in found if part.planned is not None or part.actual is not None)


def _gpu_parts(memory: ServingMemory, actual: Actual) -> Iterator[Part]:
    for name in _GPU_PARTS:
        planned: Estimate = getattr(memory.per_gpu, name)
        slack = _CAPACITY_SLACK * planned.value if name == "capacity" else 0.0
        yield part(name, "B", planned, actual.figures.get(name), gates=name not in _NO_GATE, slack=slack)
    tokens = memory.kv_tokens_printed or memory.kv_tokens
    yield part("kv_tokens", "tokens", tokens, actual.figures.get("kv_tokens"))
    yield part("max_concurrency", "requests", memory.max_concurrency, actual.figures.get("max_concurrency"))


def _device_parts(memory: ServingMemory, actual: Actual) -> Iterator[Part]:
    printed = {device.device: device for device in actual.devices}
    planned = {device.device: device for device in memory.devices}
    for name in dict.fromkeys((*planned, *printed)):
        yield from _one_device(name, planned.get(name), printed.get(name))


def _one_device(name: str, planned: DeviceMemory | None, actual: DeviceActual | None) -> Iterator[Part]:
    for field in ("weights", "kv_cache", "compute", "recurrent"):
        want: Estimate | None = getattr(planned, field) if planned else None
        got: Figure | None = getattr(actual, field) if actual else None
        if (want is None or want.value == 0) and got is None:
            continue
        slack = 0.0
        if field == "weights" and planned and name == "CPU":
            slack = _TINY_BUFFER * planned.weights.value
        yield part(field, "B", want, got, slack=slack, device=name)


def _speed_parts(estimate: EstimateDocument, actual: Actual) -> Iterator[Part]:
    for name, unit in _SPEEDS:
        figure = actual.figures.get(name)
        if figure is not None and figure.value > 0:
            planned = getattr(estimate.performance, name) if estimate.performance else None
            yield part(name, unit, planned, figure, gates=False)


def part(
    name: str,
    unit: Unit,
    planned: Estimate | None,
    figure: Figure | None,
    *,
    gates: bool = True,
    slack: float = 0.0,
    device: str | None = None,
) -> Part:
    """A figure with its state; ``slack`` widens the range beyond what rounding in the log does."""
    state = _state(planned, figure, slack)
    actual = figure.value if figure else None
    return Part(name, unit, planned, actual, state, gates, device, figure.line if figure else None)


def _state(planned: Estimate | None, figure: Figure | None, slack: float) -> State:
    if figure is None:
        return "not-printed"
    if planned is None:
        return "not-planned"
    room = figure.precision + slack
    if figure.value < planned.low - room:
        return "below"
    return "above" if figure.value > planned.high + room else "inside"
