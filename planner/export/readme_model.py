"""Of a bundle's README: the program, what the model brings of its own, and the flags for chats."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner.export.target import Context


BARE = ("vllm", "sglang", "trtllm", "ktransformers", "mlx", "slurm", "systemd")
"""Targets that start a program of the machine."""


def program_note(context: Context, names: list[str]) -> list[str]:
    """That the engine must be there, and where a unit looks for it."""
    wheel = context.runtime.wheel
    if not wheel or not any(name in BARE for name in names):
        return []
    line = f"- {context.resolved.engine.name} {context.resolved.engine.version} on the `PATH` of whoever starts it"
    unit = (
        " (a unit looks in `/usr/local/bin` and `/usr/bin` only: add `PATH=…` to its `env` for a virtual environment)"
    )
    return [line + (unit if "systemd" in names else "") + "."]


def plain_inline(text: str) -> str:
    """Text from outside as one run of plain text."""
    return "".join(c if c.isprintable() and c not in "`<>[]*_#|\\" else "-" for c in text)[:200]


def before_the_start(context: Context) -> list[str]:
    """Lines for the list of what has to be done first."""
    habits, path = context.habits, context.location.path
    lines = []
    if habits.remote_code:
        lines.append(
            "- The model brings Python code of its own (tokenizer, configuration), and the engine is told to run it "
            "(trust remote code): read the `*.py` files beside the weights first."
        )
    if context.location.experts:
        lines.append(
            f"- Two sets of files: the GGUF of `{plain_inline(context.location.repository)}` in "
            f"`{plain_inline(context.location.experts)}` for the experts, the model's own checkpoint (configuration, "
            f"tokenizer, the other weights) in `{plain_inline(path)}`."
        )
    if habits.vocabulary is not None:
        place = plain_inline(f"{path}/{habits.vocabulary.folder}")
        lines.append(
            f"- Put {' and '.join(f'`{name}`' for name in habits.vocabulary.files)} from {habits.vocabulary.source} "
            f"into `{place}`: the engine fetches them at its start otherwise. `{habits.vocabulary.variable}` names "
            "the folder."
        )
    return lines


def chats(context: Context) -> str:
    """A section; empty where no flags are known."""
    if not context.habits.chat:
        return ""
    return (
        "## Chats\n\n"
        "Answers come as the model writes them, thoughts and tool calls in the text. These flags of the engine take "
        f"them out (its newest releases; check `--help` of yours):\n\n    {context.habits.chat}\n"
    )
