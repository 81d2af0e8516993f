"""Where a log or a metrics page comes from: a file, standard input, or a URL that the operator names."""

from __future__ import annotations

import sys
from codecs import getincrementaldecoder
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

from planner.documents.files import reason_of
from planner.errors import BadInput
from planner.units import MIB
from planner.verify.lines import MAX_LOG_BYTES

MAX_PAGE_BYTES = 64 * MIB
_TIMEOUT_S = 10.0
_CHUNK = 1 * MIB


def read_source(name: str) -> str:
    """The text of a file, of standard input ("-") or of an http(s) address. Raises BadInput."""
    if name.lower().startswith(("http://", "https://")):
        return _fetch(name)
    return "".join(file_chunks(name))


def file_chunks(name: str) -> Iterator[str]:
    """Text of a file or of standard input ("-") in pieces, up to a bound; the end of a longer log is not read."""
    try:
        with nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb") as stream:
            decoder = getincrementaldecoder("utf-8")("replace")
            total = 0
            while total < MAX_LOG_BYTES and (piece := stream.read(_CHUNK)):
                total += len(piece)
                yield decoder.decode(piece)
    except (OSError, ValueError) as error:
        raise BadInput(repr(name), f"cannot be read: {reason_of(error)}", "check the path") from None


def _fetch(address: str) -> str:
    """A page over http; nothing is sent but the request, proxies of the environment apply."""
    from http.client import HTTPException
    from urllib.error import URLError
    from urllib.request import Request, urlopen

    try:
        request = Request(address, headers={"Accept": "text/plain"})
        with urlopen(request, timeout=_TIMEOUT_S) as answer:
            content: bytes = answer.read(MAX_PAGE_BYTES)
    except (URLError, HTTPException, OSError, ValueError) as error:
        raise BadInput(address, f"cannot be fetched: {error}", "check that the server runs and the port") from None
    return content.decode("utf-8", "replace")
