"""What the engines' own targets share: a start script, its environment file, and the engine's configuration file."""

from __future__ import annotations

from planner.export.scripts import bare_environment, env_file, start_scripts
from planner.export.target import Context


def engine_files(context: Context) -> dict[str, str]:
    """``serve.sh`` (or one for each instance) and ``env``."""
    comment = "read by serve.sh; holds no secret"
    if context.runtime.key_variable:
        comment += f": export {context.runtime.key_variable} before the start to ask clients for a key"
    return {**start_scripts(context), "env": env_file(bare_environment(context), comment)}
