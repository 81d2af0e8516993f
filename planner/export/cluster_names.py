"""Names of a Kubernetes cluster as people give them: refused here, not by the API server at the start."""

from __future__ import annotations

import re

from planner.errors import BadInput

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")
_SUBDOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\Z")
_WORD = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?\Z")


def dns_label(text: str, where: str) -> str:
    """A namespace. Raises BadInput for anything that is none (RFC 1123 label)."""
    return _checked(text, where, _LABEL.match(text) is not None, "use small letters, digits and -, 63 at most")


def dns_subdomain(text: str, where: str) -> str:
    """A claim or a storage class. Raises BadInput for anything that is none (RFC 1123 subdomain)."""
    return _checked(text, where, _SUBDOMAIN.match(text) is not None, "use small letters, digits, - and .")


def qualified_name(text: str, where: str, *, prefixed: bool = False) -> str:
    """The key of a label or the name of a resource: ``prefix/name``; the prefix may be left out unless ``prefixed``."""
    prefix, slash, name = text.rpartition("/")
    known = _WORD.match(name) is not None and (not slash or _SUBDOMAIN.match(prefix) is not None)
    return _checked(text, where, known and (bool(slash) or not prefixed), "write it as kubectl shows it: prefix/name")


def label_value(text: str, where: str) -> str:
    """The value of a label. Raises BadInput for anything that is none."""
    return _checked(
        text, where, not text or _WORD.match(text) is not None, "use letters, digits, - _ and ., 63 at most"
    )


def _checked(text: str, where: str, holds: bool, fix: str) -> str:
    if not holds:
        raise BadInput(where, f"is no name of Kubernetes: {text[:80]!r}", fix)
    return text
