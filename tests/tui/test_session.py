"""The session without a toolkit: history, stale answers, requests."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.documents.inventory import Inventory, Node
from planner.documents.result import PlanDocument
from planner.presets import presets
from tui.draft import Draft
from tui.session import MAX_HISTORY, MAX_MARKED, Session

INVENTORY = Inventory(nodes=(Node(),))


def plan() -> PlanDocument:
    return PlanDocument(verdict="does-not-fit", request={}, inventory={})


def planned(session: Session) -> None:
    """Answer the draft as it stands."""
    assert session.answer(session.draft, plan())


def test_undo_and_redo_walk_the_history() -> None:
    session = Session(Draft(users=1))
    for users in (2, 3):
        assert session.change({"users": users})
        planned(session)
    assert session.undo() and session.draft.users == 2
    assert session.undo() and session.draft.users == 1
    assert not session.undo()
    assert session.redo() and session.redo() and session.draft.users == 3
    assert not session.redo()


def test_a_slider_on_its_way_is_one_step_of_history() -> None:
    session = Session(Draft(users=1))
    planned(session)
    for users in (2, 3, 4):
        session.change({"users": users})
    session.change({"isl": 5000})
    assert session.undo() and (session.draft.users, session.draft.isl) == (4, Draft().isl)
    assert session.undo() and session.draft.users == 1


def test_a_change_after_undo_forgets_what_was_undone() -> None:
    session = Session(Draft(users=1))
    session.change({"users": 2})
    session.undo()
    session.change({"users": 9})
    assert not session.redo()
    assert session.draft.users == 9


def test_no_change_is_no_step_and_history_is_bounded() -> None:
    session = Session(Draft(users=1))
    assert not session.change({"users": 1})
    for users in range(2, 3 * MAX_HISTORY):
        session.change({"users": users})
        planned(session)
    assert len(session.done) <= MAX_HISTORY + 1


def test_an_answer_to_an_older_draft_is_dropped() -> None:
    session = Session(Draft(inventory=INVENTORY))
    old = session.draft
    session.change({"users": 99})
    assert not session.answer(old, plan())
    assert not session.fail(old, "why")
    assert session.plan is None and session.failure is None
    assert session.answer(session.draft, plan())
    assert session.current and session.best is None


def test_a_failure_ends_with_the_next_change() -> None:
    session = Session(Draft(inventory=INVENTORY))
    assert session.fail(session.draft, "no such model")
    session.change({"model": None, "users": 4})
    assert session.failure is None


def test_the_request_carries_every_input() -> None:
    draft = Draft(
        INVENTORY, users=7, isl=11, osl=13, prefix_percent=50, tpot_ms=40, model="m", engine="vllm", weights="fp8"
    )
    request = draft.request()
    assert (request.models, request.engines, request.weights) == (("m",), ("vllm",), ("fp8",))
    assert (request.workload.concurrency, request.workload.isl, request.workload.osl) == (7, 11, 13)
    assert request.workload.prefix_hit_rate == 0.5
    level = request.workload.service_level
    assert level is not None and level.ttft_s is None and level.tpot_s == pytest.approx(0.04)


def test_each_way_to_state_a_load_reaches_the_planner_alone() -> None:
    users = Draft(INVENTORY, load="users", users=None, rate=30).request().workload
    rate = Draft(INVENTORY, load="rate", users=5, rate=30).request().workload
    full = Draft(INVENTORY, load="full", users=5).request().workload
    assert (users.concurrency, users.request_rate, users.saturated) == (None, None, False)
    assert (rate.concurrency, rate.request_rate) == (None, 0.5)
    assert (full.concurrency, full.request_rate, full.saturated) == (None, None, True)


def test_no_request_before_there_is_hardware() -> None:
    with pytest.raises(ValueError, match="no hardware"):
        Draft().request()


@pytest.mark.parametrize("name", list(presets()))
def test_a_preset_sets_what_it_says_and_reaches_the_planner(name: str) -> None:
    preset = presets()[name]
    draft = Draft(INVENTORY).with_preset(preset)
    request = draft.request()
    assert draft.preset == name
    assert request.max_model_len == preset.max_model_len
    assert replace(request.workload, concurrency=None) == replace(
        preset.workload, service_level=request.workload.service_level
    )
    if preset.workload.service_level and preset.workload.service_level.tpot_s:
        assert request.workload.service_level is not None
        assert request.workload.service_level.tpot_s == pytest.approx(preset.workload.service_level.tpot_s)


def test_a_number_by_hand_makes_the_preset_custom_but_users_do_not() -> None:
    draft = Draft(preset="chat").changed({"isl": 5})
    assert (draft.preset, draft.isl) == ("custom", 5)
    assert Draft(preset="chat").changed({"users": 5}).preset == "chat"
    assert Draft(preset="chat").changed({"goal": "users"}).preset == "chat"


def test_at_most_four_plans_are_marked_and_marking_again_lets_go() -> None:
    session = Session()
    assert all(session.mark(index) for index in range(MAX_MARKED))
    assert not session.mark(MAX_MARKED)
    assert session.mark(0)
    assert session.marked == (1, 2, 3)
