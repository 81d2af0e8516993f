"""SGLang's own server: start script and environment."""

from __future__ import annotations

from planner.export.target import Context, Target
from planner.export.targets.engine import engine_files

TARGET = Target(
    name="sglang",
    about="python -m sglang.launch_server: start script, environment",
    engines=("sglang",),
    main="serve.sh",
)


def render(context: Context) -> dict[str, str]:
    """``serve.sh`` and ``env``."""
    return engine_files(context)
