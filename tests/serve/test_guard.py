"""Who may enter: names, origins, tokens."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from planner.errors import BadInput
from tui.serve.guard import Guard, is_loopback, name_of
from tui.serve.token import token_of
from tui.serve.verb import command, configure

TOKEN = "correct-horse-battery-staple"


def refused(guard: Guard, token: str | None = None, cookie: str | None = None, **headers: str) -> int | None:
    found = guard.refused({key.replace("_", "-"): value for key, value in headers.items()}, token, cookie)
    return found.status if found else None


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000", "10.0.0.7", "LOCALHOST"])
def test_addresses_and_local_names_come_in(host: str) -> None:
    assert refused(Guard(), Host=host) is None


@pytest.mark.parametrize(
    "host", ["evil.com", "evil.com:8000", "127.0.0.1.evil.com", "localhost.evil.com", "", "[", "a b", "1@evil.com:1",
             "\x00", "x" * 100_000, "0x7f000001.evil", "xn--lcalhost-54a"]
)  # fmt: skip
def test_names_that_were_not_meant_stay_out(host: str) -> None:
    """DNS rebinding: a name of the attacker that was made to mean this machine."""
    assert refused(Guard(), Host=host) == 421


def test_a_name_that_was_allowed_comes_in_and_no_longer_one_does() -> None:
    guard = Guard(allowed=frozenset({"gpu-07.example.org"}))
    assert refused(guard, Host="GPU-07.example.org:8000") is None
    assert refused(guard, Host="x.gpu-07.example.org:8000") == 421


@pytest.mark.parametrize("origin", ["http://evil.com", "null", "https://127.0.0.1:9", "http://127.0.0.1:8000.evil.com",
                                    "file://", "http://[", "chrome-extension://abc"])  # fmt: skip
def test_pages_of_other_places_stay_out(origin: str) -> None:
    assert refused(Guard(), Host="127.0.0.1:8000", Origin=origin) == 403


def test_our_own_page_comes_in_and_a_link_may_be_followed() -> None:
    assert refused(Guard(), Host="127.0.0.1:8000", Origin="http://127.0.0.1:8000") is None
    link = {"Host": "127.0.0.1:8000", "Sec_Fetch_Site": "cross-site"}
    assert refused(Guard(), **link, Sec_Fetch_Mode="navigate") is None
    assert refused(Guard(), **link, Sec_Fetch_Mode="no-cors") == 403


def test_a_token_or_the_cookie_of_this_server_opens_it() -> None:
    guard = Guard(TOKEN)
    assert refused(guard, Host="localhost") == 401
    assert refused(guard, TOKEN, Host="localhost") is None
    assert refused(guard, None, guard.cookie, Host="localhost") is None
    for wrong in (TOKEN[:-1], TOKEN + "x", "", "é" * 20, "x" * 1_000_000, guard.cookie):
        assert refused(guard, wrong, Host="localhost") == 401
    assert refused(guard, None, TOKEN, Host="localhost") == 401, "the cookie is another secret"
    assert refused(guard, None, Guard(TOKEN).cookie, Host="localhost") == 401, "cookies die with their server"
    assert refused(guard, TOKEN, Host="evil.com") == 421 and not Guard(None).opens("")


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False),
     ("10.0.0.1", False), ("gpu-07", False), ("127.0.0.1.evil.com", False), ("", False)],
)  # fmt: skip
def test_only_loopback_needs_no_token(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
    assert (token_of(parsed("--host", host), {}) is None) is loopback


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    configure(parser)
    return parser.parse_args(words)


def test_made_tokens_are_long_and_never_the_same() -> None:
    tokens = {token_of(parsed("--token"), {}) for _ in range(50)}
    assert len(tokens) == 50 and all(len(token or "") >= 40 for token in tokens)


def test_a_token_comes_from_a_file_for_one_or_from_a_variable(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    file.chmod(0o600)
    assert token_of(parsed("--token-file", str(file)), {}) == TOKEN
    assert token_of(parsed("--token-env", "SECRET"), {"SECRET": TOKEN}) == TOKEN


@pytest.mark.parametrize("content", [b"", b"short", b"two words of a token", b"\xff" * 40, b"x" * 600, b"a\nb" * 9])
def test_weak_and_odd_tokens_are_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(BadInput):
        token_of(parsed("--token-file", str(file)), {})


def test_a_token_file_for_all_to_read_is_refused_and_a_missing_one_is_said(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    file.chmod(0o644)
    with pytest.raises(BadInput, match="chmod 600"):
        token_of(parsed("--token-file", str(file)), {})
    with pytest.raises(BadInput, match="no such file"):
        token_of(parsed("--token-file", str(tmp_path / "no")), {})
    with pytest.raises(BadInput, match="not set"):
        token_of(parsed("--token-env", "NOWHERE"), {})


def test_every_word_of_the_command_is_quoted() -> None:
    line = command(parsed("--hardware", "$(reboot); `id` 'x'", "--data", "a b"))
    assert line.startswith("exec ") and "'$(reboot); `id` '\"'\"'x'\"'\"''" in line and "'a b'" in line


def test_names_of_hosts() -> None:
    assert [name_of(h) for h in ("A:1", "[::1]:80", "[", "user@b:2")] == ["a", "::1", "", "b"]
