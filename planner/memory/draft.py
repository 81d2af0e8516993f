"""What a draft model holds beside the model that serves: its weights on the last stage, its own KV cache."""

from __future__ import annotations

from planner.memory.kv_cache import KvSpec, kv_specs
from planner.memory.kv_rules import KvRules
from planner.memory.layout import Layout
from planner.memory.weight_rules import weight_rules
from planner.memory.weights import stage_weights
from planner.resolved import Resolved


def draft_weights(resolved: Resolved, layout: Layout) -> float:
    """Bytes on one rank: engines cut a draft as they cut the target."""
    draft = resolved.draft
    if draft is None:
        return 0.0
    rules = weight_rules(resolved.engine, draft.architecture, draft.quantization)
    own = Layout(tp=layout.tp, attention_dp=layout.attention_dp, ep=layout.ep)
    return sum(stage_weights(draft.architecture, draft.quantization, own, rules)[0].values())


def with_draft_caches(resolved: Resolved, specs: tuple[KvSpec, ...], dtype: str, rules: KvRules) -> tuple[KvSpec, ...]:
    """The specs of all stages, the last with the draft's layers."""
    draft = resolved.draft
    if draft is None:
        return specs
    own = kv_specs(draft.architecture, dtype, resolved.serving.tp, 1, rules)[0]
    counts = dict(specs[-1].caches)
    for cache, count in own.caches:
        counts[cache] = counts.get(cache, 0) + count
    return (*specs[:-1], KvSpec(tuple(counts.items())))
