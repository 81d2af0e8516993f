"""The order of the questions. Back is always the question before; leaving is possible everywhere."""

from __future__ import annotations

from collections.abc import Callable

from tui.plain import answers, files, hardware, load, model
from tui.plain.ask import Choice, choose
from tui.plain.journey import Journey
from tui.plain.talk import Back

WELCOME = (
    "deploy-planner, plain mode: seven steps from this hardware to the files that start a deployment.\n"
    "Answer with a number or a word; Enter takes what is offered.\n"
    "? explains, b goes back, q quits."
)
FIRST, LAST = "hardware", "more"


def more(journey: Journey) -> str:
    """The end of the walk, from where it can begin again."""
    about = "The walk is done. It can start again with everything as it was answered."
    choices = (
        Choice("", "Leave"),
        Choice("export", "Write more files"),
        Choice(model.NEXT[journey.draft.purpose], "Change the inputs"),
        Choice(FIRST, "Start again from the hardware"),
    )
    return choose(journey.talk, "Done", choices, default="", about=about)


STEPS: dict[str, Callable[[Journey], str]] = {
    "hardware": hardware.hardware,
    "goal": hardware.goal,
    "model": model.model,
    "workload": load.workload,
    "job": load.job,
    "limits": load.limits,
    "proposals": answers.proposals,
    "export": files.export,
    "verify": files.verify,
    "more": more,
}


def walk(journey: Journey) -> None:
    """From the first question to leaving. Raises Quit, Ended and KeyboardInterrupt."""
    journey.talk.say(WELCOME)
    step, before = FIRST, list[str]()
    while step:
        try:
            onward = STEPS[step](journey)
        except Back:
            if not before:
                journey.talk.say("This is the first question: q quits.")
            step = before.pop() if before else FIRST
            continue
        if onward in before:
            before = before[: before.index(onward)]
        elif onward != step:
            before.append(step)
        step = onward
