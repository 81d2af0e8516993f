"""Reads the versions that people write: releases, builds with local labels, build numbers, commits, nothing.

Only the release is ordered: "0.13.1.dev8+g2841a84ac" and "0.13.1rc2" both count as 0.13.1, whose code they carry.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_MAX_LENGTH = 200
_RELEASE = re.compile(
    r"""^\s*(?:[a-z.\-_ ]*[ @=\-_])?v?          # an engine's name in front
        (?P<release>\d{1,6}(?:\.\d{1,6}){1,3})
        (?P<rest>.*)$""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_BUILD = re.compile(r"^\s*(?:build[:\s]*)?b?(?P<build>\d{3,6})(?![0-9a-f.])", re.IGNORECASE)
_LOCAL = re.compile(r"\+(?P<local>[0-9a-z][0-9a-z.\-_]*)", re.IGNORECASE)
_PUBLISHED = re.compile(r"^\s*v?\d{1,6}(?:\.\d{1,6}){1,3}(?:\.post\d{1,4})?\s*$")
_CLAUSE = re.compile(r"^\s*(?P<op><=|>=|==|<|>)\s*(?P<version>[\w.]+)\s*$")


class Version(NamedTuple):
    """What could be read of a version."""

    text: str
    release: tuple[int, ...] | None
    """(0, 16, 0); a build number is a release of one number; None: a commit or words."""
    build: str = ""
    """Local label after "+", as builds from others carry: "rhai5", "g2841a84ac"."""


@lru_cache(maxsize=512)
def parse_version(text: str | None) -> Version:
    """Reads a version; never fails."""
    if not text or len(text) > _MAX_LENGTH:
        return Version(text or "", None)
    if found := _RELEASE.match(text):
        local = _LOCAL.search(found["rest"])
        release = tuple(int(part) for part in found["release"].split("."))
        return Version(text, release, local["local"].lower() if local else "")
    if found := _BUILD.match(text):
        return Version(text, (int(found["build"]),))
    return Version(text, None)


def is_release(text: str) -> bool:
    """Whether a version was published as it stands: no development build, no candidate, no local label."""
    return _PUBLISHED.match(text) is not None


def compare(left: tuple[int, ...], right: tuple[int, ...]) -> int:
    """-1, 0 or 1; missing numbers count as 0."""
    width = max(len(left), len(right))
    a, b = left + (0,) * (width - len(left)), right + (0,) * (width - len(right))
    return (a > b) - (a < b)


@lru_cache(maxsize=2048)
def in_range(release: tuple[int, ...], clauses: str) -> bool:
    """Whether a release satisfies all of ">=0.8, <0.17"; an empty range holds everything.

    >>> in_range((0, 16, 0), ">=0.8, <0.17")
    True
    """
    return all(_holds(release, clause) for clause in clauses.split(",") if clause.strip())


def _holds(release: tuple[int, ...], clause: str) -> bool:
    found = _CLAUSE.match(clause)
    bound = parse_version(found["version"]).release if found else None
    if found is None or bound is None:
        raise ValueError(f"not a version range: {clause!r}")
    order = compare(release, bound)
    return {"<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0, "==": order == 0}[found["op"]]
