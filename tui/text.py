"""Plans as short lines of text: the same words in the panel, the folded panel and the tables."""

from __future__ import annotations

import re
import textwrap
from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate
from typing import TYPE_CHECKING, Any
from unicodedata import combining, east_asian_width

from planner.units import KIB, KILO, MIB, human_bytes, human_count, human_seconds, human_whole, whole
from planner.words.layout import layout_text

if TYPE_CHECKING:
    from planner.documents.result import FinetuneResult, PlannedDeployment
    from planner.estimate import Estimate

WHOLE = "whole"
"""The unit of what is counted in whole things: rounded down."""
VERDICTS = {"fits": "✓", "tight": "~", "does-not-fit": "✗", "illegal": "!", "unknown": "?"}
UNKNOWN = "unknown"
SAME = 0.01
"""A figure that moved by less than this share counts as the same."""


def plain(value: float) -> str:
    """A count in short form; small ones keep their digits."""
    return human_count(value) if abs(value) >= 100 else f"{value:.3g}"


def shown(value: float, unit: str) -> str:
    """A value with its unit: s, B, W, tok/s, /s, a currency, or "" for a count."""
    written = _WRITTEN.get(unit)
    if written is not None:
        return written(value)
    small_money = is_currency(unit) and abs(value) < 100
    return f"{f'{value:.2f}' if small_money else plain(value)} {unit}".rstrip()


def is_currency(unit: str) -> bool:
    """Whether a unit is a currency's code: ``USD``."""
    return len(unit) == 3 and unit.isalpha() and unit.isupper()


def _thousands(unit: str) -> Callable[[float], str]:
    """Watts as kilowatts from a thousand on."""
    return lambda value: f"{value / KILO:,.1f} k{unit}" if value >= KILO else f"{value:.0f} {unit}"


def hours(value: float) -> str:
    """A length of a run: ``36 min``, ``7.4 h``, ``5.2 d``."""
    if value < 1:
        return f"{value * 60:.0f} min"
    return f"{value:.1f} h" if value < 72 else f"{value / 24:,.1f} d"


_WRITTEN: dict[str, Callable[[float], str]] = {
    "s": human_seconds,
    "B": human_bytes,
    "W": _thousands("W"),
    "Wh": _thousands("Wh"),
    "h": hours,
    "%": "{:.0%}".format,
    WHOLE: human_whole,
}


def figure(estimate: Estimate | None, unit: str) -> str:
    return shown(estimate.value, unit) if estimate else UNKNOWN


def span(estimate: Estimate | None, unit: str) -> str:
    """``166–439 ms``: the range, its unit once; empty for an exact figure."""
    if estimate is None or estimate.low == estimate.high:
        return ""
    low, high = shown(estimate.low, unit), shown(estimate.high, unit)
    if low == high:
        return low if unit == WHOLE else f"{low}–{high}"
    number, _, suffix = low.partition(" ")
    return f"{number}–{high}" if suffix and high.endswith(f" {suffix}") else f"{low}–{high}"


def short_span(estimate: Estimate, unit: str) -> str:
    """``166–439``: the range beside its value, without a unit where all three have the same."""
    both = span(estimate, unit)
    suffix = shown(estimate.value, unit).partition(" ")[2]
    return both.removesuffix(f" {suffix}") if suffix and both.count(" ") == 1 else both


def elided(words: str, width: int) -> str:
    """Words in at most ``width`` cells, "…" where they were longer."""
    if words.isascii():
        return words if len(words) <= width else words[: max(0, width - 1)] + "…"
    ends = list(accumulate(map(_cells, words)))
    if not ends or ends[-1] <= width:
        return words
    return words[: bisect_right(ends, width - 1)] + "…"


def _cells(sign: str) -> int:
    """Of a terminal's line that a sign takes."""
    return 0 if combining(sign) else 2 if east_asian_width(sign) in "WF" else 1


def hanging(line: str, width: int) -> str:
    """A line wrapped; what follows stands under its words, not under the mark before them."""
    mark = re.match(r"\s*([•!✗~?→]\s+)?", line)
    return "\n".join(textwrap.wrap(line, width, subsequent_indent=" " * (mark.end() if mark else 0)))


def short_count(number: int) -> str:
    """Bounds of a field: ``4k``, ``1M``, ``512``; powers of two as lengths of a context are said: ``64k``."""
    if number >= KIB and number & (number - 1) == 0:
        return f"{number // MIB}M" if number >= MIB else f"{number // KIB}k"
    for factor, letter in ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k")):
        if number >= factor:
            return f"{number / factor:.3g}{letter}"
    return f"{number}"


def tokens(number: int | float | None) -> str:
    """A context: ``32k`` for 32,768."""
    if not number:
        return ""
    return f"{number / 1024:.0f}k" if number >= 1024 else f"{number:.0f}"


def engine_of(plan: PlannedDeployment) -> str:
    """``sglang 0.5.16``."""
    if "finetune" in plan.deployment:
        return str(plan.deployment["finetune"].get("trainer", ""))
    engine: dict[str, Any] = plan.deployment.get("engine", {})
    return f"{engine.get('name', '')} {engine.get('version', '')}".strip()


def model_of(plan: PlannedDeployment) -> str:
    """The model's name without its publisher."""
    return model_id_of(plan).rsplit("/", 1)[-1]


def model_id_of(plan: PlannedDeployment) -> str:
    model: dict[str, Any] = plan.deployment["model"]
    return str(model.get("id") or model.get("path") or "model")


def weights_of(plan: PlannedDeployment) -> str:
    if "finetune" in plan.deployment:
        return method_of(plan)
    return str(plan.deployment["model"].get("weights") or "as stored")


def layout_of(plan: PlannedDeployment) -> str:
    """``TP8``, ``DPA8×EP8``, ``TP8×PP2``, ``2 × TP4``; ``CPU`` without a card."""
    return sharding_of(plan) if "finetune" in plan.deployment else layout_text(plan.deployment, plan.gpus_used)


def method_of(plan: PlannedDeployment) -> str:
    """``lora r16``, ``full bf16 adamw``."""
    table = plan.deployment["finetune"]
    if table.get("method") != "full":
        return f"{table.get('method')} r{table.get('lora_rank', '')}"
    return f"full {table.get('precision', '')} {table.get('optimizer', '')}".rstrip()


def sharding_of(plan: PlannedDeployment) -> str:
    """``8 GPUs zero1 TP8``, ``1 GPU``, what is moved to the host after a plus."""
    table = plan.deployment["finetune"]
    ways = table.get("parallel") or {}
    layout = "".join(f" {name.upper()}{ways[name]}" for name in ("tp", "pp", "ep") if ways.get(name, 1) > 1)
    offload = "" if table.get("offload", "none") == "none" else f" +{table['offload']} on host"
    if plan.gpus_used <= 1:
        return f"1 GPU{offload}"
    return f"{plan.gpus_used} GPUs {table.get('sharding', '')}{layout}{offload}"


def where_of(plan: PlannedDeployment) -> str:
    """``on 8 × h200-sxm-141gb``."""
    accelerator = plan.deployment.get("hardware", {}).get("accelerator", "")
    return "on the CPU" if accelerator == "cpu" else f"on {plan.gpus_used} × {accelerator}"


def verdict_of(plan: PlannedDeployment) -> str:
    """``✓ fits``."""
    return f"{VERDICTS[plan.estimate.verdict]} {plan.estimate.verdict}"


def replicas_of(plan: PlannedDeployment) -> int:
    """Whole copies of the model."""
    replicas: int = plan.deployment.get("serving", {}).get("dp", 1)
    return replicas


def longest_of(plan: PlannedDeployment) -> int | None:
    """Tokens of the longest request it takes."""
    length: int | None = plan.deployment.get("serving", {}).get("max_model_len")
    return length


def room_of(plan: PlannedDeployment) -> str:
    """How many of the longest requests the caches of all replicas hold at once: whole ones, in each."""
    memory = plan.estimate.memory
    if memory is None:
        return UNKNOWN
    return human_count(whole(memory.max_concurrency.value) * replicas_of(plan))


def moved(now: Estimate | None, before: Estimate | None, better: str) -> str:
    """``▲`` better, ``▼`` worse, ``=`` same against the pinned plan, where ``better`` is "less" or "more"."""
    if now is None or before is None or before.value <= 0:
        return ""
    change = now.value / before.value - 1
    if abs(change) < SAME:
        return "="
    return f"{'▲' if (change < 0) == (better == 'less') else '▼'} {change:+.0%}"


def folded_lines(plan: PlannedDeployment) -> tuple[str, str]:
    """The answer in one line of words and one of figures, for 80 columns."""
    if plan.estimate.finetune is not None:
        return _folded_training(plan, plan.estimate.finetune)
    speed = plan.estimate.performance
    words = f"{model_of(plan)} {weights_of(plan)} · {engine_of(plan)} · {layout_of(plan)}"
    room = f"room for {room_of(plan)} of {tokens(longest_of(plan))}"
    if speed is None:
        return words, f"speed unknown · {room}"
    figures = (figure(speed.ttft_s, "s"), figure(speed.tpot_s, "s"), figure(speed.output_tok_s, "tok/s"), room)
    return words, " · ".join(figures)


def _folded_training(plan: PlannedDeployment, result: FinetuneResult) -> tuple[str, str]:
    words = f"{model_of(plan)} {method_of(plan)} · {engine_of(plan)} · {sharding_of(plan)}"
    peak = f"peak {shown(result.driver.value, 'B')}"
    files = f"checkpoint {shown(result.files.checkpoint, 'B')}" if result.files else ""
    parts = (figure(result.hours, "h"), peak, figure(result.tok_s, "tok/s"), figure(result.energy_wh, "Wh"), files)
    return words, " · ".join(part for part in parts if part)
