"""Failures that engines print → the rule that was broken, what it means, and the nearest way out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from planner.data import read_toml
from planner.verify.lines import Line
from planner.verify.patterns import number_of

MAX_FOUND = 50


@dataclass(frozen=True, slots=True)
class Failure:
    """One kind of failure."""

    rule: str
    engines: tuple[str, ...]
    """Whose message it is; empty: of a driver or library below any engine."""
    marker: str
    pattern: re.Pattern[str]
    meaning: str
    fix: str
    change: Mapping[str, str]
    """Dotted key of the deployment → value: a template over the pattern's groups, or a move ("x0.5", "-0.05")."""
    cause: bool
    """False for what follows from another failure ("engine core died"): shown only when nothing else is found."""
    source: str
    versions: str


@dataclass(frozen=True, slots=True)
class Explained:
    """A failure that was found in a text."""

    rule: str
    line: int
    message: str
    """As printed, shortened."""
    meaning: str
    fix: str
    engines: tuple[str, ...]
    source: str
    values: dict[str, str] = field(default_factory=dict)
    """What the message names: sizes, counts, interfaces."""
    change: dict[str, str] = field(default_factory=dict)
    cause: bool = True


@cache
def failures() -> tuple[Failure, ...]:
    """The table, compiled."""
    table: list[dict[str, Any]] = read_toml("verify/failures.toml")["rows"]
    return tuple(
        Failure(
            rule=row["rule"],
            engines=tuple(row.get("engines", ())),
            marker=row["marker"],
            pattern=re.compile(row["pattern"]),
            meaning=row["meaning"],
            fix=row["fix"],
            change=row.get("change", {}),
            cause=row.get("cause", True),
            source=row["source"],
            versions=row.get("versions", ""),
        )
        for row in table
    )


def explain(lines: Iterable[Line]) -> tuple[Explained, ...]:
    """Every known failure of a text, each kind once, in order; consequences only where no cause is known."""
    found: dict[str, Explained] = {}
    for line in lines:
        for failure in failures():
            if failure.marker in line.text and failure.rule not in found:
                match = failure.pattern.search(line.text)
                if match:
                    found[failure.rule] = _explained(failure, line, match)
        if len(found) >= MAX_FOUND:
            break
    causes = tuple(each for each in found.values() if each.cause)
    return causes or tuple(found.values())


def _explained(failure: Failure, line: Line, match: re.Match[str]) -> Explained:
    values = {name: text for name, text in match.groupdict().items() if text is not None}
    start = max(0, match.start() - 20)
    return Explained(
        rule=failure.rule,
        line=line.number,
        message=line.text[start : start + 300].strip(),
        meaning=_filled(failure.meaning, values),
        fix=_filled(failure.fix, values),
        engines=failure.engines,
        source=failure.source,
        values=values,
        change={key: _filled(value, values) for key, value in failure.change.items() if _known(value, values)},
        cause=failure.cause,
    )


def _filled(text: str, values: Mapping[str, str]) -> str:
    """``{name}`` replaced by what the message said; unknown ones stay as a dash."""
    return re.sub(r"\{(\w{1,30})\}", lambda m: values.get(m[1], "–"), text)


def _known(template: str, values: Mapping[str, str]) -> bool:
    return all(name in values for name in re.findall(r"\{(\w{1,30})\}", template))


def moved(value: Any, move: str) -> Any:
    """A value after a move: "x0.5" times, "-0.05" less, "+1" more, anything else replaces it; None: no way."""
    number = number_of(move[1:]) if move[:1] in ("x", "-", "+") else None
    if number is None:
        return _plain(move)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    result = value * number if move[0] == "x" else value - number if move[0] == "-" else value + number
    return max(1, int(result)) if isinstance(value, int) else round(result, 4)


def _plain(text: str) -> Any:
    left, slash, right = text.partition("/")
    if slash and (share := _share(number_of(left), number_of(right))):
        return share
    if text in ("true", "false"):
        return text == "true"
    number = number_of(text)
    if number is None:
        return text
    return int(number) if number == int(number) and "." not in text else number


def _share(part: float | None, whole: float | None) -> float | None:
    """A share rounded down to what leaves room, in hundredths."""
    if part is None or not whole or not 0 < part < whole:
        return None
    return max(0.01, int(100 * part / whole - 0.5) / 100)
