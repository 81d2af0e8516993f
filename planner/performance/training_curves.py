"""What share of the peak training reaches, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_FILE = "performance/curves/training.toml"
REFERENCE_EXPERT = 2048.0
"""Geometric mean of an expert's widths at which ``moe`` holds."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Share of the dense peak in executed FLOPs."""

    precision: str
    architecture: str | None
    dense: float
    moe: float
    moe_slope: float = 0.0
    """Power of the expert's size: small experts make small products."""
    moe_half_tokens: float = 0.0
    """Tokens of a micro-batch at which launches and routing take as long as the products."""

    def moe_share(self, expert_size: float, tokens: float) -> float:
        """Share with experts of this size at micro-batches of this many tokens."""
        large = min(self.moe * (expert_size / REFERENCE_EXPERT) ** self.moe_slope, self.dense)
        return float(large * tokens / (tokens + self.moe_half_tokens))


@dataclass(frozen=True, slots=True)
class AttentionRate:
    """Share of the dense 16-bit peak that attention reaches, forward and backward, counted as three forward passes."""

    architecture: str | None
    share: float
    tuned: float
    """With the trainer's own kernels instead of PyTorch's."""


@dataclass(frozen=True, slots=True)
class TrainingCurves:
    """Rates, first match first, and factors."""

    rates: tuple[Rate, ...]
    attentions: tuple[AttentionRate, ...]
    factors: Mapping[str, float]
    source: str

    def rate(self, precision: str, architecture: str | None) -> tuple[Rate, bool]:
        """The row for a chip's architecture, and whether it is that chip's own."""
        for row in self.rates:
            if row.precision == precision and _is_of(row.architecture, architecture):
                return row, True
        general = [r for r in self.rates if not r.architecture]
        return next((r for r in general if r.precision == precision), general[-1]), False

    def attention(self, architecture: str | None, tuned: bool) -> float:
        """Of a chip's architecture, or the general one."""
        own = (r for r in self.attentions if _is_of(r.architecture, architecture))
        row = next(own, self.attentions[-1])
        return row.tuned if tuned else row.share


def _is_of(name: str | None, architecture: str | None) -> bool:
    return bool(name and architecture and architecture.lower().startswith(name.lower()))


def load_training_curves(read_toml: Callable[[str], dict[str, Any]]) -> TrainingCurves:
    """The curves of the package, by the given reader."""
    table = read_toml(_FILE)
    rates = tuple(_rate(row) for row in table["rate"])
    attentions = tuple(AttentionRate(r.get("architecture"), r["share"], r["tuned"]) for r in table["attention"])
    return TrainingCurves(rates, attentions, table["factors"], table["source"])


def _rate(row: Mapping[str, Any]) -> Rate:
    return Rate(
        row["precision"],
        row.get("architecture"),
        row["dense"],
        row["moe"],
        row.get("moe_slope", 0.0),
        row.get("moe_half_tokens", 0.0),
    )
