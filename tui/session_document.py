"""A session as a document and back: inputs with their history. What comes back is checked as if a stranger wrote it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from planner.errors import BadInput
from tui.draft import TRACE, Draft
from tui.inputs.workload import GOALS, LOADS, NUMBERS
from tui.needs import Purchase, Training, needs_of
from tui.purposes import PURPOSES
from tui.trace import plain_of, trace_of

if TYPE_CHECKING:
    from planner.documents.inventory import Inventory

SCHEMA = "deploy-planner/session/1"
MOST_DRAFTS = 256
TEXTS = {"site": 200, "model": 1000, "preset": 60, "engine": 100, "weights": 100, "kv_cache": 60, "quality_floor": 60}
"""Fields of a draft that hold text, and how long it may be."""
PARTS = {"training": Training, "purchase": Purchase}
"""Fields of a draft that hold values with fields of their own."""
NEEDED = frozenset({"site", "preset"})
ORIGINS = ("detected", "recorded", "simulated", "file")
_FIX = "--fresh starts anew"


@dataclass(frozen=True, slots=True)
class Kept:
    """What a session was when it was kept."""

    drafts: tuple[Draft, ...]
    """In the order in which they were made."""
    at: int
    """Which of them stood."""
    step: str
    saved: str
    """When, as people read it."""
    started_with: str | None
    """The hardware that was named when the app was started."""

    @property
    def draft(self) -> Draft:
        return self.drafts[self.at]

    @property
    def done(self) -> list[Draft]:
        return list(self.drafts[: self.at])

    @property
    def undone(self) -> list[Draft]:
        """Newest last, as a session holds them."""
        return list(reversed(self.drafts[self.at + 1 :]))


def document_of(kept: Kept) -> dict[str, Any]:
    """The document; an inventory that several drafts share is written once."""
    from planner.documents.encode import to_plain

    inventories: list[Inventory] = []
    drafts = []
    for draft in kept.drafts:
        names = [field.name for field in fields(Draft) if field.name not in ("inventory", "trace", *PARTS)]
        plain = {name: getattr(draft, name) for name in names}
        parts = {name: asdict(getattr(draft, name)) for name in PARTS}
        place = _place(draft.inventory, inventories)
        drafts.append(plain | parts | {"inventory": place, "trace": plain_of(draft.trace)})
    return {
        "schema": SCHEMA,
        "saved": kept.saved,
        "started_with": kept.started_with,
        "step": kept.step,
        "at": kept.at,
        "drafts": drafts,
        "inventories": [to_plain(inventory) for inventory in inventories],
    }


def _place(inventory: Inventory | None, known: list[Inventory]) -> int | None:
    if inventory is None:
        return None
    for index, other in enumerate(known):
        if other is inventory or other == inventory:
            return index
    known.append(inventory)
    return len(known) - 1


def kept_of(data: object, where: str, steps: Sequence[str]) -> Kept:
    """The session of a document. Raises BadInput for anything that this program would not have written."""
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise BadInput(where, "is no session of this version", _FIX)
    drafts, inventories = data.get("drafts"), data.get("inventories")
    if not (isinstance(drafts, list) and isinstance(inventories, list)) or len(drafts) > MOST_DRAFTS:
        raise BadInput(where, "holds no list of inputs", _FIX)
    machines = [_inventory(item, where) for item in inventories]
    found = tuple(_draft(item, machines, where) for item in drafts)
    at, step = data.get("at"), data.get("step")
    if type(at) is not int or not 0 <= at < len(found) or step not in steps:
        raise BadInput(where, "says neither where it stood nor at which step", _FIX)
    started = data.get("started_with")
    if not (started is None or _is_text(started, 1000)) or not _is_text(data.get("saved"), 40):
        raise BadInput(where, "says neither when nor how it was started", _FIX)
    return Kept(found, at, str(step), data["saved"], started)


def _inventory(data: object, where: str) -> Inventory:
    from planner.detect.recorded.inventory_file import inventory_from_data

    if not isinstance(data, Mapping):
        raise BadInput(where, "holds hardware that is none", _FIX)
    origin = data.get("origin")
    inventory = inventory_from_data(data, where)
    return replace(inventory, origin=origin) if origin in ORIGINS else inventory


def _draft(data: object, machines: Sequence[Inventory], where: str) -> Draft:
    known = {field.name for field in fields(Draft)}
    if not isinstance(data, dict) or set(data) != known:
        raise BadInput(where, "holds inputs of another version", _FIX)
    wrong = sorted(_wrong(data, machines))
    if wrong:
        raise BadInput(where, f"holds inputs out of their bounds: {', '.join(wrong)}", _FIX)
    place = data["inventory"]
    parts = {name: needs_of(data[name], kind) for name, kind in PARTS.items()}
    machine = None if place is None else machines[place]
    return Draft(**{**data, **parts, "inventory": machine, "trace": trace_of(data["trace"])})


def _wrong(data: Mapping[str, Any], machines: Sequence[Inventory]) -> Iterable[str]:
    """Names of inputs that no field of the app would take."""
    for number in NUMBERS:
        value = data[number.name]
        if value is None and (number.optional or number.name == "rate"):
            continue
        if type(value) is not int or not number.low <= value <= number.high:
            yield number.name
    for name, most in TEXTS.items():
        value = data[name]
        if not (_is_text(value, most) or (value is None and name not in NEEDED)):
            yield name
    known = {"goal": [kind.key for kind in GOALS], "load": [kind.key for kind in LOADS], "purpose": [*PURPOSES]}
    yield from (name for name, keys in known.items() if data[name] not in keys)
    yield from (name for name, kind in PARTS.items() if needs_of(data[name], kind) is None)
    if not _trace_stands(data):
        yield "trace"
    place = data["inventory"]
    if place is not None and (type(place) is not int or not 0 <= place < len(machines)):
        yield "inventory"


def _trace_stands(data: Mapping[str, Any]) -> bool:
    """A trace is there just where it is the workload."""
    if data["preset"] != TRACE:
        return data["trace"] is None
    return trace_of(data["trace"]) is not None and data["load"] == "rate"


def _is_text(value: object, most: int) -> bool:
    return isinstance(value, str) and len(value) <= most and value.isprintable()
