"""Questions: a numbered choice, a number, a line. Every one explains itself and takes b (back), q (quit) and ?."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tui.plain.talk import Back, Quit, Talk

HOW = "l lists the answers again, b goes back to the question before, q quits."
LIST = ("l", "list")
MOST_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Choice:
    """One numbered answer."""

    key: str
    label: str
    about: str | Callable[[], str] = ""
    """What ``?`` with its number says."""

    def explained(self) -> str:
        """What is said of it; what says itself in full needs no label before it."""
        if callable(self.about):
            return self.about()
        return f"{self.label}: {self.about or 'there is nothing more to say about it.'}"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a number may be."""

    low: int
    high: int
    optional: bool = False
    unit: str = ""

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        return f"a whole number from {self.low:,} to {self.high:,}{unit}"


def choose(
    talk: Talk,
    title: str,
    choices: Sequence[Choice],
    *,
    default: str | None = None,
    about: str = "",
    again: bool = False,
) -> str:
    """The key of the choice taken; Enter takes the default. ``again``: the list was read already."""
    talk.heading(title)
    if not again:
        listed(talk, choices)
    while True:
        answer = _hear(talk, _prompt(len(choices), choices, default))
        if answer.lower() in LIST:
            listed(talk, choices)
            continue
        if answer.startswith("?"):
            _explain(talk, choices, answer[1:].strip(), about)
            continue
        found = default if not answer and default is not None else _found(answer, choices)
        if found is not None:
            return found
        talk.say(_no_choice(answer, choices, default))


def listed(talk: Talk, choices: Sequence[Choice]) -> None:
    """The choices, one a line."""
    for number, choice in enumerate(choices, 1):
        talk.say(f"{number}. {choice.label}")


def several(talk: Talk, title: str, choices: Sequence[Choice], *, default: str, about: str = "") -> tuple[str, ...]:
    """Keys of one or more choices, numbers apart by commas or blanks."""
    talk.heading(title)
    listed(talk, choices)
    while True:
        answer = _hear(talk, f"Numbers, for example 1,2. Enter takes {_number(choices, default)}:")
        if answer.lower() in LIST:
            listed(talk, choices)
            continue
        if answer.startswith("?"):
            _explain(talk, choices, answer[1:].strip(), about)
            continue
        words = answer.replace(",", " ").split() or [default]
        found = [word if word == default else _found(word, choices) for word in words]
        if None not in found:
            return tuple(dict.fromkeys(key for key in found if key is not None))
        wrong = next(word for word, key in zip(words, found, strict=True) if key is None)
        talk.say(_no_choice(wrong, choices, default))


def number(talk: Talk, label: str, bounds: Bounds, value: int | None, about: str) -> int | None:
    """A whole number; Enter keeps the value, ``none`` empties what may be empty."""
    kept = "none" if value is None else f"{value:,}"
    emptied = ", none empties it" if bounds.optional else ""
    while True:
        answer = _hear(talk, f"{label}, {bounds}. Enter keeps {kept}{emptied}:")
        if answer.startswith("?"):
            talk.say(f"{label}: {about} It takes {bounds}{emptied}. {HOW}")
        elif not answer:
            return value
        elif answer.lower() == "none" and bounds.optional:
            return None
        else:
            found = _whole(answer)
            if found is not None and bounds.low <= found <= bounds.high:
                return found
            talk.say(f"{_quoted(answer)} is not {bounds}{emptied}. ? explains it.")


def line(talk: Talk, prompt: str, *, default: str = "", about: str = "") -> str:
    """A line of text; Enter takes the default, which may be empty."""
    shown = f" Enter takes {default}:" if default else ""
    while True:
        answer = _hear(talk, f"{prompt}{shown}")
        if not answer.startswith("?"):
            return answer or default
        talk.say(f"{about} {HOW}".strip())


def confirmed(talk: Talk, question: str) -> bool:
    """Yes or no; Enter means no."""
    return choose(talk, question, (Choice("no", "No"), Choice("yes", "Yes")), default="no") == "yes"


def _hear(talk: Talk, prompt: str) -> str:
    answer = talk.hear(prompt)
    if answer.lower() in ("b", "back"):
        raise Back
    if answer.lower() in ("q", "quit", "exit"):
        raise Quit
    return answer


def _prompt(count: int, choices: Sequence[Choice], default: str | None) -> str:
    enter = f" Enter takes {_number(choices, default)}" if default is not None else ""
    return f"Number from 1 to {count}.{enter}:" if enter else f"Number from 1 to {count}:"


def _number(choices: Sequence[Choice], key: str | None) -> str:
    return next((str(n) for n, choice in enumerate(choices, 1) if choice.key == key), str(key))


def _found(answer: str, choices: Sequence[Choice]) -> str | None:
    """By number, by key or label, or by the beginning of just one label."""
    position = _whole(answer)
    if position is not None:
        return choices[position - 1].key if 1 <= position <= len(choices) else None
    wanted = answer.casefold()
    exact = [c.key for c in choices if wanted in (c.key.casefold(), c.label.casefold())]
    begun = [c.key for c in choices if wanted and c.label.casefold().startswith(wanted)]
    return exact[0] if exact else begun[0] if len(begun) == 1 else None


def _whole(answer: str) -> int | None:
    digits = answer.replace(",", "").replace("_", "").replace(" ", "")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= MOST_DIGITS else None


def _explain(talk: Talk, choices: Sequence[Choice], wanted: str, about: str) -> None:
    """``?`` explains the question, ``? 2`` its second answer."""
    if not wanted:
        how = f"Answer with a number from 1 to {len(choices)}; ? and a number, as ? 1, explains that answer."
        talk.say(" ".join(part for part in (about, how, HOW) if part))
        return
    key = _found(wanted, choices)
    chosen = next((choice for choice in choices if choice.key == key), None)
    talk.say(chosen.explained() if chosen else f"There is no answer {_quoted(wanted)}: 1 to {len(choices)}.")


def _no_choice(answer: str, choices: Sequence[Choice], default: str | None) -> str:
    enter = f", Enter for {_number(choices, default)}" if default is not None else ""
    said = f"{_quoted(answer)} is none of them" if answer else "An answer is needed"
    return f"{said}: write a number from 1 to {len(choices)}{enter}, ? to have it explained, b to go back, q to quit."


def _quoted(answer: str) -> str:
    return f"'{answer[:40]}'"
