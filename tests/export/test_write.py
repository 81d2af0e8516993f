"""Bundles on disk: whole or not at all, nothing outside the folder, nothing lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path

import pytest

from planner.clock import today
from planner.errors import BadInput
from planner.export.bundle import Bundle, render_bundle
from planner.export.write import write_bundle
from tests.export.deployments import shape


def bundle(text: str = "new", *names: str) -> Bundle:
    files = {name: f"{text}\n" for name in (*names, "a/serve.sh", "README.md")}
    manifest = {"files": [{"path": p} for p in files]}
    return Bundle({**files, "MANIFEST.json": json.dumps(manifest)})


def tree(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): p.read_text() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_new_folder_holds_the_bundle_and_nothing_else(tmp_path: Path) -> None:
    real = render_bundle(shape("vllm-r1"), ["vllm", "kubernetes"])
    place = tmp_path / "deep" / "out"
    written = write_bundle(place, real)
    assert tree(place) == dict(real.files)
    assert set(written) == {place / p for p in real.files}
    assert (place / "vllm" / "serve.sh").stat().st_mode & 0o777 == 0o755
    assert (place / "vllm" / "env").stat().st_mode & 0o777 == 0o644
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["out"]


def test_an_earlier_bundle_is_kept_without_force_and_replaced_with_it(tmp_path: Path) -> None:
    place = tmp_path / "out"
    write_bundle(place, bundle("old", "gone.txt"))
    before = tree(place)
    with pytest.raises(BadInput, match="--force"):
        write_bundle(place, bundle())
    assert tree(place) == before
    write_bundle(place, bundle(), overwrite=True)
    assert tree(place) == dict(bundle().files)
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("force", [False, True])
def test_files_of_others_are_never_touched(tmp_path: Path, force: bool) -> None:
    place = tmp_path / "out"
    write_bundle(place, bundle("old"))
    (place / "notes.txt").write_text("mine")
    before = tree(place)
    with pytest.raises(BadInput, match=r"notes\.txt"):
        write_bundle(place, bundle(), overwrite=force)
    assert tree(place) == before


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write_bundle(tmp_path / "out", bundle())
    assert tree(tmp_path / "out") == dict(bundle().files)


@pytest.mark.parametrize("name", [".", "..", "file", "link", "dangling"])
def test_places_that_are_no_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "other").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "other")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput):
        write_bundle(Path(name), bundle(), overwrite=True)
    assert (tmp_path / "file").read_text() == "x" and not list((tmp_path / "other").iterdir())
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("path", ["../out", "/tmp/x", "a/../../x"])
def test_nothing_lands_outside(tmp_path: Path, path: str) -> None:
    with pytest.raises(BadInput):
        write_bundle(tmp_path / "out", Bundle({path: "x"}))
    assert not list(tmp_path.rglob("x")) and not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadInput):
        write_bundle(tmp_path / "file" / "out", bundle())
    with pytest.raises(BadInput):
        write_bundle(tmp_path / ("n" * 300), bundle())


KILLED = """
    import os, sys
    from pathlib import Path
    from planner.export import write
    from tests.export.test_write import bundle
    point = int(sys.argv[2])
    count = 0
    EVENTS = ("os.rename", "os.chmod", "open", "shutil.rmtree", "ctypes.call_function")
    def trap(event, args):
        global count
        if event in EVENTS and sys.argv[1] in str(args):
            count += 1
            if count == point:
                os.kill(os.getpid(), 9)
    sys.addaudithook(trap)
    write.write_bundle(Path(sys.argv[1]) / "out", bundle("new", "more.txt"), overwrite=True)
"""


@pytest.mark.parametrize("point", [1, 4, 8, 9, 10, 11])
def test_a_kill_at_any_moment_leaves_the_old_state_or_the_new(tmp_path: Path, point: int) -> None:
    write_bundle(tmp_path / "out", bundle("old"))
    code = textwrap.dedent(KILLED)
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), str(point)], check=False, cwd=Path.cwd(), timeout=60
    )
    assert done.returncode in (0, -signal.SIGKILL)
    assert tree(tmp_path / "out") in (dict(bundle("old").files), dict(bundle("new", "more.txt").files))
    write_bundle(tmp_path / "out", bundle("newer"), overwrite=True)
    assert tree(tmp_path / "out") == dict(bundle("newer").files)


def test_a_full_disk_leaves_the_old_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_bundle(tmp_path / "out", bundle("old"))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BadInput, match="No space"):
        write_bundle(tmp_path / "out", bundle("new"), overwrite=True)
    assert tree(tmp_path / "out") == dict(bundle("old").files)
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(("said", "date"), [("0", "1970-01-01"), ("1700000000", "2023-11-14")])
def test_a_fixed_date_gives_the_same_bytes(said: str, date: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """reproducible-builds.org, SOURCE_DATE_EPOCH."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", said)
    first, second = (render_bundle(shape("vllm-r1"), ["vllm", "toml"], []).files for _ in range(2))
    assert first == second and f'date = "{date}"' in first["deployment.toml"]


@pytest.mark.parametrize("said", ["", "soon", "-1", "9" * 30])
def test_a_date_that_is_none_is_today(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", said)
    assert today() == datetime.now(UTC).date().isoformat()
