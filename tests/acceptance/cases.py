"""What the real tools are given: every shape and every answer of every example, at the release that the tool is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from planner.documents.deployment import Deployment
from planner.export.command import bare_place, command_of
from planner.export.emit.words import substituted
from planner.export.node import by_variables
from planner.export.prepare import prepare
from planner.export.registry import applicable, render
from planner.export.target import Context, Options
from tests.export.deployments import IMAGE, NETWORK, SHAPES, library, shape
from tests.export.examples import DOCUMENTS, ENDS, PLANS, at_version, contexts, deployments

VALUES = {"NODE_RANK": "1", "HEAD_ADDRESS": "10.0.0.1"}
"""What the shell would put for the variables of one node of several."""
OPERATOR = {**VALUES, "RENDER_GID": "109", "SGLANG_API_KEY": "k", "VLLM_API_KEY": "k", "LLAMA_API_KEY": "k"}
"""What the operator sets before a start."""


@dataclass(frozen=True, eq=False)
class Case:
    """One command, and the deployment that it carries."""

    name: str
    context: Context
    words: tuple[str, ...]
    follower: bool = False


@cache
def every_deployment() -> dict[str, Deployment]:
    """Shapes and examples by name."""
    found = {name: shape(name).deployment for name in SHAPES}
    for example in (*PLANS, *DOCUMENTS):
        found |= {f"{example.stem}[{i}]": d for i, d in enumerate(deployments(example))}
    return found


ALIKE = {"vllm": ("vllm", "sglang"), "sglang": ("sglang", "vllm")}
"""Engines whose deployments say the same things: what was planned for one is tried with the other too."""


@cache
def commands(engine: str, version: str) -> tuple[Case, ...]:
    """The commands of an engine at a release, of the leader and of a follower where there are several nodes."""
    cases: list[Case] = []
    for name, deployment in every_deployment().items():
        planned_for = deployment.engine.name if deployment.engine and deployment.finetune is None else None
        if planned_for not in ALIKE.get(engine, (engine,)):
            continue
        options = Options(image=IMAGE, **NETWORK)
        exported = prepare(at_version(deployment, version, engine), library(), options)
        for follower in (False, True) if exported.layout.multi_node else (False,):
            command = command_of(exported, bare_place(exported), by_variables(follower))
            words = tuple(substituted(word, VALUES) for word in command.arguments)
            cases.append(Case(f"{name}{' follower' if follower else ''}", exported, words, follower))
    return tuple(cases)


def rendered(kind: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Files of one target for every shape and every example at both ends of its engine."""
    for name in SHAPES:
        if kind in applicable(shape(name)):
            yield name, render(kind, shape(name))
    for example in (*PLANS, *DOCUMENTS):
        for end in ENDS:
            for i, exported in enumerate(_kept(example.stem, end)):
                if kind in applicable(exported):
                    yield f"{example.stem}-{i}-{end}", render(kind, exported)


@cache
def _kept(stem: str, end: str) -> tuple[Context, ...]:
    example = next(p for p in (*PLANS, *DOCUMENTS) if p.stem == stem)
    return tuple(contexts(example, end))
