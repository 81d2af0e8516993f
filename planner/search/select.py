"""Which of the ranked candidates are shown: the best, without near-copies, and the best of every single figure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from planner.search.candidate import Candidate
from planner.search.score import Scored

Axis = tuple[str, Callable[[Candidate], float | None], bool]
AXES: tuple[Axis, ...] = (
    ("most tokens per second", lambda c: c.output_tok_s, True),
    ("fastest answers", lambda c: c.tpot_s, False),
    ("fastest first token", lambda c: c.ttft_s, False),
    ("longest context", lambda c: float(c.context), True),
    ("most users", lambda c: c.users, True),
    ("fewest devices", lambda c: float(c.gpus), False),
)
"""Name, figure, and whether more is better."""
_SHOWN_EXTRAS = 3
"""Places kept for the best of single figures."""


def selected(ranked: Sequence[Scored], limit: int, per_model: int | None) -> list[Scored]:
    """At most ``limit``, best first; of each model at most ``per_model``."""
    distinct = list(_distinct(ranked, per_model))
    extras = _axis_winners(ranked) if per_model is None else []
    head = distinct[: max(limit - _SHOWN_EXTRAS, 1)] if limit > _SHOWN_EXTRAS else distinct[:limit]
    room = limit - len(head)
    chosen = [*head, *[s for s in extras if s not in head][:room]]
    chosen += [s for s in distinct if s not in chosen][: limit - len(chosen)]
    return sorted(chosen, key=ranked.index)


def _distinct(ranked: Iterable[Scored], per_model: int | None) -> Iterable[Scored]:
    """One of each (model, weights, engine, replica layout): numbers of replicas and expert spread are near-copies."""
    seen: set[tuple[object, ...]] = set()
    count: Counter[str] = Counter()
    for scored in ranked:
        c = scored.candidate
        key: tuple[object, ...] = (
            c.option.title,
            c.option.group.title,
            c.layout.tp,
            c.layout.attention_dp,
            c.layout.pp,
        )
        if per_model is not None:
            key = (c.resolved.model_id, c.resolved.engine.name, c.option.level)
        if key in seen or (per_model is not None and count[c.resolved.model_id] >= per_model):
            continue
        seen.add(key)
        count[c.resolved.model_id] += 1
        yield scored


def _axis_winners(ranked: Sequence[Scored]) -> list[Scored]:
    """The best of each figure among those that keep the promises as well as the first does."""
    if not ranked:
        return []
    pool = [s for s in ranked if bool(s.candidate.misses) <= bool(ranked[0].candidate.misses)]
    winners = []
    for _, figure, more in AXES:
        known = [(value, s) for s in pool if (value := figure(s.candidate)) is not None]
        if known:
            best = (max if more else min)(value for value, _ in known)
            winners.append(next(s for value, s in known if value == best))
    return list(dict.fromkeys(winners))
