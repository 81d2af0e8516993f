"""Strict check of one row's table against the schema: every problem is recorded, reading goes on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from hwdb.errors import DataProblem
from hwdb.fields import FIELDS, FORMATS, NOT_A_FIGURE, Field

_SLUG = re.compile(r"[a-z0-9][a-z0-9.+_-]{0,79}")
_PCI = re.compile(r"[0-9a-f]{4}")
_PROFILE = re.compile(r"[1-9]\d?g\.\d{1,4}gb(\+[a-z.]{1,12}){0,2}")
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
_MAX_TEXT = 2000
_MAX_LIST = 200
_SOURCE_KEYS = frozenset(("text", "date", "verified", "fields"))


def check_row(kind: str, table: Any, file: str, prefix: str, problems: list[DataProblem]) -> dict[str, Any] | None:
    """The row's table with ``sources`` turned into field → [text, date, verified]; None when anything is wrong."""
    check = RowCheck(FIELDS[kind], file, prefix)
    row = check.row(table)
    problems.extend(check.problems)
    return None if check.problems else row


class RowCheck:
    """Collects the problems of one row."""

    def __init__(self, fields: Mapping[str, Field], file: str, prefix: str) -> None:
        self.problems: list[DataProblem] = []
        self._fields, self._file, self._prefix = fields, file, prefix

    def row(self, table: Any) -> dict[str, Any]:
        if not isinstance(table, dict):
            self._wrong("", "is not a table")
            return {}
        for key, value in table.items():
            if key in ("sources", "doubts"):
                continue
            if key not in self._fields:
                self._unknown(key, key, (*self._fields, "sources", "doubts"))
            else:
                self._value(key, value, self._fields[key])
        for key, field in self._fields.items():
            if field.required and key not in table:
                self._wrong(key, "is missing")
        self._doubts(table)
        return {**table, "sources": self._sources(table)}

    def _value(self, key: str, value: Any, field: Field) -> None:
        if field.type in ("text", "slug"):
            self._text(key, value, slug=field.type == "slug")
        elif field.type == "texts":
            self._texts(key, value)
        elif field.type == "flag":
            if not isinstance(value, bool):
                self._wrong(key, "must be true or false")
        elif field.type in ("integer", "number"):
            self._number(key, value, field)
        elif field.type in ("integers", "numbers"):
            self._numbers(key, value, field)
        else:
            self._mapping(key, value, field)

    def _text(self, key: str, value: Any, *, slug: bool = False) -> None:
        if not isinstance(value, str) or not value.strip():
            self._wrong(key, "must be a text")
        elif len(value) > _MAX_TEXT or not value.isprintable():
            self._wrong(key, f"must be printable and at most {_MAX_TEXT} characters")
        elif slug and not _SLUG.fullmatch(value):
            self._wrong(key, f"{value[:40]!r} must be lower-case letters, digits, dots and dashes, at most 80")

    def _texts(self, key: str, value: Any) -> None:
        if not isinstance(value, list) or len(value) > _MAX_LIST:
            self._wrong(key, f"must be a list of at most {_MAX_LIST} texts")
            return
        for number, item in enumerate(value):
            self._text(f"{key}[{number}]", item)
            if key == "pci_device_ids" and not (isinstance(item, str) and _PCI.fullmatch(item)):
                self._wrong(f"{key}[{number}]", "must be four lower-case hex digits")
            if key == "mig_profiles" and not (isinstance(item, str) and _PROFILE.fullmatch(item)):
                self._wrong(f"{key}[{number}]", 'must be a slice profile such as "1g.10gb"')

    def _number(self, key: str, value: Any, field: Field) -> None:
        whole = field.type in ("integer", "integers", "mig")
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
            self._wrong(key, "must be a whole number" if whole else "must be a number")
        elif not field.low <= value <= field.high:
            self._wrong(key, f"{str(value)[:20]} lies outside {field.low:.6g} to {field.high:.6g} (base units)")

    def _numbers(self, key: str, value: Any, field: Field) -> None:
        if not isinstance(value, list) or len(value) != field.length:
            self._wrong(key, f"must be a list of {field.length} numbers")
            return
        for number, item in enumerate(value):
            self._number(f"{key}[{number}]", item, field)

    def _mapping(self, key: str, value: Any, field: Field) -> None:
        if not isinstance(value, dict):
            self._wrong(key, "must be a table")
            return
        for name, item in value.items():
            if field.type == "mig":
                self._mig(f'{key}."{name}"', name, item, field)
            elif name not in FORMATS:
                self._unknown(f"{key}.{name}", name, FORMATS)
            elif field.type == "rates":
                self._number(f"{key}.{name}", item, field)
            elif not isinstance(item, bool):
                self._wrong(f"{key}.{name}", "must be true or false")

    def _mig(self, key: str, profile: str, value: Any, field: Field) -> None:
        if not _PROFILE.fullmatch(profile):
            self._wrong(key, 'must be a slice profile such as "1g.10gb"')
        elif not isinstance(value, dict) or set(value) != {"memory_bytes"}:
            self._wrong(key, "must be a table with memory_bytes")
        else:
            self._number(f"{key}.memory_bytes", value["memory_bytes"], field)

    def _doubts(self, table: dict[str, Any]) -> None:
        doubts = table.get("doubts", {})
        if not isinstance(doubts, dict):
            self._wrong("doubts", "must be a table of field → text")
            return
        for name, text in doubts.items():
            self._field_name(f"doubts.{name}", name)
            self._text(f"doubts.{name}", text)

    def _sources(self, table: dict[str, Any]) -> dict[str, list[Any]]:
        listed = table.get("sources", [])
        if not isinstance(listed, list) or len(listed) > _MAX_LIST:
            self._wrong("sources", "must be a list of tables with text, date and fields")
            return {}
        sources: dict[str, list[Any]] = {}
        for number, source in enumerate(listed):
            sources.update(self._source(f"sources[{number}]", source))
        for name in _figures(table, self._fields):
            if name not in sources and name.split(".")[0] not in sources:
                self._wrong(name, "has no source: name it in the fields of a [[sources]] table")
        return sources

    def _source(self, key: str, source: Any) -> dict[str, list[Any]]:
        if not isinstance(source, dict):
            self._wrong(key, "must be a table with text, date and fields")
            return {}
        for name in source:
            if name not in _SOURCE_KEYS:
                self._unknown(f"{key}.{name}", name, _SOURCE_KEYS)
        self._text(f"{key}.text", source.get("text"))
        date = source.get("date")
        if not isinstance(date, str) or not _DATE.fullmatch(date):
            self._wrong(f"{key}.date", 'must be a date such as "2026-11" or "2026-11-23"')
        if not isinstance(source.get("verified", True), bool):
            self._wrong(f"{key}.verified", "must be true or false")
        fields = source.get("fields")
        if not isinstance(fields, list) or not all(isinstance(name, str) for name in fields):
            self._wrong(f"{key}.fields", "must be a list of field names")
            return {}
        for name in fields[:_MAX_LIST]:
            self._field_name(f"{key}.fields", name)
        given = [source.get("text"), date, source.get("verified", True)]
        return dict.fromkeys(fields[:_MAX_LIST], given)

    def _field_name(self, key: str, name: str) -> None:
        if name.partition(".")[0] not in self._fields:
            self._unknown(key, name, self._fields)

    def _unknown(self, key: str, name: str, known: Iterable[str]) -> None:
        close = get_close_matches(name[:80].lower(), sorted(known), n=1, cutoff=0.6)
        self._problem(key, f"unknown name {name[:80]!r}", close[0] if close else None)

    def _wrong(self, key: str, message: str) -> None:
        self._problem(key, message, None)

    def _problem(self, key: str, message: str, hint: str | None) -> None:
        shown = "".join(char if char.isprintable() else "?" for char in key[:120])
        self.problems.append(DataProblem(self._file, self._prefix + shown, message, hint))


def _figures(table: Mapping[str, Any], fields: Mapping[str, Field]) -> Iterable[str]:
    """Dotted names of all numbers of a row."""
    for key, value in table.items():
        if key not in fields or fields[key].type in NOT_A_FIGURE:
            continue
        if isinstance(value, dict) and fields[key].type == "rates":
            yield from (f"{key}.{name}" for name in value)
        else:
            yield key
