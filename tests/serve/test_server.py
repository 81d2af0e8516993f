"""The real server over real sockets: refusals, sessions, limits, leaving."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.serve.conftest import ROOT, Served, serving


async def status(address: str, **headers: str) -> int:
    async with aiohttp.ClientSession() as client, client.get(address, headers=headers, allow_redirects=False) as answer:
        return answer.status


@pytest.mark.parametrize("path", ["", "ws", "static/js/textual.js", "page/start.js", "download/x", "nowhere"])
async def test_a_token_is_asked_for_on_every_path(locked: Served, path: str) -> None:
    assert await status(locked.root + path) == 401
    assert await status(f"{locked.root}{path}?token=wrong") == 401
    assert await status(locked.root + path, Host="evil.com") == 421
    assert await status(locked.root + path, Origin="http://evil.com") == 403


async def test_the_token_becomes_a_cookie_that_opens_the_page_and_a_session(tmp_path: Path) -> None:
    with serving(tmp_path, "--host", "0.0.0.0") as served:
        assert "WARNING: it is reachable from other machines" in served.said and "plain http" in served.said
        root = f"http://127.0.0.1:{served.port}/"
        token = served.address.partition("?token=")[2]
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
            async with client.get(f"{root}?token={token}", allow_redirects=False) as answer:
                assert answer.status == 303 and answer.headers["Location"] == "/"
                cookie = answer.headers["Set-Cookie"]
                assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and token not in cookie
            async with client.get(root) as answer:
                assert answer.status == 200 and "no-store" in answer.headers["Cache-Control"]
            async with client.ws_connect(f"{root}ws?width=100&height=30") as page:
                assert (await page.receive(60)).type == aiohttp.WSMsgType.BINARY
        assert await status(root, Authorization=f"Bearer {token}") == 200


async def test_there_are_as_many_sessions_as_allowed_and_a_closed_one_makes_room(tmp_path: Path) -> None:
    with serving(tmp_path, "--sessions", "1") as served:
        async with aiohttp.ClientSession() as client:
            async with client.ws_connect(f"{served.root}ws") as first:
                await first.receive(60)
                with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                    await client.ws_connect(f"{served.root}ws")
                assert refused.value.status == 503
            for _ in range(100):
                try:
                    async with client.ws_connect(f"{served.root}ws") as page:
                        assert (await page.receive(60)).type == aiohttp.WSMsgType.BINARY
                        return
                except aiohttp.WSServerHandshakeError:
                    await asyncio.sleep(0.1)
            raise AssertionError("the place was never free again")


async def test_what_is_no_websocket_is_told_so(unlocked: Served) -> None:
    assert await status(f"{unlocked.root}ws") == 426


@pytest.mark.parametrize("words", ["[]", "{}", "null", "7", '["stdin"]', '["stdin", 5]', '["resize", "x"]', "not json",
                                   '["resize", {"width": "a"}]', "[[[["])  # fmt: skip
async def test_nonsense_from_a_page_ends_its_session_and_not_the_server(unlocked: Served, words: str) -> None:
    async with aiohttp.ClientSession() as client, client.ws_connect(f"{unlocked.root}ws") as page:
        await page.receive(60)
        await page.send_str(words)
        await asyncio.sleep(0.1)
    assert await status(unlocked.root) == 200 and unlocked.process.poll() is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_the_server_and_every_session(tmp_path: Path, number: int) -> None:
    with serving(tmp_path) as served:
        async with aiohttp.ClientSession() as client, client.ws_connect(f"{served.root}ws") as page:
            await page.receive(60)
            children = Path(f"/proc/{served.process.pid}/task/{served.process.pid}/children").read_text().split()
            assert children
            assert await asyncio.to_thread(served.stop, number) == 0
            assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]


async def test_paths_lead_nowhere_else(unlocked: Served) -> None:
    for path in ("page/%2e%2e/server.py", "static/..%2f..%2fserver.py", "page//etc/passwd", "static/", "page/"):
        assert await status(unlocked.root + path) in (403, 404)


def run(*options: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "tui.main", "serve", *options]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, cwd=ROOT, check=False)


def test_a_port_that_is_taken_is_said_with_a_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("--port", str(taken.getsockname()[1]))
    assert done.returncode == 2 and "cannot listen" in done.stderr and "--port" in done.stderr


@pytest.mark.parametrize(
    "options",
    [("--host", "no.such.host.invalid"), ("--port", "99999"), ("--tls-cert", "/nowhere.pem"), ("--tls-key", "x"),
     ("--data", "/nowhere"), ("--sessions", "0"), ("--token", "--token-env", "X"), ("--host", "ü" * 80)],
)  # fmt: skip
def test_bad_options_leave_with_2_and_no_traceback(options: tuple[str, ...]) -> None:
    done = run(*options)
    assert done.returncode == 2 and "Traceback" not in done.stderr and done.stderr


def test_without_the_package_it_says_how_to_install_it() -> None:
    code = (
        "import sys; sys.modules['textual_serve'] = None; sys.argv[1:] = ['serve']\n"
        "from tui.main import main; raise SystemExit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=ROOT, check=False
    )
    assert done.returncode == 2 and "pip install 'deploy-planner[serve]'" in done.stderr
