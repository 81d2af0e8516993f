"""Which model: by number, by words to search for, or by path."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from planner.errors import PlannerError
from tui.catalogue_view import size_of
from tui.plain.ask import HOW, LIST
from tui.plain.journey import Journey
from tui.plain.talk import Back, Quit

if TYPE_CHECKING:
    from planner.models.catalogue_row import CatalogueModel

PAGE = 12
NEXT = {"serve": "workload", "tune": "job", "buy": "workload"}
"""Step after this one, by what the walk is for."""
OPEN = "serve"
"""Where the planner may choose the model."""
ABOUT = (
    "Write a number to take a model of the list, words to search the catalogue (name, family, licence, use), more for "
    "the next of the list, or the path of a folder with config.json, or of a .gguf file. ? and a number explains one."
)


def model(journey: Journey) -> str:
    """The model; for serving the planner may choose."""
    found = list(_search(journey, ""))
    place = 0
    _list(journey, found, place)
    while True:
        answer = journey.talk.hear(_prompt(journey))
        lower = answer.lower()
        if lower in ("b", "back"):
            raise Back
        if lower in ("q", "quit", "exit"):
            raise Quit
        if answer.startswith("?"):
            _explain(journey, found, answer[1:].strip())
        elif lower in LIST:
            _list(journey, found, place)
        elif lower in ("m", "more"):
            place = place + PAGE if place + PAGE < len(found) else 0
            _list(journey, found, place)
        elif taken := _taken(journey, found, answer):
            return taken
        else:
            found, place = _narrowed(journey, found, answer), 0
            _list(journey, found, place)


def _prompt(journey: Journey) -> str:
    if journey.draft.model:
        other = ", any leaves the choice to the planner" if journey.draft.purpose == OPEN else ""
        return f"Number, words, path or more. Enter keeps {journey.draft.model}{other}:"
    enter = " Enter leaves the choice to the planner" if journey.draft.purpose == OPEN else ""
    return f"Number, words, path or more{'.' if enter else ''}{enter}:"


def _taken(journey: Journey, found: list[CatalogueModel], answer: str) -> str | None:
    """The next step when the answer names a model."""
    onward = NEXT[journey.draft.purpose]
    if not answer or answer.lower() == "any":
        return onward if _left_open(journey, answer) else None
    if _is_number(answer):
        row = _numbered(found, answer)
        if row is None:
            journey.talk.say(f"There is no model number {answer[:12]} in this list of {len(found)}.")
            return None
    else:
        row = journey.library.catalogue.find(answer)
        if row is None and not _is_model(journey, answer):
            return None
    journey.draft = replace(journey.draft, model=row.id if row else answer)
    return onward


def _left_open(journey: Journey, answer: str) -> bool:
    """Enter keeps the model; without one the planner may choose, where it can."""
    if answer and journey.draft.purpose == OPEN:
        journey.draft = replace(journey.draft, model=None)
    if journey.draft.purpose == OPEN or (not answer and journey.draft.model):
        return True
    journey.talk.say("A model is needed here: write its number, or words to search for.")
    return False


def _is_number(answer: str) -> bool:
    return answer.isascii() and answer.isdigit()


def _numbered(found: list[CatalogueModel], answer: str) -> CatalogueModel | None:
    position = int(answer) if _is_number(answer) and len(answer) < 6 else 0
    return found[position - 1] if 1 <= position <= len(found) else None


def _is_model(journey: Journey, answer: str) -> bool:
    """Whether the answer names a file or folder that can be read as a model; what is wrong with one is said."""
    from planner.models.intake import looks_like_path, open_model

    if not looks_like_path(answer):
        return False
    try:
        open_model(answer, journey.library)
    except (PlannerError, OSError, ValueError) as error:
        journey.talk.say(f"Not taken: {error}")
        return False
    return True


def _narrowed(journey: Journey, found: list[CatalogueModel], answer: str) -> list[CatalogueModel]:
    from planner.models.intake import looks_like_path

    if not answer or _is_number(answer) or looks_like_path(answer):
        return found
    narrowed = list(_search(journey, answer))
    if narrowed:
        return narrowed
    near = ", ".join(name for name, _ in journey.library.catalogue.nearest(answer, 3))
    journey.talk.say(f"No model has '{answer[:40]}'." + (f" Nearest: {near}." if near else ""))
    return found


def _search(journey: Journey, words: str) -> list[CatalogueModel]:
    rows = journey.library.catalogue.search(words)
    return sorted(rows, key=lambda row: (-row.prominence, row.id))


def _list(journey: Journey, found: list[CatalogueModel], place: int) -> None:
    talk = journey.talk
    talk.heading("Step 3, model")
    shown = found[place : place + PAGE]
    for number, row in enumerate(shown, place + 1):
        size = f", {size_of(row)} parameters" if size_of(row) else ""
        talk.say(f"{number}. {row.id}{size}, {row.licence or 'licence unknown'}")
    talk.say(f"These are {place + 1} to {place + len(shown)} of {len(found)}.")


def _explain(journey: Journey, found: list[CatalogueModel], wanted: str) -> None:
    if not wanted:
        journey.talk.say(f"{ABOUT} {HOW}")
        return
    row = _numbered(found, wanted)
    if row is None:
        journey.talk.say(f"There is no model number '{wanted[:12]}' here.")
        return
    formats = ", ".join(dict.fromkeys(c.weights for c in row.checkpoints)) or "not listed"
    longest = f"{row.max_context:,} tokens" if row.max_context else "unknown"
    journey.talk.say(f"{row.id}: {row.name}, family {row.family}, for {', '.join(row.uses)}.")
    journey.talk.say(f"Made for {longest}. Published as {formats}. Released {row.released or 'at an unknown date'}.")
    journey.talk.say(f"Licence {row.licence or 'unknown'}, commercial use: {row.commercial_use}. {row.licence_note}")
