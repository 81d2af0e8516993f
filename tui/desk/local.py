"""A desk answers tasks: values that can be sent elsewhere, called with what they need there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from planner.library import Library
    from tui.services import Progress, Services, Stopped

Found_co = TypeVar("Found_co", covariant=True)
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Tools:
    """What a task works with."""

    services: Services
    library: Library
    tell: Progress
    stopped: Stopped


class Task(Protocol[Found_co]):
    """A question with all of its inputs; the same value may be answered here or in another process."""

    def __call__(self, tools: Tools) -> Found_co: ...


def untold(done: int, total: int, text: str) -> None:
    """Nobody wants to know how far it is."""


def unstopped() -> bool:
    """Nobody stops it."""
    return False


class Desk:
    """Answers in the thread that asks: for tests, and where no second process can be had."""

    def __init__(self, services: Services, library: Callable[[], Library]) -> None:
        self._services, self._library = services, library

    def open(self) -> None:
        """Get ready for the first task."""

    def do(self, task: Task[Result], tell: Progress = untold, stopped: Stopped = unstopped) -> Result:
        """The task's result, or what it raises. A task that is stopped answers with what it has so far."""
        return task(Tools(self._services, self._library(), tell, stopped))

    def close(self) -> None:
        """No more tasks."""
