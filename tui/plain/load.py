"""What is asked of the model: users and lengths, a training job, or a purchase."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from planner.errors import PlannerError
from planner.presets import DEFAULT, preset, presets
from tui import inputs, trace
from tui.draft import TRACE
from tui.plain.ask import Bounds, Choice, choose, line
from tui.plain.form import Field, fill
from tui.plain.journey import Journey
from tui.trace import Trace

PRESET_ABOUT = "A kind of use with typical lengths and promises; every number can be changed afterwards."
ANY = Choice("", "Any")
METHODS_ABOUT = "only this method; any: all that the trainers know, ranked."
JOB = (
    Field("tokens", "Training tokens in an epoch", "tokens of the whole data set, once.", Bounds(1, 10**12)),
    Field("epochs", "Epochs", "how often the data are gone through.", Bounds(1, 1000)),
    Field("seq_len", "Tokens of a sample", "longest sample, packed. Moves: activation memory.", Bounds(1, 10_000_000)),
    Field("global_batch", "Samples of a step", "samples that one optimizer step averages.", Bounds(1, 10**7)),
)
WISH = (
    Field("users", "Users at once", inputs.NUMBERS[0].about, Bounds(1, 1_000_000)),
    Field("budget", "Budget for the purchase", "in the currency of the prices; none: no limit.",
          Bounds(1, 10**9, optional=True), empty="no limit"),
    Field("power", "Power of the room", "that the plugs give, in watts; none: no limit.",
          Bounds(1, 10**8, optional=True, unit="W"), empty="no limit"),
    Field("spare", "A spare set of servers", "one more than needed, so that the load holds when one is down.",
          choices=(Choice("no", "No"), Choice("yes", "Yes"))),
    Field("rank_by", "Rank by", "what comes first.",
          choices=(Choice("purchase", "Purchase price"), Choice("tco", "Cost of a month, everything in"),
                   Choice("power", "Power"), Choice("devices", "Number of devices"))),
)  # fmt: skip


def workload(journey: Journey) -> str:
    """A kind of use, then its numbers."""
    draft = journey.draft
    kinds = [Choice(name, p.label, p.about) for name, p in presets().items()]
    kinds.append(Choice(TRACE, "A trace file: recorded requests", trace.ABOUT))
    default = draft.preset if draft.preset in presets() else DEFAULT
    if draft.trace is not None:
        kinds, default = [Choice("custom", f"The trace as it stands: {draft.trace.words}"), *kinds], "custom"
    elif draft.preset == "custom" and draft.users is not None:
        kinds, default = [Choice("custom", "The numbers as they stand"), *kinds], "custom"
    name = choose(journey.talk, "Step 4, workload: kind of use", kinds, default=default, about=PRESET_ABOUT)
    if name == TRACE:
        found = _trace(journey)
        if found is None:
            return "workload"
        promised = draft if journey.asked else draft.with_preset(preset(DEFAULT))  # at first those that are usual
        draft = promised.changed(found.changes())
    elif name != "custom":
        draft = draft.with_preset(preset(name))
    names = [f.name for f in _workload_fields()]
    before = {name: getattr(draft, name) or None if name in _CHOICES else getattr(draft, name) for name in names}
    after = fill(journey.talk, "Workload", list(_workload_fields()), before, "Plan with this")
    changes = {name: value for name, value in after.items() if value != before[name]}
    journey.draft = draft.changed(changes) if changes else draft
    return "plans"


def _trace(journey: Journey) -> Trace | None:
    """Recorded requests; why a file is none is said."""
    path = line(journey.talk, "Path of the trace file. Enter goes back to the kinds of use:", about=trace.ABOUT)
    if not path:
        return None
    units = tuple(Choice(*unit) for unit in trace.UNITS)
    unit = choose(journey.talk, "Times in it are", units, default="s", about=trace.UNIT_ABOUT)
    try:
        found = trace.read_trace_file(path, "ms" if unit == "ms" else "s")
    except PlannerError as error:
        journey.talk.say(f"Not taken: {trace.said_of(error)}")
        return None
    journey.talk.say(f"From the trace: {found.words}.")
    return found


_CHOICES = ("goal", "quality_floor", "engine", "weights", "kv_cache")


def _workload_fields() -> Iterator[Field]:
    loads = tuple(Choice(*kind) for kind in inputs.LOADS)
    yield Field("load", "Load is stated as", "how the load is stated.", choices=loads)
    for n in inputs.NUMBERS:
        yield Field(n.name, n.label, n.about, Bounds(n.low, n.high, n.optional, n.unit), empty=_empty(n.name))
    goals = tuple(Choice(*kind) for kind in inputs.GOALS)
    yield Field("goal", "Rank by", "what the ranking prefers when several plans keep the promises.", choices=goals)
    yield Field("quality_floor", "Quality floor", inputs.FLOOR_ABOUT, choices=tuple(_floors()), empty="default")
    yield Field("engine", "Engine", inputs.ENGINE_ABOUT, choices=tuple(_engines()), empty="any")
    formats = (ANY, *(Choice(f, f) for f in inputs.FORMATS))
    yield Field("weights", "Weight format", inputs.WEIGHTS_ABOUT, choices=formats, empty="any")
    caches = (ANY, *(Choice(f, f) for f in inputs.KV_CACHES))
    yield Field("kv_cache", "KV cache", inputs.KV_ABOUT, choices=caches, empty="any")


def _empty(name: str) -> str:
    return {
        "users": "usual for this hardware",
        "images": "text alone",
        "image_tokens": "the model's own number",
        "max_model_len": "as long as fits, up to 32k",
    }.get(name, "no promise")


def _floors() -> Iterator[Choice]:
    from planner.models.quality import levels

    yield Choice("", "Default", "int4: published evaluations keep 97-99 % of the scores")
    yield from (Choice(level, level) for level in reversed(levels()))


def _engines() -> Iterator[Choice]:
    from planner.engines.registry import engines

    yield ANY
    yield from (Choice(name, name) for name in engines())


def job(journey: Journey) -> str:
    """A training job: a kind, then its numbers."""
    from planner.training.grid import methods
    from planner.training.request import training_preset, training_presets

    kinds = [Choice(name, p.label, p.about) for name, p in training_presets().items()]
    usual = journey.job.get("preset") or training_preset(None).name
    name = choose(journey.talk, "Step 4, training job: kind", kinds, default=usual, about="What is to be learned.")
    chosen, known = training_preset(name), journey.job if journey.job.get("preset") == name else {}
    values: dict[str, Any] = {f.name: round(getattr(chosen, f.name)) for f in JOB} | {"method": None, **known}
    ways = (ANY, *(Choice(method, method) for method in methods()))
    fields = (*JOB, Field("method", "Method", METHODS_ABOUT, choices=ways, empty="any"))
    journey.job = fill(journey.talk, "Training job", fields, values, "Plan with this") | {"preset": name}
    return "jobs"


def wish(journey: Journey) -> str:
    """A load to buy for, with limits."""
    kinds = [Choice(name, p.label, p.about) for name, p in presets().items() if not p.workload.saturated]
    usual = journey.wish.get("preset", DEFAULT)
    name = choose(journey.talk, "Step 4, kind of use", kinds, default=usual, about=PRESET_ABOUT)
    start = {"users": 64, "budget": None, "power": None, "spare": "no", "rank_by": "purchase"}
    journey.wish = fill(journey.talk, "Purchase", WISH, {**start, **journey.wish}, "Look for fleets") | {"preset": name}
    journey.draft = replace(journey.draft, users=journey.wish["users"])
    return "fleets"
