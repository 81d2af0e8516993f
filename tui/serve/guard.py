"""Who may enter: by the name in the Host header, by the page that asks (Origin), by token. Pure decisions.

A page of another site can make a browser ask for ``http://127.0.0.1:8000``, and a name of its own can be made to mean
127.0.0.1 (DNS rebinding): both show in these two headers, which a page cannot forge.
"""

from __future__ import annotations

import hmac
import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from secrets import token_urlsafe
from urllib.parse import urlsplit

LOCAL_NAMES = frozenset({"localhost"})
MOST = 4096


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a request is not served."""

    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class Guard:
    """The rules of one server."""

    token: str | None = None
    allowed: frozenset[str] = frozenset()
    """Names it may be opened by, beside addresses, localhost and the machine's own."""
    cookie: str = field(default_factory=lambda: token_urlsafe(32))
    """What a browser shows after it has shown the token once; lives as long as the server."""

    def refused(self, headers: Mapping[str, str], given: str | None, cookie: str | None) -> Refused | None:
        """None: come in. ``given`` is the token of the address or of the Authorization header."""
        host = headers.get("Host", "")
        if not self._is_ours(name_of(host)):
            return Refused(421, "This server has no such name: deploy-planner serve --allow-host NAME adds one.")
        if _foreign(headers, host):
            return Refused(403, "Pages of other sites may not use this server.")
        if self.token is None or _equal(given, self.token) or _equal(cookie, self.cookie):
            return None
        return Refused(401, "A token is needed: open the whole address that deploy-planner serve printed.")

    def opens(self, given: str | None) -> bool:
        """Whether the token itself was shown, so that the browser may keep the cookie."""
        return self.token is not None and _equal(given, self.token)

    def _is_ours(self, name: str) -> bool:
        """An address cannot be rebound; of names only those that are meant."""
        return is_address(name) or name in LOCAL_NAMES | self.allowed or name in own_names()


def name_of(host: str) -> str:
    """The name of a Host header, without port and brackets, in small letters; empty for nonsense."""
    try:
        return (urlsplit(f"//{host[:MOST]}").hostname or "").lower()
    except ValueError:
        return ""


def own_names() -> frozenset[str]:
    """What this machine calls itself."""
    name = socket.gethostname().lower()
    return frozenset({name, name.partition(".")[0]}) - {""}


def is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address; a name other than localhost counts as the network."""
    if host.lower() in LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _foreign(headers: Mapping[str, str], host: str) -> bool:
    """Whether a page of another place asks, other than by a link that a person followed."""
    origin, site = headers.get("Origin"), headers.get("Sec-Fetch-Site", "none")
    followed = headers.get("Sec-Fetch-Mode") == "navigate"
    return (origin is not None and not _same_place(origin, host)) or (site == "cross-site" and not followed)


def _same_place(origin: str, host: str) -> bool:
    """Whether a page of ``origin`` was served by ``host``."""
    try:
        parts = urlsplit(origin[:MOST])
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()


def _equal(given: str | None, wanted: str) -> bool:
    """Compared in a time that says nothing of how much was right."""
    return given is not None and hmac.compare_digest(given[:MOST].encode("utf-8", "replace"), wanted.encode())
