"""mlx-lm's server on Apple silicon."""

from __future__ import annotations

from planner.export.target import Context, Target
from planner.export.targets.engine import engine_files

TARGET = Target(
    name="mlx",
    about="mlx_lm.server: start script, environment",
    engines=("mlx",),
    main="serve.sh",
)


def render(context: Context) -> dict[str, str]:
    """``serve.sh`` and ``env``."""
    return engine_files(context)
