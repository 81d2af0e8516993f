"""Names people write for models: squeezed for comparison, shortened, and the nearest ones on a miss."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner.models.catalogue_row import CatalogueModel

MAX_NAME = 300
_ENDING = re.compile(r"-(instruct|it|chat|hf|thinking|bf16|pt|v\d+(\.\d+)?|\d{4})$", re.IGNORECASE)
"""What a name ends in when people leave the end off: tuning, format, version, date."""
_FRONT = re.compile(r"^(meta-|nvidia-|c4ai-)", re.IGNORECASE)


def squeeze(name: str) -> str:
    """Lower case without "-", "_", "." and blanks; the slash stays."""
    return "".join(c for c in name[:MAX_NAME].lower() if c not in "-_. :")


def short_forms(name: str) -> tuple[str, ...]:
    """A short name without its usual front and endings: ``Mixtral-8x7B-Instruct-v0.1`` → ``Mixtral-8x7B``."""
    forms = [_FRONT.sub("", name)]
    while (cut := _ENDING.sub("", forms[-1])) != forms[-1]:
        forms.append(cut)
    return tuple(form for form in forms if form and form != name)


def name_index(models: Iterable[CatalogueModel]) -> dict[str, str]:
    """Squeezed name → id: ids first, then own names, aliases, repositories, short forms; prominent models first."""
    ranked = sorted(models, key=lambda m: (-m.prominence, m.id))
    names: dict[str, str] = {}
    ways: tuple[Callable[[CatalogueModel], Iterable[str]], ...] = (
        lambda m: (m.id,),
        lambda m: (m.short_name,),
        lambda m: (m.name, *m.aliases, *(c.repo for c in m.checkpoints)),
        lambda m: short_forms(m.short_name),
    )
    for written in ways:
        for model in ranked:
            for name in written(model):
                names.setdefault(squeeze(name), model.id)
    return names


def nearest(name: str, known: Mapping[str, str], count: int) -> tuple[tuple[str, float], ...]:
    """The ids of the closest squeezed names with their distance (0 same, 1 nothing in common), nearest first."""
    from difflib import SequenceMatcher

    wanted = squeeze(name)
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(wanted)
    best: dict[str, float] = {}
    for form, id_ in known.items():
        matcher.set_seq1(form)
        if matcher.real_quick_ratio() > 0.4 and matcher.quick_ratio() > 0.4:
            best[id_] = min(best.get(id_, 1.0), 1 - matcher.ratio())
    close = sorted(best.items(), key=lambda item: (item[1], item[0]))
    return tuple((id_, round(distance, 3)) for id_, distance in close[:count] if distance < 0.5)


def shown(name: str) -> str:
    """A name from outside as it may be printed: one line, no control characters, bounded."""
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name[:MAX_NAME])
    return text + ("…" if len(name) > MAX_NAME else "")
