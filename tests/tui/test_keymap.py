"""Keys bound anew: what can be used is, the rest is said with the nearest name and never stops the app."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs import make_keys
from tests.tui.conftest import app_on, running, until
from tui.key_catalogue import declared_keys
from tui.keymap import Keymap, keymap_of, long_name, read_keymap

KNOWN = declared_keys()


def keymap(**keys: object) -> Keymap:
    return keymap_of({"keys": {name.replace("__", "."): value for name, value in keys.items()}}, KNOWN)


def test_keys_are_taken_in_short_and_long_names() -> None:
    found = keymap(app__pin="ctrl+k", walk__explain="?, f2", walk__next="space")
    assert found == Keymap({"app.pin": "ctrl+k", "walk.explain": "question_mark,f2", "walk.next": "space"})
    assert [long_name(k) for k in ("?", "/", "ctrl+/", "a", "A", "+", "CTRL+k")] == [
        "question_mark", "slash", "ctrl+slash", "a", "A", "plus", "ctrl+k"]  # fmt: skip


@pytest.mark.parametrize(
    ("id_", "value", "said"),
    [
        ("app.pinn", "k", "nearest: app.pin"),
        ("x" * 10_000, "k", "is no key of the app"),
        ("app.interrupt", "k", "is no key of the app"),
        ("app.pin", "ctl+k", "is no key"),
        ("app.pin", "ctrl+entr", "nearest: enter"),
        ("app.pin", "", "write its keys as text"),
        ("app.pin", 7, "write its keys as text"),
        ("app.pin", ["a"], "write its keys as text"),
        ("app.pin", "a,b,c,d,e,f,g,h,i,j", "more than 8"),
        ("app.pin", "\x1b[2J", "is no key"),
        ("app.pin", "u", "app.undo"),
    ],
)
def test_what_cannot_be_used_is_said_and_keeps_its_default(id_: str, value: object, said: str) -> None:
    found = keymap_of({"keys": {id_: value, "walk.next": "space"}}, KNOWN)
    assert found.keys == {"walk.next": "space"}
    assert len(found.problems) == 1 and said in found.problems[0] and "\x1b" not in found.problems[0]


def test_two_keys_may_be_swapped_and_three_that_meet_may_not() -> None:
    assert keymap(app__pin="u", app__undo="p").problems == ()
    found = keymap(app__pin="k", app__undo="k", app__simulate="k")
    assert len(found.problems) == 2 and len(found.keys) == 1


def test_the_same_key_in_another_place_is_no_clash() -> None:
    assert keymap(hardware__save="x").problems == ()


@pytest.mark.parametrize("content", [b"", b"[keys", b"\xff", b"keys = 7", b"[other]\na = 1", b"x" * 100_000])
def test_a_file_that_is_none_is_a_problem_and_no_crash(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "keys.toml").write_bytes(content)
    found = read_keymap(tmp_path / "keys.toml", KNOWN)
    assert not found.keys and found.problems


async def test_the_app_takes_the_users_keys_and_says_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deploy-planner").mkdir()
    (tmp_path / "deploy-planner" / "keys.toml").write_text('[keys]\n"walk.next" = "z"\n"app.pinn" = "k"\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    app = app_on()
    async with running(app) as pilot:
        await until(pilot, lambda: any("app.pinn" in n.message for n in app._notifications))
        await pilot.press("z")
        await pilot.pause()
        assert app.walk.step == "model"
        await pilot.press("n")
        await pilot.pause()
        assert app.walk.step == "model", "the default is gone"


def test_the_page_of_keys_is_what_the_app_has() -> None:
    """Run ``python -m docs.make_keys`` when this fails."""
    assert make_keys.PAGE.read_text(encoding="utf-8") == make_keys.keys_text()
