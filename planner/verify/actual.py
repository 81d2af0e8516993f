"""Readings of many workers and lines → what one start-up really allocated and reached.

Per GPU the worst worker counts: the largest weights and peaks, the smallest pool.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from planner.verify.log import LogReadings
from planner.verify.patterns import Reading

Pick = Callable[[list["Figure"]], "Figure"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as printed, in base units."""

    value: float
    precision: float = 0.0
    line: int = 0


@dataclass(frozen=True, slots=True)
class DeviceActual:
    """Buffers of one device (llama.cpp, ollama)."""

    device: str
    weights: Figure | None = None
    kv_cache: Figure | None = None
    compute: Figure | None = None
    recurrent: Figure | None = None
    repacked: Figure | None = None
    """Copies of weights in the processor's own layout, beside what is mapped."""


@dataclass(frozen=True, slots=True)
class Actual:
    """What one start-up printed."""

    engine: str | None
    version: str | None
    figures: Mapping[str, Figure] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    devices: tuple[DeviceActual, ...] = ()
    workers: int = 0
    starts: int = 1
    lines: int = 0

    def value(self, name: str) -> float | None:
        found = self.figures.get(name)
        return found.value if found else None


def _first(figures: list[Figure]) -> Figure:
    return figures[0]


def _last(figures: list[Figure]) -> Figure:
    return figures[-1]


def _largest(figures: list[Figure]) -> Figure:
    return max(figures, key=lambda figure: figure.value)


def _smallest(figures: list[Figure]) -> Figure:
    return min(figures, key=lambda figure: figure.value)


def _sum(figures: list[Figure]) -> Figure:
    return Figure(sum(f.value for f in figures), sum(f.precision for f in figures), figures[0].line)


_PICK: Mapping[str, tuple[Pick, Pick]] = {
    "weights": (_first, _largest),
    "kv_cache": (_last, _smallest),
    "kv_available": (_last, _smallest),
    "kv_tokens": (_last, _smallest),
    "kv_blocks": (_last, _smallest),
    "max_concurrency": (_last, _smallest),
    "free": (_first, _smallest),
    "output_tok_s": (_largest, _sum),
    "prompt_tok_s": (_largest, _sum),
}
"""Field → how several lines of one worker, then several workers, become one; else the last, then the largest."""
_KV_PARTS = ("kv_part_k", "kv_part_v", "kv_part_conv", "kv_part_ssm")
_DEVICE_FIELDS = {
    "model": "weights", "repacked": "repacked", "kv": "kv_cache", "compute": "compute", "recurrent": "recurrent",
}  # fmt: skip


def actual_of(log: LogReadings) -> Actual:
    """One picture of all readings."""
    numbers = [r for r in log.readings if isinstance(r.value, float) and not r.device]
    figures = {name: _merge(name, own) for name, own in _by(numbers, lambda r: r.field).items()}
    figures = _derived(_with_parts(figures))
    texts = {r.field: r.value for r in log.readings if isinstance(r.value, str)}
    version = texts.pop("version", None)
    return Actual(
        engine=log.engine,
        version=_build(log.engine, version),
        figures=figures,
        texts=texts,
        devices=_devices(log),
        workers=len({r.worker for r in numbers if r.field in ("weights", "kv_cache", "kv_part_k")}),
        starts=log.starts,
        lines=log.lines,
    )


def _build(engine: str | None, version: str | None) -> str | None:
    """llama.cpp's build number as people write it; builds outside its repository number themselves 0."""
    if engine != "llama.cpp" or not version:
        return version
    number = version.lstrip("b")
    return f"b{number}" if number.strip("0") else None


def _by(readings: Iterable[Reading], key: Callable[[Reading], str]) -> dict[str, list[Reading]]:
    groups: dict[str, list[Reading]] = defaultdict(list)
    for reading in readings:
        groups[key(reading)].append(reading)
    return groups


def _figure(reading: Reading) -> Figure:
    return Figure(float(reading.value), reading.precision, reading.line)


def _merge(name: str, readings: list[Reading]) -> Figure:
    within, across = _PICK.get(name, (_last, _largest))
    workers = [within([_figure(r) for r in own]) for own in _by(readings, lambda r: r.worker).values()]
    return across(workers)


def _with_parts(figures: dict[str, Figure]) -> dict[str, Figure]:
    """SGLang prints keys, values and states apart; together they are the pool."""
    parts = [figures.pop(name) for name in _KV_PARTS if name in figures]
    if parts:
        figures["kv_cache"] = _sum(parts)
    return figures


def _derived(figures: dict[str, Figure]) -> dict[str, Figure]:
    """What follows from what was printed."""
    blocks, size = figures.get("kv_blocks"), figures.get("block_size")
    if "kv_tokens" not in figures and blocks and size:
        figures["kv_tokens"] = Figure(blocks.value * size.value, 0.0, blocks.line)
    before, after = figures.get("free"), figures.get("free_loaded")
    if "weights" not in figures and before and after and before.value > after.value:
        figures["weights"] = Figure(before.value - after.value, before.precision + after.precision, after.line)
    peak, weights, beside = figures.get("peak_torch"), figures.get("weights"), figures.get("non_torch")
    if "activations" not in figures and peak and weights and beside:
        figures["activations"] = Figure(max(0.0, peak.value - weights.value), 0.01 * peak.value, peak.line)
    consumed = figures.pop("consumed", None)
    if "non_torch" not in figures and consumed and weights:
        figures["non_torch"] = Figure(max(0.0, consumed.value - weights.value), consumed.precision, consumed.line)
    if "kv_cache" not in figures and "kv_available" in figures:
        figures["kv_cache"] = figures["kv_available"]
    return figures


def _devices(log: LogReadings) -> tuple[DeviceActual, ...]:
    """Buffers by device. ollama prints each try, so the last counts; llama.cpp each buffer, so they add up."""
    own = [r for r in log.readings if r.device and r.field in _DEVICE_FIELDS and isinstance(r.value, float)]
    found: list[DeviceActual] = []
    for device, readings in _by(own, lambda r: _device_name(r.device)).items():
        parts = {
            _DEVICE_FIELDS[n]: _buffers(n, same, log.engine) for n, same in _by(readings, lambda r: r.field).items()
        }
        found.append(DeviceActual(device, **parts))
    counted = _counted_once(found, max((float(r.value) for r in log.readings if r.field == "file_size"), default=0.0))
    return tuple(sorted(counted, key=lambda d: (d.device.startswith("CPU"), d.device)))


def _counted_once(devices: list[DeviceActual], file_size: float) -> list[DeviceActual]:
    """Weights with their repacked copies, less what a mapping spans but a copy replaces.

    llama.cpp prints the span from the first to the last tensor that is read in place, copied ones between them too;
    all tensors together are never more than the file (src/llama-model.cpp, get_mapping_range).
    """
    kept = sum(f.value for d in devices for f in (d.weights, d.repacked) if f is not None)
    double = max(0.0, kept - file_size) if file_size else 0.0
    return [_with_copies(device, double) for device in devices]


def _with_copies(device: DeviceActual, double: float) -> DeviceActual:
    if device.repacked is None:
        return device
    copies, mapped = device.repacked, device.weights or Figure(0.0)
    once = mapped.value + copies.value - min(double, copies.value, mapped.value)
    return replace(device, weights=Figure(once, mapped.precision + copies.precision, copies.line))


def _device_name(printed: str) -> str:
    """Host buffers of whatever kind are the CPU's."""
    host = ("_Host", "_Mapped", "_REPACK", "CPU_AARCH64", "BLAS")
    return "CPU" if printed.startswith("CPU") or printed.endswith(host) or printed in host else printed


def _buffers(name: str, readings: list[Reading], engine: str | None) -> Figure:
    if engine == "ollama":
        return _last([_figure(r) for r in readings])
    if name != "compute":
        return _sum([_figure(r) for r in readings])
    tries = _by(readings, lambda r: r.device).values()
    return _sum([_largest([_figure(r) for r in own]) for own in tries])
