"""vLLM's own server: start script, environment, configuration file."""

from __future__ import annotations

from typing import Any

from planner.engines.version import in_range
from planner.export.command import Command, bare_place, command_of
from planner.export.emit.words import literal
from planner.export.emit.yaml import yaml_text
from planner.export.flags.table import Flag, flag_table
from planner.export.target import Context, Target
from planner.export.targets.engine import engine_files

TARGET = Target(
    name="vllm",
    about="vllm serve: start script, environment, --config YAML",
    engines=("vllm", "vllm-ascend", "vllm-gaudi"),
    main="serve.sh",
)
_READS_CONFIG = ">=0.7"
"""Before, --config read switches as values."""


def render(context: Context) -> dict[str, str]:
    """``serve.sh``, ``env``, ``config.yaml``."""
    files = engine_files(context)
    release = context.resolved.engine.release
    if release is None or in_range(release, _READS_CONFIG):
        files["config.yaml"] = config_yaml(context)
    return files


def config_yaml(context: Context) -> str:
    """The flags of the command as the file that ``vllm serve MODEL --config FILE`` reads."""
    command = command_of(context, bare_place(context))
    comment = f"The flags of serve.sh for: vllm serve {context.location.path} --config config.yaml"
    return yaml_text(config_values(context, command), comment=comment)


def config_values(context: Context, command: Command) -> dict[str, Any]:
    """Long flag names without their dashes → values."""
    rows = flag_table(context.resolved.engine).rows
    return {flag.name.removeprefix("--"): _value(flag, rows[flag.option].kind) for flag in command.flags}


def _value(flag: Flag, kind: str) -> Any:
    if flag.value is None:
        return True
    text = literal(flag.value)
    return int(text) if kind == "int" else float(text) if kind in ("float", "gib") else text
