"""A Docker daemon that starts nothing: it tells the client that it is Linux, keeps what it is asked to create, refuses.

The client reads and checks its words by itself; what arrives here is what it understood.
"""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, ClassVar

REFUSAL = "nothing is started here"


class Handler(BaseHTTPRequestHandler):
    """Answers of the engine's HTTP interface."""

    created: ClassVar[list[dict[str, Any]]] = []

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        for name, value in (("Ostype", "linux"), ("Api-Version", "1.43"), ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_HEAD(self) -> None:
        self._answer(200, {})

    def do_GET(self) -> None:
        self._answer(200, {"Os": "linux", "ApiVersion": "1.43"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "/containers/create" in self.path:
            self.created.append(json.loads(body))
        self._answer(403, {"message": REFUSAL})

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def address_string(self) -> str:
        return "client"


@contextmanager
def listening(socket: Path) -> Iterator[list[dict[str, Any]]]:
    """What clients ask to create, while the block lasts."""
    Handler.created.clear()
    with socketserver.ThreadingUnixStreamServer(str(socket), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Handler.created
        server.shutdown()
