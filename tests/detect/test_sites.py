"""Hardware kept under names: round trips, hostile names, files that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.detect.spec import inventory_from_spec
from planner.errors import BadInput, UnknownName
from planner.library import Library
from planner.sites import load_site, remove_site, save_site, saved_sites, sites_folder

DB = Library().database
H200 = inventory_from_spec("8xH200", DB)


def test_several_sites_are_kept_listed_read_and_removed(tmp_path: Path) -> None:
    for name in ("lab", "gpu-07.example"):
        save_site(name, H200, tmp_path / "sites")
    assert [site.name for site in saved_sites(tmp_path / "sites")] == ["gpu-07.example", "lab"]
    back = load_site("lab", tmp_path / "sites", DB)
    assert back.nodes == H200.nodes and back.origin == "file"
    assert remove_site("lab", tmp_path / "sites") and not remove_site("lab", tmp_path / "sites")
    assert saved_sites(tmp_path / "nowhere") == ()


def test_a_name_that_is_taken_is_kept_unless_it_may_go(tmp_path: Path) -> None:
    save_site("lab", H200, tmp_path)
    with pytest.raises(BadInput, match="exists already"):
        save_site("lab", H200, tmp_path)
    save_site("lab", inventory_from_spec("4xH100", DB), tmp_path, overwrite=True)
    assert len(load_site("lab", tmp_path, DB).nodes[0].devices) == 4


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "/etc/passwd", "a\x00b", "x" * 65, "-rf", "a b", "ä", ".hid"]
)
def test_nothing_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    for call in (lambda: save_site(name, H200, tmp_path), lambda: load_site(name, tmp_path, DB),
                 lambda: remove_site(name, tmp_path)):  # fmt: skip
        with pytest.raises(BadInput, match="no name"):
            call()
    assert not list(tmp_path.iterdir())


def test_a_name_nobody_kept_has_its_nearest(tmp_path: Path) -> None:
    save_site("laboratory", H200, tmp_path)
    with pytest.raises(UnknownName, match="laboratory"):
        load_site("labratory", tmp_path, DB)


@pytest.mark.parametrize("content", [b"", b"{}", b"[1", b"\xff", b'{"nodes": 7}'])
def test_a_file_that_is_no_site_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "lab.json").write_bytes(content)
    with pytest.raises(BadInput):
        load_site("lab", tmp_path, DB)


def test_strangers_in_the_folder_are_passed_over(tmp_path: Path) -> None:
    for name in ("notes.txt", "..json", "a b.json", "lab.json"):
        (tmp_path / name).write_text("{}")
    assert [site.name for site in saved_sites(tmp_path)] == ["lab"]


def test_the_folder_is_the_users() -> None:
    assert sites_folder({"XDG_CONFIG_HOME": "/c"}) == Path("/c/deploy-planner/sites")
    with pytest.raises(BadInput, match="no home"):
        sites_folder({})
