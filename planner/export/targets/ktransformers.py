"""KTransformers: SGLang with the experts on the CPU."""

from __future__ import annotations

from planner.export.target import Context, Target
from planner.export.targets.engine import engine_files

TARGET = Target(
    name="ktransformers",
    about="KTransformers (SGLang with --kt-*): start script, environment",
    engines=("ktransformers",),
    main="serve.sh",
)


def render(context: Context) -> dict[str, str]:
    """``serve.sh`` and ``env``."""
    return engine_files(context)
