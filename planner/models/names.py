"""Names people write for models: squeezed for comparison, shortened, and the nearest ones on a miss."""

from __future__ import annotations

from collections.abc import Mapping

MAX_NAME = 300
_ENDINGS = ("-instruct", "-it", "-chat", "-hf", "-thinking", "-bf16", "-instruct-2507", "-pt")
_FRONTS = ("meta-", "nvidia-", "c4ai-")


def squeeze(name: str) -> str:
    """Lower case without "-", "_", "." and blanks; the slash stays."""
    return "".join(c for c in name[:MAX_NAME].lower() if c not in "-_. :")


def short_forms(name: str) -> tuple[str, ...]:
    """A short name without the usual front and ending: ``Llama-3.1-8B-Instruct`` → ``Llama-3.1-8B``."""
    lower = name.lower()
    fronts = [name, *(name[len(f) :] for f in _FRONTS if lower.startswith(f))]
    cut = [n[: -len(e)] for n in fronts for e in _ENDINGS if n.lower().endswith(e)]
    return tuple(n for n in (*fronts[1:], *cut) if n)


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
