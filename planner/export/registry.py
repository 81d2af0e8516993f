"""Which targets there are: names and the modules that hold them, imported when asked for."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any, cast

from planner.errors import UnknownName
from planner.export.target import Context, Render, Target, unsuitable

MODULES: dict[str, str] = {
    "toml": "planner.export.targets.toml",
    "vllm": "planner.export.targets.vllm",
    "sglang": "planner.export.targets.sglang",
    "trtllm": "planner.export.targets.trtllm",
    "llama.cpp": "planner.export.targets.llamacpp",
    "ktransformers": "planner.export.targets.ktransformers",
    "ollama": "planner.export.targets.ollama",
    "mlx": "planner.export.targets.mlx",
    "mindie": "planner.export.targets.mindie",
    "docker-compose": "planner.export.targets.docker_compose",
    "docker-run": "planner.export.targets.docker_run",
    "kubernetes": "planner.export.targets.kubernetes",
    "lws": "planner.export.targets.lws",
    "kserve": "planner.export.targets.kserve",
    "helm-values": "planner.export.targets.helm_values",
    "ray-serve": "planner.export.targets.ray_serve",
    "slurm": "planner.export.targets.slurm",
    "systemd": "planner.export.targets.systemd",
    "bench": "planner.export.targets.bench",
    "axolotl": "planner.export.trainers.axolotl",
    "llama-factory": "planner.export.trainers.llama_factory",
    "trl": "planner.export.trainers.trl",
    "deepspeed": "planner.export.trainers.deepspeed",
    "megatron": "planner.export.trainers.megatron",
}
"""Target → its module."""


def target(name: str) -> Target:
    """A target by name. Raises UnknownName with the nearest ones."""
    return cast(Target, _module(name).TARGET)


def render(name: str, context: Context) -> dict[str, str]:
    """The files of one target, relative path → text."""
    return cast(Render, _module(name).render)(context)


def targets() -> Iterator[Target]:
    """All targets in the registry's order."""
    return (target(name) for name in MODULES)


def applicable(context: Context) -> list[str]:
    """Names of the targets that suit a deployment."""
    return [t.name for t in targets() if unsuitable(t, context) is None]


def _module(name: str) -> Any:
    if name not in MODULES:
        from difflib import SequenceMatcher

        distance = {known: 1 - SequenceMatcher(None, name[:100], known).ratio() for known in MODULES}
        nearest = sorted(distance.items(), key=lambda item: (item[1], item[0]))[:3]
        raise UnknownName("target", name[:100], tuple((n, round(d, 3)) for n, d in nearest))
    return importlib.import_module(MODULES[name])
