"""The server: textual-serve's sessions behind our own door and our own page, which needs nothing from elsewhere."""

from __future__ import annotations

import argparse
import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import textual_serve
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from textual_serve.app_service import AppService
from textual_serve.server import Server

from planner.errors import BadInput
from tui.serve.guard import Guard

PAGE = Path(__file__).with_name("page")
STATIC = Path(textual_serve.__file__).with_name("static")
GRACE_S = 2.0
"""How long sessions may take to leave when the server stops."""
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
        "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "Server": "deploy-planner",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Sessions(Server):
    """Runs the app once for each page that is open, up to a number."""

    def __init__(self, command: str, most: int) -> None:
        super().__init__(command, title="deploy-planner")
        self._most = most
        self._tasks: dict[asyncio.Task[object], web.Request] = {}
        self._apps: set[AppService] = set()

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """A session, unless as many as allowed are open."""
        if not web.WebSocketResponse().can_prepare(request).ok:
            raise web.HTTPUpgradeRequired(text="The page speaks to this address by WebSocket.")
        if len(self._tasks) >= self._most:
            raise web.HTTPServiceUnavailable(text=f"{self._most} sessions are open: close one, or --sessions more.")
        task = asyncio.current_task()
        if task is not None:
            self._tasks[task] = request
        try:
            return await super().handle_websocket(request)
        finally:
            if task is not None:
                del self._tasks[task]

    async def _process_messages(self, websocket: web.WebSocketResponse, app_service: AppService) -> None:
        """What the page sends; a message that is none of the page's ends its session, not the server."""
        self._apps.add(app_service)
        try:
            await super()._process_messages(websocket, app_service)
        except (AssertionError, ValueError, TypeError, KeyError, IndexError, AttributeError):
            await websocket.close(code=1003, message=b"not understood")
        finally:
            self._apps.discard(app_service)

    async def close(self, app: web.Application) -> None:
        """Every session is asked to leave; what has not left in time is ended."""
        running, apps = dict(self._tasks), set(self._apps)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=GRACE_S)
        for service in apps:
            process = getattr(service, "_process", None)
            if process is not None and process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
        for task, request in running.items():
            if not task.done() and request.transport is not None:
                request.transport.abort()


def application(guard: Guard, sessions: Sessions, cookie: str) -> web.Application:
    """Routes and the door before them."""
    app = web.Application(middlewares=[_door(guard, cookie)])
    app.add_routes(
        [
            web.get("/", lambda request: _index(request, guard, cookie)),
            web.get("/ws", sessions.handle_websocket),
            web.get("/download/{key}", sessions.handle_download),
            web.static("/static", STATIC),
            web.static("/page", PAGE),
        ]
    )
    app.on_response_prepare.append(_add_headers)
    app.on_shutdown.append(sessions.close)
    return app


def _door(guard: Guard, cookie: str) -> Middleware:
    @web.middleware
    async def door(request: web.Request, handler: Handler) -> web.StreamResponse:
        refused = guard.refused(request.headers, _token_of(request), request.cookies.get(cookie))
        if refused is not None:
            return web.Response(status=refused.status, text=f"{refused.reason}\n")
        return await handler(request)

    return door


def _token_of(request: web.Request) -> str | None:
    """The token of the address, or of the Authorization header."""
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if kind.lower() == "bearer" else request.query.get("token")


async def _index(request: web.Request, guard: Guard, cookie: str) -> web.StreamResponse:
    """The page; a token in the address becomes a cookie and leaves the address."""
    if guard.opens(request.query.get("token")):
        answer = web.Response(status=303, headers={"Location": "/"})
        answer.set_cookie(cookie, guard.cookie, httponly=True, samesite="Strict", secure=request.secure, path="/")
        return answer
    return web.FileResponse(PAGE / "index.html")


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


def listen(args: argparse.Namespace, guard: Guard, sessions: Sessions, started: Callable[[str], None]) -> None:
    """Serve until a signal. ``started`` is told the address, token included."""
    context = _tls(args)
    door = _bound(args.host, args.port)
    port = door.getsockname()[1]
    sessions.port = port
    logging.getLogger("textual-serve").addHandler(logging.NullHandler())
    started(_address(args, guard, port, secure=context is not None))
    app = application(guard, sessions, f"deploy_planner_{port}")
    web.run_app(app, sock=door, ssl_context=context, print=None, access_log=None, shutdown_timeout=GRACE_S)


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, UnicodeError, OverflowError, TypeError) as error:
        fix = "another --port, or 0 for any free one; --host takes an address of this machine"
        raise BadInput("serve", f"cannot listen on {host[:100]} port {port}: {error}", fix) from None


def _tls(args: argparse.Namespace) -> ssl.SSLContext | None:
    if not args.tls_cert:
        if args.tls_key:
            raise BadInput("--tls-key", "has no certificate", "name it with --tls-cert")
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(args.tls_cert, args.tls_key)
    except (OSError, ValueError) as error:
        raise BadInput("--tls-cert", f"cannot be used: {error}", "a PEM file with its key, or --tls-key") from None
    return context


def _address(args: argparse.Namespace, guard: Guard, port: int, *, secure: bool) -> str:
    """What to open; a server on all addresses is opened by the machine's name."""
    everywhere = args.host in ("0.0.0.0", "::")
    name = args.allow_host[0] if args.allow_host else socket.gethostname() if everywhere else args.host
    name = f"[{name}]" if ":" in name else name
    token = f"?token={guard.token}" if guard.token else ""
    return f"http{'s' if secure else ''}://{name}:{port}/{token}"
