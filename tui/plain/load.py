"""What is asked of the model: a workload with its promises, a training job, the limits of a purchase."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from planner.errors import PlannerError
from planner.presets import DEFAULT, preset, presets
from tui import trace
from tui.draft import TRACE, Draft
from tui.inputs import purchase as limits_of
from tui.inputs import training as job_of
from tui.inputs import workload as load_of
from tui.inputs.kinds import Number, OneOf
from tui.needs import USERS, Purchase, Training
from tui.plain.ask import Bounds, Choice, choose, line
from tui.plain.form import Field, fill
from tui.plain.journey import Journey
from tui.plain.talk import Talk
from tui.trace import Trace

PRESET_ABOUT = "A kind of use with typical lengths and promises; every number can be changed afterwards."


def workload(journey: Journey) -> str:
    """A kind of use, then its numbers."""
    draft = journey.draft
    kinds = list(_kinds(draft))
    default = kinds[0].key if kinds[0].key == "custom" else draft.preset if draft.preset in presets() else DEFAULT
    name = choose(journey.talk, "Step 4, workload: kind of use", kinds, default=default, about=PRESET_ABOUT)
    if name == TRACE:
        found = _trace(journey)
        if found is None:
            return "workload"
        promised = draft if journey.asked else draft.with_preset(preset(DEFAULT))  # at first those that are usual
        draft = promised.changed(found.changes())
    elif name != "custom":
        draft = draft.with_preset(preset(name))
    buying = draft.purpose == "buy"
    changes = _changes(
        journey.talk, "Workload", _workload_fields(draft), draft, "Go on" if buying else "Plan with this"
    )
    journey.draft = draft.changed(changes) if changes else draft
    return "limits" if buying else "proposals"


def _kinds(draft: Draft) -> Iterator[Choice]:
    """The kinds of use; before them what was set by hand."""
    if draft.trace is not None:
        yield Choice("custom", f"The trace as it stands: {draft.trace.words}")
    elif draft.preset == "custom" and draft.users is not None:
        yield Choice("custom", "The numbers as they stand")
    offline = draft.purpose != "buy"
    yield from (Choice(n, p.label, p.about) for n, p in presets().items() if offline or not p.workload.saturated)
    yield Choice(TRACE, "A trace file: recorded requests", trace.ABOUT)


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


def _workload_fields(draft: Draft) -> Iterator[Field]:
    load, *others = load_of.choices()
    yield _one_of(load)
    usual = {
        "users": str(USERS) if draft.purpose == "buy" else "usual for this hardware",
        "images": "text alone",
        "image_tokens": "the model's own number",
        "max_model_len": "as long as fits, up to 32k",
    }
    yield from (_number(number, usual.get(number.name, "no promise")) for number in load_of.NUMBERS)
    yield from (_one_of(choice) for choice in others if choice.name != "kv_cache" or draft.purpose == "serve")


def job(journey: Journey) -> str:
    """A training job: a kind, then its numbers."""
    kind, *others = job_of.choices()
    kinds, training = [Choice(*one) for one in kind.kinds], journey.draft.training
    name = choose(journey.talk, "Step 4, training job: kind", kinds, default=training.preset, about=kind.about)
    if name != training.preset:
        training = training.changed({"preset": name})
    fields = [_number(number, job_of.usual(number.name, name) or "none") for number in job_of.NUMBERS]
    fields += map(_one_of, others)
    changes = _changes(journey.talk, "Training job", fields, training, "Plan with this")
    journey.draft = replace(journey.draft, training=training.changed(changes))
    return "proposals"


def limits(journey: Journey) -> str:
    """What may be bought, and what comes first."""
    fields = [*map(_one_of, limits_of.CHOICES), *(_number(number, "no limit") for number in limits_of.NUMBERS)]
    purchase = journey.draft.purchase
    changes = _changes(journey.talk, "Purchase", fields, purchase, "Look for fleets")
    journey.draft = replace(journey.draft, purchase=replace(purchase, **changes))
    return "proposals"


def _changes(
    talk: Talk, title: str, fields: Iterable[Field], inputs: Draft | Training | Purchase, onward: str
) -> dict[str, Any]:
    """Inputs that were given another value; one that was emptied has the value of a new form."""
    fields, empty = list(fields), type(inputs)()
    filled = fill(talk, title, fields, {f.name: getattr(inputs, f.name) for f in fields}, onward)
    after = {name: getattr(empty, name) if value is None else value for name, value in filled.items()}
    return {name: value for name, value in after.items() if value != getattr(inputs, name)}


def _number(number: Number, empty: str) -> Field:
    bounds = Bounds(number.low, number.high, number.optional, number.unit)
    return Field(number.name, number.label, number.about, bounds, empty=empty)


def _one_of(choice: OneOf) -> Field:
    kinds = tuple(Choice(*kind) for kind in choice.kinds)
    return Field(choice.name, choice.label, choice.about, choices=kinds, empty=kinds[0].label.lower())
