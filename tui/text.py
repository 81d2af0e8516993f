"""Plans as short lines of text: the same words in the panel, the folded panel and the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.units import human_bytes, human_count, human_seconds

if TYPE_CHECKING:
    from planner.documents.result import PlanDocument, PlannedDeployment
    from planner.estimate import Estimate

VERDICTS = {"fits": "✓", "tight": "~", "does-not-fit": "✗", "illegal": "!", "unknown": "?"}
UNKNOWN = "unknown"


def engine_of(plan: PlannedDeployment) -> str:
    """``sglang 0.5.16``."""
    engine: dict[str, Any] = plan.deployment.get("engine", {})
    return f"{engine.get('name', '')} {engine.get('version', '')}".strip()


def model_of(plan: PlannedDeployment) -> str:
    """The model's name without its publisher."""
    model: dict[str, Any] = plan.deployment["model"]
    return str(model.get("id") or model.get("path") or "model").rsplit("/", 1)[-1]


def weights_of(plan: PlannedDeployment) -> str:
    return str(plan.deployment["model"].get("weights", ""))


def layout_of(plan: PlannedDeployment) -> str:
    """``TP8``, ``DPA8×EP8``, ``TP8×PP2``, ``2 × TP4``; ``CPU`` without a card."""
    serving: dict[str, Any] = plan.deployment.get("serving", {})
    if plan.deployment.get("hardware", {}).get("accelerator") == "cpu":
        return "CPU"
    names = (("attention_dp", "DPA"), ("tp", "TP"), ("pp", "PP"), ("ep", "EP"))
    parts = [f"{short}{serving[key]}" for key, short in names if serving.get(key, 1) > 1]
    replicas = serving.get("dp", 1)
    layout = "×".join(parts) or "1 GPU"
    return f"{replicas} × {layout}" if replicas > 1 else layout


def seconds(estimate: Estimate | None) -> str:
    return human_seconds(estimate.value) if estimate else UNKNOWN


def seconds_range(estimate: Estimate | None) -> str:
    """``27 ms (23 ms–33 ms)``."""
    if estimate is None:
        return UNKNOWN
    return f"{human_seconds(estimate.value)} ({human_seconds(estimate.low)}–{human_seconds(estimate.high)})"


def rate(estimate: Estimate | None) -> str:
    return f"{human_count(estimate.value)} tok/s" if estimate else UNKNOWN


def rate_range(estimate: Estimate | None) -> str:
    """``2,340 tok/s (1,900–2,700)``."""
    if estimate is None:
        return UNKNOWN
    return f"{rate(estimate)} ({human_count(estimate.low)}–{human_count(estimate.high)})"


def users_of(plan: PlannedDeployment) -> str:
    """How many of the longest requests the cache holds at once."""
    memory = plan.estimate.memory
    if memory is None:
        return UNKNOWN
    length = plan.deployment.get("serving", {}).get("max_model_len")
    per = f" of {human_count(length)} tokens" if length else ""
    return f"{memory.max_concurrency.value:,.0f}{per}"


def folded_lines(plan: PlannedDeployment) -> tuple[str, str]:
    """The answer in one line of words and one of figures, for 80 columns."""
    performance = plan.estimate.performance
    words = f"{model_of(plan)} {weights_of(plan)} · {engine_of(plan)} · {layout_of(plan)}"
    if performance is None:
        return words, "speed unknown"
    figures = " · ".join(
        (seconds(performance.ttft_s), seconds(performance.tpot_s), rate(performance.output_tok_s), f"{users_of(plan)}")
    )
    return words, figures


def no_plan_text(plan: PlanDocument) -> str:
    """Why there is nothing to propose, and the way out."""
    lines = ["Nothing that fits was found."]
    for rejection in plan.rejected[:4]:
        lines.append(f"✗ {rejection.message}" + (f" → {rejection.fix}" if rejection.fix else ""))
    return "\n".join(lines)


def moved(now: Estimate | None, before: Estimate | None, *, smaller_is_better: bool) -> str:
    """``▲`` better, ``▼`` worse, ``=`` same (within 1 %) against the pinned plan; empty without one."""
    if now is None or before is None or before.value <= 0:
        return ""
    change = now.value / before.value - 1
    if abs(change) < 0.01:
        return "="
    better = (change < 0) == smaller_is_better
    return f"{'▲' if better else '▼'} {change:+.0%}"


def capacity_line(plan: PlannedDeployment) -> str:
    """Memory of the fullest GPU: used of capacity."""
    memory = plan.estimate.memory
    if memory is None:
        return UNKNOWN
    gpu = memory.per_gpu
    return f"{human_bytes(gpu.total.value)} of {human_bytes(gpu.capacity.value)}"
