"""The session without a toolkit: history, stale answers, requests."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.documents.inventory import Inventory, Node
from planner.documents.result import PlanDocument
from tui.session import MAX_HISTORY, Draft, Session

INVENTORY = Inventory(nodes=(Node(),))


def plan() -> PlanDocument:
    return PlanDocument(verdict="does-not-fit", request={}, inventory={})


def test_undo_and_redo_walk_the_history() -> None:
    session = Session(Draft(users=1))
    for users in (2, 3):
        assert session.change(replace(session.draft, users=users))
    assert session.undo() and session.draft.users == 2
    assert session.undo() and session.draft.users == 1
    assert not session.undo()
    assert session.redo() and session.redo() and session.draft.users == 3
    assert not session.redo()


def test_a_change_after_undo_forgets_what_was_undone() -> None:
    session = Session(Draft(users=1))
    session.change(replace(session.draft, users=2))
    session.undo()
    session.change(replace(session.draft, users=9))
    assert not session.redo()
    assert session.draft.users == 9


def test_no_change_is_no_step_and_history_is_bounded() -> None:
    session = Session(Draft(users=1))
    assert not session.change(Draft(users=1))
    for users in range(2, 3 * MAX_HISTORY):
        session.change(replace(session.draft, users=users))
    assert len(session.done) <= MAX_HISTORY + 1


def test_an_answer_to_an_older_draft_is_dropped() -> None:
    session = Session(Draft(inventory=INVENTORY))
    old = session.draft
    session.change(replace(old, users=99))
    assert not session.answer(old, plan())
    assert session.plan is None
    assert session.answer(session.draft, plan())
    assert session.current and session.best is None


def test_the_request_carries_every_input() -> None:
    draft = Draft(INVENTORY, users=7, isl=11, osl=13, prefix_percent=50, ttft_ms=None, tpot_ms=40, model="m")
    request = draft.request()
    assert request.models == ("m",)
    assert (request.workload.concurrency, request.workload.isl, request.workload.osl) == (7, 11, 13)
    assert request.workload.prefix_hit_rate == 0.5
    level = request.workload.service_level
    assert level is not None and level.ttft_s is None and level.tpot_s == pytest.approx(0.04)


def test_no_request_before_there_is_hardware() -> None:
    with pytest.raises(ValueError, match="no hardware"):
        Draft().request()


def test_a_number_by_hand_makes_the_preset_custom() -> None:
    draft = Draft(preset="chat").with_number("isl", 5)
    assert (draft.preset, draft.isl) == ("custom", 5)
