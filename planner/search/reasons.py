"""Why a proposal stands where it stands, in plain words, most important first."""

from __future__ import annotations

from collections.abc import Iterator

from planner.legality.layout import kv_copies
from planner.search.candidate import Candidate
from planner.search.score import Scored, spilled
from planner.search.select import AXES
from planner.search.task import Task
from planner.units import human_bytes, human_seconds, human_whole

_PART_WORDS = {
    "model": "the model and its precision",
    "throughput": "throughput",
    "speed": "time per token",
    "start": "time to the first token",
    "context": "context",
    "users": "users that fit",
    "gpus": "fewer devices",
    "queue": "room for the users asked for",
    "slow": "readable speed",
    "tight": "memory to spare",
    "spill": "weights that stay on the accelerators",
    "missed": "keeping the service level",
}


def reasons(scored: Scored, rank: int, everything: list[Scored], task: Task) -> tuple[str, ...]:
    """The reasons of one proposal among all that fit."""
    own = [*_lead(scored, rank, everything, task), *_compared(scored, rank, everything)]
    own += [*_promises(scored, task), *_model(scored, everything)]
    return tuple(dict.fromkeys([*own, *_layout(scored), *_room(scored, task)]))


def _lead(scored: Scored, rank: int, everything: list[Scored], task: Task) -> Iterator[str]:
    """Why the first is first: its two strongest parts against the next different proposal."""
    if rank > 1 or len(everything) < 2:
        return
    rest = [s for s in everything[1:] if s.candidate.option.title != scored.candidate.option.title]
    other = rest[0] if rest else everything[1]
    gains = sorted(((scored.parts[k] - other.parts[k], k) for k in scored.parts), reverse=True)
    strongest = [_PART_WORDS[name] for gain, name in gains[:2] if gain > 0.02]
    if strongest:
        title = other.candidate.title if rest else str(other.candidate.layout)
        yield f"goal {task.goal}: ahead of {title} by {' and '.join(strongest)}"


def _compared(scored: Scored, rank: int, everything: list[Scored]) -> Iterator[str]:
    """The figures in which it is the best, or what the first has over it."""
    candidate, first = scored.candidate, everything[0].candidate
    if len(everything) == 1:
        yield "the only configuration that fits"
        return
    same_model = [s.candidate for s in everything if s.candidate.resolved.model_id == candidate.resolved.model_id]
    for name, figure, more in AXES:
        value = figure(candidate)
        others = [v for c in same_model if c is not candidate and (v := figure(c)) is not None]
        if value is not None and others and (value > max(others) if more else value < min(others)):
            whose = "" if len(same_model) == len(everything) else " of this model"
            yield f"{name} of all {len(same_model)} configurations{whose} that fit"
    if rank > 1 and first.resolved.model_id == candidate.resolved.model_id:
        yield from _against(scored, everything[0])


def _against(scored: Scored, first: Scored) -> Iterator[str]:
    """Differences from the first proposal, in per cent."""
    pairs = (
        ("tokens per second", scored.candidate.output_tok_s, first.candidate.output_tok_s, "more", "fewer"),
        ("time per token", scored.candidate.tpot_s, first.candidate.tpot_s, "longer", "shorter"),
        ("context", float(scored.candidate.context), float(first.candidate.context), "longer", "shorter"),
    )
    for name, mine, best, above, below in pairs:
        if mine is None or best is None or best <= 0:
            continue
        change = mine / best - 1
        if abs(change) >= 0.02:
            yield f"{abs(change):.0%} {above if change > 0 else below} {name} than the first"


def _promises(scored: Scored, task: Task) -> Iterator[str]:
    candidate, level = scored.candidate, task.workload.service_level
    if candidate.misses:
        yield "misses the service level: " + "; ".join(candidate.misses)
    elif level is not None and (level.ttft_s or level.tpot_s):
        parts = []
        if level.ttft_s and candidate.level_ttft_s:
            parts.append(f"first token {human_seconds(candidate.level_ttft_s)} of {human_seconds(level.ttft_s)}")
        if level.tpot_s and candidate.level_tpot_s:
            parts.append(f"per token {human_seconds(candidate.level_tpot_s)} of {human_seconds(level.tpot_s)}")
        yield f"keeps the service level at {level.percentile:g} %: " + ", ".join(parts)
    else:
        yield from _slowness(candidate, task)


def _slowness(candidate: Candidate, task: Task) -> Iterator[str]:
    """What people will feel where nothing was promised."""
    if candidate.tpot_s and candidate.tpot_s > task.policy.slowest_tpot_s:
        yield f"a slow answer: {human_seconds(candidate.tpot_s)} per token, {1 / candidate.tpot_s:.1f} tokens a second"
    if candidate.ttft_s and candidate.ttft_s > task.policy.slowest_ttft_s:
        yield f"a long wait: {human_seconds(candidate.ttft_s)} to the first token of a prompt of this length"


def _model(scored: Scored, everything: list[Scored]) -> Iterator[str]:
    option = scored.candidate.option
    models = {s.candidate.resolved.model_id for s in everything}
    value = option.model_value
    if len(models) > 1 and all(s.candidate.option.model_value <= value for s in everything):
        yield f"the most capable of {len(models)} models that fit"
    if option.made:
        yield f"{option.weights}: {option.made}"
    elif option.native and option.weights:
        yield f"{option.weights} is the format that the model was published in"
    elif option.level:
        yield f"{option.weights}: precision level {option.level}"


def _layout(scored: Scored) -> Iterator[str]:
    candidate = scored.candidate
    if candidate.option.local:
        if host := spilled(candidate):
            yield f"{human_bytes(host)} of the weights stay in host memory"
        return
    serving = candidate.resolved.serving
    copies = kv_copies(candidate.option.shape, serving)
    if serving.attention_dp > 1 and candidate.option.shape.replicated_kv:
        yield f"{serving.attention_dp} attention groups keep the KV cache once each instead of {serving.gpus} times"
    elif copies > 1:
        yield f"the KV cache is kept {copies} times, once on each rank that shares its heads"
    if serving.ep > 1 and candidate.resolved.quantization.block:
        yield f"experts whole on {serving.ep} devices: no shard is cut below its block"
    if serving.pp > 1:
        where = "across nodes" if candidate.resolved.cluster.nodes > 1 else "inside the node"
        yield f"{serving.pp} pipeline stages {where}: only activations travel"


def _room(scored: Scored, task: Task) -> Iterator[str]:
    candidate = scored.candidate
    serving = candidate.resolved.serving
    users = human_whole(max(candidate.users, 0.0))
    yield f"requests up to {serving.max_model_len:,} tokens; room for {users} of the workload's length at once"
    wanted = task.wanted_context(candidate.resolved.architecture.max_position)
    if candidate.context < wanted:
        yield f"the memory ends the context: {wanted:,} were aimed at"
    left = candidate.option.group.num_devices - candidate.gpus
    if left > 0 and not candidate.option.group.is_cpu:
        yield f"leaves {left} of {candidate.option.group.num_devices} devices free"
