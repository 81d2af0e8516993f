"""Predicted against measured: which figures of an estimate a case speaks about, and how errors are counted.

Errors are counted per distinct combination (the median of its near-duplicates), so that a sweep does not outvote a
single log. A missing figure counts as an error of 100 %.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.truth import Case
from planner.documents.result import EstimateDocument
from planner.estimate import Estimate, total
from planner.units import GIB, GIGA, MIB, MILLI

Pair = tuple[str, Estimate | None, float]
"""Metric, prediction, measurement in base units."""


@dataclass(frozen=True)
class Score:
    """One figure of one case."""

    case: Case
    metric: str
    predicted: Estimate | None
    measured: float

    @property
    def error(self) -> float | None:
        """Signed, as a share of the measurement; None without an answer."""
        if self.predicted is None or not math.isfinite(self.predicted.value):
            return None
        return (self.predicted.value - self.measured) / self.measured

    @property
    def inside(self) -> bool | None:
        """The measurement lies in the predicted range."""
        if self.predicted is None:
            return None
        return self.predicted.low <= self.measured <= self.predicted.high


@dataclass(frozen=True)
class Summary:
    """A metric over its distinct combinations."""

    groups: int
    unanswered: int
    median: float
    p90: float
    bias: float
    inside: float | None

    @classmethod
    def of(cls, scores: Iterable[Score]) -> Summary:
        """Summary of the scores of one metric."""
        grouped: dict[str, list[Score]] = {}
        for score in scores:
            grouped.setdefault(score.case.group, []).append(score)
        known = [[abs(s.error) for s in group if s.error is not None] for group in grouped.values()]
        errors = sorted(statistics.median(values) if values else 1.0 for values in known)
        signed = [s.error for group in grouped.values() for s in group if s.error is not None]
        within = [s.inside for group in grouped.values() for s in group if s.inside is not None]
        return cls(
            groups=len(grouped),
            unanswered=sum(not values for values in known),
            median=statistics.median(errors),
            p90=errors[min(len(errors) - 1, int(0.9 * len(errors)))],
            bias=statistics.median(signed) if signed else 0.0,
            inside=sum(within) / len(within) if within else None,
        )


def scores(case: Case, answer: EstimateDocument | None) -> Iterator[Score]:
    """Every figure that a case measured."""
    for metric, predicted, measured in _PAIRS[case.kind.split("_")[0]](case, answer):
        if measured:
            yield Score(case, metric, predicted, measured)


def verdict_right(case: Case, answer: EstimateDocument | None) -> bool | None:
    """Whether "it starts" or "it does not" was foreseen; None where the case does not say."""
    died = bool(case.measured.get("oom"))
    if not died and not case.measured.get("kv_tokens") and not case.measured.get("fits"):
        return None
    said = answer.verdict if answer else "unknown"
    return said in (("does-not-fit", "illegal") if died else ("fits", "tight"))


def _serving_memory(case: Case, answer: EstimateDocument | None) -> Iterator[Pair]:
    measured, memory = case.measured, answer.memory if answer else None
    gpu = memory.per_gpu if memory else None
    yield "weights", gpu and gpu.weights, measured.get("weights_gib", 0) * GIB
    if measured.get("oom"):
        return
    yield "kv_cache", gpu and gpu.kv_cache, measured.get("kv_cache_gib", 0) * GIB
    if measured.get("max_concurrency_x") and case.deployment["serving"].get("max_model_len"):
        yield "kv_capacity", memory and memory.max_concurrency, measured["max_concurrency_x"]
    else:
        yield "kv_capacity", memory and memory.kv_tokens, measured.get("kv_tokens") or 0


def _serving_speed(case: Case, answer: EstimateDocument | None) -> Iterator[Pair]:
    measured, speed = case.measured, answer.performance if answer else None
    for metric, key in (("ttft_s", "ttft_ms"), ("tpot_s", "tpot_ms")):
        if metric == "ttft_s" and not case.deployment["workload"].get("concurrency"):
            continue
        taken = measured.get(key) or measured.get(f"{key}_median") or 0
        yield metric, getattr(speed, metric, None), taken * MILLI
    for metric in ("output_tok_s", "total_tok_s"):
        yield metric, getattr(speed, metric, None), measured.get(metric) or 0


def _serving(case: Case, answer: EstimateDocument | None) -> Iterator[Pair]:
    return (_serving_memory if case.kind == "serving_memory" else _serving_speed)(case, answer)


_COUNTERS = {"allocated": "allocated", "active": "allocated", "driver": "driver"}


def _finetune(case: Case, answer: EstimateDocument | None) -> Iterator[Pair]:
    measured, result = case.measured, answer.finetune if answer else None
    peak = measured.get("peak_gib", 0) * GIB or measured.get("peak_gb", 0) * GIGA
    peak = peak or measured.get("peak_smi_gib", 0) * GIB
    counter = _COUNTERS.get(case.deployment["finetune"].get("counter"), "reserved")
    if not measured.get("oom"):
        yield "ft_peak", getattr(result, counter, None), peak
    if case.deployment["hardware"].get("accelerator"):
        if measured.get("tok_s_gpu"):
            yield "ft_tok_s_gpu", getattr(result, "tok_s_per_gpu", None), measured["tok_s_gpu"]
        else:
            yield "ft_tok_s", getattr(result, "tok_s", None), measured.get("train_tok_s") or 0


def _gguf(case: Case, answer: EstimateDocument | None) -> Iterator[Pair]:
    measured, speed = case.measured, answer.performance if answer else None
    if case.kind == "gguf_speed":
        for metric in ("decode_tok_s", "prefill_tok_s"):
            yield f"gguf_{metric}", getattr(speed, metric, None), measured.get(metric) or 0
        return
    devices = answer.memory.devices if answer and answer.memory else ()
    for metric, part in (("model", "weights"), ("kv", "kv_cache"), ("compute", "compute")):
        taken = measured.get(f"{metric}_buffer_mib") or 0
        if metric == "kv":
            taken = measured.get("kv_total_mib") or taken
        if isinstance(taken, Mapping):
            taken = sum(v for v in taken.values() if isinstance(v, int | float))
        parts = {str(i): getattr(device, part) for i, device in enumerate(devices)}
        yield f"gguf_{metric}", _summed(parts) if parts else None, taken * MIB


def _summed(parts: Mapping[str, Estimate]) -> Estimate:
    """Ranges of buffers of one cause add up; they are not independent."""
    low, high = (sum(getattr(p, side) for p in parts.values()) for side in ("low", "high"))
    return Estimate(low, total(parts).value, high)


_PAIRS: Mapping[str, Callable[[Case, EstimateDocument | None], Iterator[Pair]]] = {
    "serving": _serving,
    "finetune": _finetune,
    "gguf": _gguf,
}


def summaries(found: Iterable[Score], key: Callable[[Score], Any]) -> dict[Any, Summary]:
    """Summaries by a key of the scores, sorted."""
    by: dict[Any, list[Score]] = {}
    for score in found:
        by.setdefault(key(score), []).append(score)
    return {name: Summary.of(by[name]) for name in sorted(by)}
