"""Long questions in a process of their own: the same answers, stopped, broken, lost, left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from planner.account.request import Assumptions
from planner.documents.result import PlanDocument
from planner.errors import PlannerError
from planner.presets import DEFAULT, preset
from tests.tui.conftest import LIBRARY, inventory_of
from tui.desk.away import Away
from tui.desk.local import Desk, Task, Tools
from tui.desk.tasks import AnswerTo, CostOf, CurveOf, FilesOf, FitOf, TooLarge
from tui.desk.turns import Turns
from tui.draft import Draft
from tui.services import Services

DRAFT = Draft(inventory=inventory_of("8xH200"), site="x", model="deepseek-ai/DeepSeek-R1").with_preset(preset(DEFAULT))
HERE = Desk(Services(), lambda: LIBRARY)


@dataclass(frozen=True)
class Process:
    """The id of the process that does it."""

    def __call__(self, tools: Tools) -> int:
        return os.getpid()


@dataclass(frozen=True)
class Raises:
    error: Exception

    def __call__(self, tools: Tools) -> None:
        raise self.error


class Unsendable(Exception):
    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


@dataclass(frozen=True)
class UnsendableError:
    def __call__(self, tools: Tools) -> None:
        raise Unsendable(1, 2)


@dataclass(frozen=True)
class Dies:
    """Ends its process, until a file exists."""

    until: Path
    always: bool = False

    def __call__(self, tools: Tools) -> str:
        if self.until.exists() and not self.always:
            return "survived"
        self.until.touch()
        os.kill(os.getpid(), signal.SIGKILL)
        return "never"


@dataclass(frozen=True)
class Waits:
    """Says that it began, and goes on until it is stopped."""

    def __call__(self, tools: Tools) -> str:
        tools.tell(1, 2, "begun")
        end = time.monotonic() + 60
        while not tools.stopped() and time.monotonic() < end:
            time.sleep(0.001)
        return "stopped" if tools.stopped() else "never stopped"


@pytest.fixture
def away() -> Iterator[Away]:
    found = Away(HERE, ())
    yield found
    found.close()


def test_answers_are_those_of_this_process(away: Away) -> None:
    plan = away.do(AnswerTo(DRAFT))
    assert isinstance(plan, PlanDocument) and plan == HERE.do(AnswerTo(DRAFT)) and plan.candidates
    best = plan.candidates[0]
    assert away.do(CurveOf(best)) == HERE.do(CurveOf(best))
    cost = CostOf(dict(best.deployment), Assumptions(years=4))
    assert away.do(cost) == HERE.do(cost)
    ours, theirs = away.do(FilesOf(best)), HERE.do(FilesOf(best))
    assert [t.files for t in ours.targets] == [t.files for t in theirs.targets]
    small = Draft(inventory=inventory_of("1xrtx-4090")).with_preset(preset(DEFAULT))
    assert away.do(TooLarge(small)) == HERE.do(TooLarge(small)) != frozenset()
    assert away.do(FitOf("meta-llama/Llama-3.1-8B-Instruct", small)).mark == "✓"


def test_one_other_process_does_it_all(away: Away) -> None:
    first = away.do(Process())
    assert first == away.do(Process()) != os.getpid()


def test_the_app_is_told_how_far_it_is_and_can_stop(away: Away) -> None:
    told: list[str] = []
    stop = threading.Event()

    def tell(done: int, total: int, text: str) -> None:
        told.append(text)
        stop.set()

    assert away.do(Waits(), tell, stop.is_set) == "stopped"
    assert told == ["begun"]
    assert away.do(Process()) != os.getpid(), "a stop of one task stops no other"


@pytest.mark.parametrize(
    ("task", "kind", "words"),
    [
        (AnswerTo(DRAFT.changed({"purpose": "tune", "model": None})), PlannerError, "step 2 has them"),
        (Raises(KeyError("x")), KeyError, "x"),
        (UnsendableError(), RuntimeError, "Unsendable: 1 and 2"),
    ],
)
def test_errors_come_back(away: Away, task: Task[object], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        away.do(task)
    assert away.do(Process()) != os.getpid()


def test_a_process_that_was_lost_is_started_again_once(away: Away, tmp_path: Path) -> None:
    assert away.do(Dies(tmp_path / "died")) == "survived"
    with pytest.raises(PlannerError, match="ended twice by itself"):
        away.do(Dies(tmp_path / "died", always=True))
    assert away.do(Process()) != os.getpid(), "the next task has a process again"


def test_without_a_second_process_it_is_done_here(away: Away, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(subprocess, "Popen", none)
    away.open()
    assert away.do(Process()) == os.getpid()


def test_closing_ends_what_is_being_done(away: Away) -> None:
    began, raised = threading.Event(), []

    def ask() -> None:
        try:
            away.do(Waits(), lambda *_: began.set())
        except PlannerError as error:
            raised.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    assert began.wait(20)
    away.close()
    thread.join(5)
    assert not thread.is_alive() and raised


LEAVES = """
import os, sys, threading
sys.path.insert(0, {root!r})
from tests.tui.test_desk import HERE, Away, Process, Waits
away = Away(HERE, ())
print(away.do(Process()), flush=True)
threading.Thread(target=lambda: away.do(Waits(), lambda *_: os.kill(os.getpid(), 9))).start()
"""


def test_it_ends_with_the_app_even_in_the_middle_of_its_work(tmp_path: Path) -> None:
    """And the folder in which the app was started lends it no modules."""
    (tmp_path / "tui.py").write_text("open('taken', 'w')")
    (tmp_path / "pickle.py").write_text("open('taken', 'w')")
    code = LEAVES.format(root=str(Path(__file__).parents[2]))
    left = subprocess.run(
        [sys.executable, "-P", "-c", code], check=False, capture_output=True, text=True, timeout=60, cwd=tmp_path
    )
    assert left.returncode == -signal.SIGKILL, left.stderr
    assert not (tmp_path / "taken").exists()
    child, end = Path(f"/proc/{int(left.stdout)}/stat"), time.monotonic() + 10
    while _alive(child) and time.monotonic() < end:
        time.sleep(0.02)
    assert not _alive(child)


def _alive(stat: Path) -> bool:
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_planning_there_leaves_this_process_alone(away: Away) -> None:
    """What a thread here costs the event loop: next to nothing against planning in it."""
    away.do(AnswerTo(DRAFT))
    asked = [DRAFT.changed({"users": users}) for users in range(50, 56)]
    start = time.thread_time()
    for draft in asked:
        HERE.do(AnswerTo(draft))
    here, start = time.thread_time() - start, time.thread_time()
    for draft in asked:
        away.do(AnswerTo(draft))
    there = time.thread_time() - start
    assert there < here / 4, (there, here)


def test_turns_are_taken_in_the_order_in_which_they_were_asked_for() -> None:
    turns, order = Turns(), []

    def take(name: str) -> None:
        with turns:
            order.append(name)

    threads = [threading.Thread(target=take, args=(name,)) for name in "abc"]
    with turns:
        for number, thread in enumerate(threads, 2):
            thread.start()
            while turns.drawn < number:
                time.sleep(0.001)
        order.append("first")
    with turns:
        order.append("last")
    for thread in threads:
        thread.join()
    assert order == ["first", "a", "b", "c", "last"]
