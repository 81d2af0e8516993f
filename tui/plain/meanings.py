"""What the figures of training jobs and fleets mean, beside those of serving plans: ``meanings.toml``."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

from tui.explain import Explanation, figure_text


@cache
def _texts() -> dict[str, dict[str, str]]:
    import tomllib

    with Path(__file__).with_name("meanings.toml").open("rb") as stream:
        return tomllib.load(stream)


def label_of(key: str) -> str:
    """The name of a figure."""
    return figure_text(key).get("label") or _texts().get(key, {}).get("label") or key.replace("_", " ")


def meant(key: str, explanation: Explanation) -> Explanation:
    """The explanation with its meaning, where the figure is none of a serving plan."""
    own = _texts().get(key)
    if own is None or figure_text(key):
        return explanation
    place = explanation.title.partition(" · ")[2]
    formula = (("formula", own["formula"]),) if own.get("formula") else ()
    rows = (*explanation.rows[:3], *formula, *explanation.rows[3:])
    return replace(explanation, title=f"{own['label']} · {place}", about=own["about"], rows=rows)
