"""TensorRT-LLM's server: start script, environment, extra YAML."""

from __future__ import annotations

from planner.export.container import extra_files
from planner.export.target import Context, Target
from planner.export.targets.engine import engine_files

TARGET = Target(
    name="trtllm",
    about="trtllm-serve: start script, environment, extra YAML",
    engines=("trtllm",),
    platforms=("nvidia",),
    main="serve.sh",
)


def render(context: Context) -> dict[str, str]:
    """``serve.sh``, ``env``, and ``extra.yaml`` where the release reads one."""
    return engine_files(context) | extra_files(context)
