"""Rules of expert, pipeline, context and attention data parallelism."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from planner.documents.result import Finding
from planner.legality.layout import in_words, ranks
from planner.legality.shape import ModelShape
from planner.resolved import Serving


def expert_rules(shape: ModelShape, serving: Serving, *, uneven: bool, all_ranks: bool) -> Iterator[Finding]:
    """Expert parallelism: it divides the ranks, the experts divide by it, and there are experts at all."""
    total = ranks(serving)
    if serving.ep == 1:
        return
    if not shape.experts:
        yield Finding(
            "ep-without-experts", "the model has no experts to spread", "set ep 1", "error", {"serving.ep": 1}
        )
    elif total % serving.ep:
        ep = max(e for e in range(1, min(serving.ep, total) + 1) if total % e == 0)
        message = f"ep {serving.ep} does not divide tp × attention_dp = {total}"
        yield Finding("ep-divides-ranks", message, f"set ep {ep}", "error", {"serving.ep": ep})
    elif all_ranks and serving.ep != total:
        message = f"this engine spreads experts over all {total} ranks or none, not over {serving.ep}"
        yield Finding("ep-takes-all-ranks", message, f"set ep {total}", "error", {"serving.ep": total})
    elif not uneven and (bad := [e for e in shape.experts if e % serving.ep]):
        ep = max(e for e in range(1, serving.ep) if total % e == 0 and all(x % e == 0 for x in shape.experts))
        message = f"{bad[0]} experts cannot be divided over ep {serving.ep}"
        yield Finding("experts-divide-by-ep", message, f"set ep {ep}", "error", {"serving.ep": ep})


def pipeline_rules(shape: ModelShape, serving: Serving) -> Iterator[Finding]:
    """Every stage needs a layer."""
    if serving.pp > shape.num_layers:
        message = f"{serving.pp} pipeline stages for {shape.num_layers} layers leave stages empty"
        change = {"serving.pp": shape.num_layers}
        yield Finding("pp-exceeds-layers", message, f"set pp {shape.num_layers} or fewer", "error", change)


def context_parallel_rules(serving: Serving) -> Iterator[Finding]:
    """Decode context parallelism lives inside the tensor group."""
    if serving.tp % serving.dcp:
        dcp = max(d for d in range(1, serving.dcp + 1) if serving.tp % d == 0)
        message = f"dcp {serving.dcp} does not divide tp {serving.tp}"
        yield Finding("dcp-divides-tp", message, f"set dcp {dcp}", "error", {"serving.dcp": dcp})


def attention_dp_rules(shape: ModelShape, serving: Serving) -> Iterator[Finding]:
    """Engines whose attention groups share nothing but experts: without experts they are replicas."""
    if serving.attention_dp > 1 and not shape.experts:
        change: dict[str, Any] = {"serving.attention_dp": 1, "serving.dp": serving.dp * serving.attention_dp}
        message = "without experts, attention_dp groups share nothing: they are replicas"
        yield Finding("attention-dp-needs-experts", message, f"set {in_words(change)}", "warning", change)


def whole_attention_dp_rules(serving: Serving) -> Iterator[Finding]:
    """Engines where DP attention is a switch: every rank of the group is one attention group of its own."""
    if serving.attention_dp == 1 or serving.tp == 1:
        return
    total = serving.tp * serving.attention_dp
    change: dict[str, Any] = {"serving.tp": 1, "serving.attention_dp": total}
    message = (
        f"this engine gives each of the {total} ranks its own attention or none, not {serving.attention_dp} groups"
    )
    yield Finding("attention-dp-takes-all-ranks", message, f"set {in_words(change)}", "error", change)
