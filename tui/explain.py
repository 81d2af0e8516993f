"""Explanations of figures, columns and fields: texts are data, terms come from the estimate itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui import text

if TYPE_CHECKING:
    from planner.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Explanation:
    """What ``?`` shows of a number, a column or a field."""

    title: str
    about: str
    rows: tuple[tuple[str, str], ...] = ()
    """Name and value: figure, range, origin, terms, facts."""
    notes: tuple[str, ...] = ()


@cache
def texts() -> dict[str, Any]:
    """The file of explanations."""
    import tomllib

    with Path(__file__).with_name("explanations.toml").open("rb") as stream:
        return tomllib.load(stream)


def column_about(table: str, column: str) -> str:
    """One line about a column; figures explain their own columns."""
    own = texts()["columns"].get(table, {}).get(column)
    return str(own or figure_text(column).get("about", ""))


def figure_text(key: str) -> dict[str, str]:
    """Label, about, formula and moves of a figure; empty for an unknown one."""
    found: dict[str, str] = texts()["figures"].get(key, {})
    return found


def of_figure(key: str, unit: str, estimate: Estimate | None, where: str) -> Explanation:
    """The whole of one number: value, range, origin, formula, terms, what moves it."""
    words = figure_text(key)
    title = f"{words.get('label', key)} · {where}"
    if estimate is None:
        return Explanation(title, words.get("about", ""), (("value", text.UNKNOWN),))
    rows = [("value", text.shown(estimate.value, unit)), ("range", _range(estimate, unit)), ("origin", estimate.origin)]
    if words.get("formula"):
        rows.append(("formula", words["formula"]))
    rows += [(f"  {_words(name)}", _term(name, value, unit)) for name, value in estimate.terms.items()]
    if words.get("moves"):
        rows.append(("moved by", words["moves"]))
    return Explanation(title, words.get("about", ""), tuple(rows), (texts()["origins"][estimate.origin],))


def _range(estimate: Estimate, unit: str) -> str:
    if estimate.low == estimate.high:
        return "none: exact as far as its facts are"
    return f"{text.shown(estimate.low, unit)} … {text.shown(estimate.high, unit)}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _term(name: str, value: float, unit: str) -> str:
    """A term in its unit: that of the figure, seconds below a rate, or a plain count."""
    if name in texts()["terms"]["count"]:
        return text.plain(value)
    sign = "−" if value < 0 else ""
    return sign + text.shown(abs(value), "s" if unit in ("tok/s", "/s") else unit)
