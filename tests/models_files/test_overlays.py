"""Where the user's own data is looked for."""

from __future__ import annotations

import os

import pytest

from planner.errors import BadInput
from planner.overlays import VARIABLE, find_overlays, overlays_in_use


@pytest.fixture
def folders(tmp_path):
    made = {}
    for name in ("option", "first", "second", "home/.config/deploy-planner"):
        folder = tmp_path / name
        (folder / "models").mkdir(parents=True)
        (folder / "models" / "x.toml").write_text("")
        made[name] = folder
    return made


def test_order_and_origin(folders, tmp_path):
    environment = {
        VARIABLE: os.pathsep.join((str(folders["first"]), str(folders["second"]))),
        "HOME": str(tmp_path / "home"),
    }
    used = overlays_in_use([folders["option"]], environment)
    assert [o.origin for o in used] == ["user folder", "environment", "environment", "option"]
    assert used[-1].path == folders["option"]
    assert dict(used[0].files) == {"models": 1}
    assert "1 models" in str(used[0])
    assert find_overlays([folders["option"]], environment) == tuple(o.path for o in used)


def test_nothing_set_is_nothing_used(tmp_path):
    assert find_overlays((), {"HOME": str(tmp_path)}) == ()
    assert find_overlays((), {}) == ()


def test_xdg_wins_over_home(folders, tmp_path):
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "home/.config"), "HOME": "/nowhere"}
    assert find_overlays((), environment) == (folders["home/.config/deploy-planner"],)


@pytest.mark.parametrize("name", ["missing", "a\0b", "x" * 5000])
def test_a_named_directory_must_exist(tmp_path, name):
    with pytest.raises(BadInput, match="no such directory"):
        find_overlays([tmp_path / name], {})
    with pytest.raises(BadInput, match=VARIABLE):
        find_overlays((), {VARIABLE: str(tmp_path / name)})


def test_naming_a_directory_twice_counts_once(folders):
    environment = {VARIABLE: str(folders["first"])}
    assert find_overlays([folders["first"], folders["first"]], environment) == (folders["first"],)
