"""llama-server: start script and environment."""

from __future__ import annotations

from planner.export.target import Context, Target
from planner.export.targets.engine import engine_files

TARGET = Target(
    name="llama.cpp",
    about="llama-server: start script, environment",
    engines=("llama.cpp", "ik_llama.cpp"),
    main="serve.sh",
)


def render(context: Context) -> dict[str, str]:
    """``serve.sh`` and ``env``."""
    return engine_files(context)
