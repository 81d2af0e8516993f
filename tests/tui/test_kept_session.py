"""A session that was cut off goes on; one that was left does not; a file that cannot be trusted is refused."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from planner.errors import BadInput
from tests.tui.conftest import H200, LIBRARY, FakePlanner, inventory_of, running, settled, until
from tui.app import PlannerApp
from tui.draft import Draft
from tui.purposes import STEPS
from tui.services import Services
from tui.session_document import Kept, document_of, kept_of
from tui.session_file import SessionFile
from tui.terminal import forget_exported_size, state_folder

DETECTED = replace(inventory_of(H200), origin="detected")
FIRST = Draft(inventory=inventory_of(H200), site="8xH200 (simulated)")
KEPT = Kept((FIRST, FIRST.changed({"users": 7}), FIRST.changed({"users": 7, "model": "m"})), 1, "plans", "12:00", H200)


def app_in(folder: Path, *, fresh: bool = False, hardware: str | None = H200) -> PlannerApp:
    """The app with a session file, on hardware that it loads by name, or detects."""
    services = Services(
        library=lambda overlays: LIBRARY,
        detect=lambda library: DETECTED,
        load=lambda spec, library: inventory_of(spec),
        plan=FakePlanner().plan,
    )
    return PlannerApp(hardware, services=services, debounce_s=0.001, state=folder, fresh=fresh)


def test_a_document_gives_the_same_session_back() -> None:
    document = json.loads(json.dumps(document_of(KEPT)))
    assert kept_of(document, "file", STEPS) == KEPT
    assert len(document["inventories"]) == 1, "hardware that drafts share is written once"
    back = kept_of(document, "file", STEPS)
    assert back.done == [FIRST] and back.undone[-1].model == "m"


def changed(**changes: Any) -> dict[str, Any]:
    return json.loads(json.dumps(document_of(KEPT))) | changes


def with_input(**inputs: Any) -> dict[str, Any]:
    document = changed()
    document["drafts"][0] |= inputs
    return document


HOSTILE = [
    None, [], "x", 7, {}, {"schema": "deploy-planner/session/2"}, changed(at=3), changed(at=-1), changed(at=True),
    changed(at="0"), changed(step="../../x"), changed(step=None), changed(drafts=[]), changed(drafts="abc"),
    changed(drafts=[{}] * 300), changed(inventories=None), changed(inventories=[{"nodes": "x"}]),
    changed(saved="\x1b[2J"), changed(saved=None), changed(started_with=7), changed(started_with="x" * 2000),
    with_input(users=0), with_input(users=10**30), with_input(users="7"), with_input(users=True), with_input(isl=None),
    with_input(isl=1.5), with_input(model="\x1b]0;x\x07"), with_input(model="m" * 5000), with_input(model=["m"]),
    with_input(goal="rm -rf"), with_input(load=None), with_input(site=None), with_input(inventory=9),
    with_input(inventory=-1), with_input(inventory=True), with_input(unknown=1), with_input(ttft_ms=float("nan")),
]  # fmt: skip


@pytest.mark.parametrize("document", HOSTILE, ids=range(len(HOSTILE)))
def test_what_this_program_would_not_have_written_is_refused(document: object) -> None:
    with pytest.raises(BadInput):
        kept_of(document, "file", STEPS)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"null", b"1" * 5_000_000])
def test_a_file_that_is_none_is_refused_with_a_next_step(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "session.json").write_bytes(content)
    keeper = SessionFile(tmp_path)
    assert keeper.take()
    with pytest.raises(BadInput):
        keeper.read(STEPS)


def test_links_and_files_that_others_can_write_are_not_trusted(tmp_path: Path) -> None:
    keeper = SessionFile(tmp_path / "state")
    assert keeper.take()
    keeper.write(KEPT)
    keeper.path.chmod(0o666)
    with pytest.raises(BadInput, match="only you can write"):
        keeper.read(STEPS)
    keeper.path.rename(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").chmod(0o600)
    keeper.path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadInput, match="only you can write"):
        keeper.read(STEPS)


def test_a_second_app_neither_takes_nor_writes_the_session_of_the_first(tmp_path: Path) -> None:
    first, second = SessionFile(tmp_path), SessionFile(tmp_path)
    assert first.take() and not second.take()
    first.write(KEPT)
    second.write(replace(KEPT, saved="13:00"))
    second.forget()
    assert second.read(STEPS) is None
    kept = first.read(STEPS)
    assert kept is not None and kept.saved == "12:00"


def test_a_place_that_cannot_be_written_disturbs_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert not SessionFile(tmp_path / "file" / "state").take()
    keeper = SessionFile(tmp_path / "state")
    assert keeper.take()
    keeper.path.mkdir()
    (keeper.path / "x").mkdir()
    keeper.write(KEPT)


def test_the_folder_follows_the_environment() -> None:
    assert state_folder({"XDG_STATE_HOME": "/s", "HOME": "/h"}) == Path("/s/deploy-planner")
    assert state_folder({"XDG_STATE_HOME": "s", "HOME": "/h"}) == Path("/h/.local/state/deploy-planner")
    assert state_folder({}) is None


def test_a_size_from_before_is_kept_only_where_no_terminal_knows_better() -> None:
    environ = {"COLUMNS": "80", "LINES": "24", "HOME": "/h"}
    reader, writer = os.pipe()
    forget_exported_size(environ, writer)
    assert environ["COLUMNS"] == "80"
    os.close(reader), os.close(writer)


async def test_a_session_that_was_cut_off_goes_on_with_its_history_and_step(tmp_path: Path) -> None:
    app = app_in(tmp_path)
    async with running(app) as pilot:
        for users in (11, 12):
            app._change({"users": users})
            await settled(pilot)
        await pilot.press("4")
        await until(pilot, (tmp_path / "session.json").is_file)
        await until(pilot, lambda: '"step": "plans"' in (tmp_path / "session.json").read_text())
    app.left(129)
    again = app_in(tmp_path)
    again_keeper_free(app)
    async with running(again) as pilot:
        assert again.session.draft.users == 12
        await until(pilot, lambda: again.walk.step == "plans")
        assert "Your session goes on" in [n.title for n in again._notifications]
        await pilot.press("u")
        assert again.session.draft.users == 11
        await pilot.press("ctrl+r")
        assert again.session.draft.users == 12


def again_keeper_free(app: PlannerApp) -> None:
    """What the end of a process does: the lock goes."""
    assert app.keeper is not None and app.keeper._lock is not None
    app.keeper._lock.close()


async def kept_by_hand(folder: Path, kept: Kept) -> None:
    keeper = SessionFile(folder)
    assert keeper.take()
    keeper.write(kept)
    assert keeper._lock is not None
    keeper._lock.close()


async def test_detected_hardware_is_looked_at_again_and_the_inputs_come_back(tmp_path: Path) -> None:
    old = replace(DETECTED, nodes=DETECTED.nodes * 2)
    await kept_by_hand(tmp_path, Kept((Draft(inventory=old, users=33),), 0, "workload", "12:00", None))
    app = app_in(tmp_path, hardware=None)
    async with running(app):
        assert app.session.draft.users == 33 and app.session.draft.inventory == DETECTED
        assert not app.session.done


@pytest.mark.parametrize("case", ["fresh", "other hardware", "refused", "left"])
async def test_otherwise_a_session_begins_anew(tmp_path: Path, case: str) -> None:
    await kept_by_hand(tmp_path, replace(KEPT, started_with="4xH100" if case == "other hardware" else H200))
    if case == "refused":
        (tmp_path / "session.json").write_text("{}")
    if case == "left":
        leaving = SessionFile(tmp_path)
        assert leaving.take()
        leaving.forget()
        assert leaving._lock is not None
        leaving._lock.close()
    app = app_in(tmp_path, fresh=case == "fresh")
    async with running(app):
        assert app.session.draft.users is None and app.walk.step == "hardware"
        titles = [n.title for n in app._notifications]
        assert ("Session not taken up" in titles) == (case == "refused")
        assert all(not n.markup for n in app._notifications), "names from files are no markup"
    app.left(0)
    assert not (tmp_path / "session.json").exists()
