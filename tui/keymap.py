"""Keys bound anew: ``keys.toml`` in the user's configuration folder, ``[keys]`` with the id of a key and its new keys.

What cannot be used is reported with the nearest known name and left at its default; nothing in there stops the app.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from textual.keys import Keys

NAME = "keys.toml"
MOST_KEYS = 8
MODIFIERS = ("ctrl", "shift", "alt", "meta", "super")
SHORT_NAMES = {"solidus": "slash", "reverse_solidus": "backslash", "commercial_at": "at", "hyphen_minus": "minus",
               "plus_sign": "plus", "low_line": "underscore"}  # fmt: skip
"""Names of signs in Unicode → as Textual calls them."""
SPECIAL = frozenset(key.value for key in Keys if "+" not in key.value and "<" not in key.value)


@dataclass(frozen=True, slots=True)
class Declared:
    """A key of the app: its id, where it acts, what it is by default."""

    id: str
    owner: str
    keys: tuple[str, ...]
    tooltip: str


@dataclass(frozen=True, slots=True)
class Keymap:
    """What of the file can be used, and what is wrong with the rest."""

    keys: Mapping[str, str]
    problems: tuple[str, ...] = ()


def read_keymap(path: Path, declared: Iterable[Declared]) -> Keymap:
    """The user's keys; a file that cannot be read is a problem like any other."""
    import tomllib

    from planner.documents.files import read_bounded
    from planner.errors import BadInput
    from planner.units import KIB

    try:
        data = tomllib.loads(read_bounded(path, 64 * KIB).decode("utf-8"))
    except BadInput as error:
        return Keymap({}, (str(error),))
    except (ValueError, RecursionError) as error:
        return Keymap({}, (f"{path}: is not valid TOML: {error}",))
    return keymap_of(data, declared)


def keymap_of(data: Mapping[str, object], declared: Iterable[Declared]) -> Keymap:
    """The keys of a parsed file."""
    known = {item.id: item for item in declared}
    table = data.get("keys")
    others = [f"{name[:60]}: only [keys] is known here" for name in data if name != "keys"]
    if not isinstance(table, dict):
        return Keymap({}, (*others, 'there is no table [keys]: write "app.pin" = "ctrl+k" below one'))
    asked: dict[str, tuple[str, ...]] = {}
    problems = list(others)
    for id_, value in table.items():
        wrong = _wrong(id_, value, known)
        if wrong:
            problems.append(wrong)
        else:
            asked[id_] = _keys(str(value))
    clashes = _clashes(asked, known)
    return Keymap({id_: ",".join(keys) for id_, keys in asked.items()}, (*problems, *clashes))


def _wrong(id_: str, value: object, known: Mapping[str, Declared]) -> str:
    """Why a line cannot be used; empty when it can."""
    if id_ not in known:
        near = get_close_matches(id_[:60], known, 3, 0.4)
        return f"{id_[:60]!r} is no key of the app" + (f"; nearest: {', '.join(near)}" if near else "")
    if not isinstance(value, str) or not value.strip():
        return f'{id_}: write its keys as text, for example "ctrl+k"'
    keys = _keys(value)
    if len(keys) > MOST_KEYS:
        return f"{id_}: more than {MOST_KEYS} keys"
    odd = next((key for key in keys if not _is_key(key)), None)
    if odd is None:
        return ""
    near = get_close_matches(odd[:40].rpartition("+")[2], SPECIAL, 2, 0.6)
    return f"{id_}: {odd[:40]!r} is no key" + (f"; nearest: {', '.join(near)}" if near else "")


def _keys(value: str) -> tuple[str, ...]:
    """``"?, ctrl+k"`` in the long names: question_mark, ctrl+k."""
    return tuple(dict.fromkeys(long_name(key.strip()) for key in value.split(",") if key.strip()))


def long_name(key: str) -> str:
    """A key as Textual names it: ``?`` is question_mark."""
    head, plus, base = key.rpartition("+") if len(key) > 1 else ("", "", key)
    if len(base) == 1 and not base.isalnum():
        name = unicodedata.name(base, base).lower().replace("-", "_").replace(" ", "_")
        base = SHORT_NAMES.get(name, name)
    return f"{head.lower()}{plus}{base}"


def _is_key(key: str) -> bool:
    *modifiers, base = key.split("+")
    if not all(modifier in MODIFIERS for modifier in modifiers):
        return False
    return base in SPECIAL or (len(base) == 1 and base.isalnum()) or _is_sign(base)


def _is_sign(name: str) -> bool:
    """Whether a long name is that of one printable sign."""
    unicode_name = {short: long for long, short in SHORT_NAMES.items()}.get(name, name)
    for candidate in (unicode_name.replace("_", " "), unicode_name.replace("_", "-")):
        try:
            return unicodedata.lookup(candidate.upper()).isprintable()
        except KeyError:
            continue
    return False


def _clashes(asked: dict[str, tuple[str, ...]], known: Mapping[str, Declared]) -> list[str]:
    """Takes back what would put two actions of one place on one key, and says so."""
    problems = []
    while clash := _clash(asked, known):
        id_, other, key = clash
        problems.append(f"{id_}: {key} is the key of {other} in the same place: {id_} keeps its default")
        del asked[id_]
    return problems


def _clash(asked: Mapping[str, tuple[str, ...]], known: Mapping[str, Declared]) -> tuple[str, str, str] | None:
    taken: dict[tuple[str, str], str] = {}
    for id_ in sorted(known, key=lambda id_: id_ in asked):
        for key in asked.get(id_, known[id_].keys):
            other = taken.setdefault((known[id_].owner, key), id_)
            if other != id_ and id_ in asked:
                return id_, other, key
    return None
