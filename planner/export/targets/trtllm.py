"""TensorRT-LLM's server: start script, environment, extra YAML."""

from __future__ import annotations

from planner.export.engines.trtllm import extra_yaml
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
    """``serve.sh``, ``env``, ``extra.yaml``."""
    return {**engine_files(context), context.runtime.extra_file: extra_yaml(context)}
