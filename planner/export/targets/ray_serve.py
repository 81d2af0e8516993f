"""Ray Serve LLM: a serve config."""

from __future__ import annotations

from typing import Any

from planner.export.command import bare_place, command_of
from planner.export.emit.yaml import yaml_text
from planner.export.scripts import bare_environment
from planner.export.target import Context, Target
from planner.export.targets.vllm import config_values

TARGET = Target(
    name="ray-serve",
    about="Ray Serve LLM config (serve run config.yaml)",
    engines=("vllm",),
    platforms=("nvidia", "amd"),
    main="config.yaml",
)
_SERVED_BY_RAY = ("host", "port", "served-model-name")


def render(context: Context) -> dict[str, str]:
    """``config.yaml``."""
    application = {
        "name": context.location.label,
        "import_path": "ray.serve.llm:build_openai_app",
        "route_prefix": "/",
        "args": {"llm_configs": [_llm(context)]},
    }
    http = {"host": context.options.listen or "127.0.0.1", "port": context.options.port or context.runtime.port}
    comment = f"serve run config.yaml, with ray[llm] and vllm {context.resolved.engine.version} on every node"
    return {"config.yaml": yaml_text({"http_options": http, "applications": [application]}, comment=comment)}


def _llm(context: Context) -> dict[str, Any]:
    values = config_values(context, command_of(context, bare_place(context)))
    engine = {k.replace("-", "_"): v for k, v in values.items() if k not in _SERVED_BY_RAY}
    replicas = context.layout.instances
    scaling = {"min_replicas": replicas, "max_replicas": replicas}
    seconds = context.timing.patience_s
    return {
        "model_loading_config": {"model_id": context.location.served_name, "model_source": context.location.path},
        "engine_kwargs": engine,
        "deployment_config": {
            "autoscaling_config": scaling,
            "max_ongoing_requests": context.resolved.serving.max_num_seqs,
            "health_check_timeout_s": min(seconds, 600),
            "graceful_shutdown_timeout_s": 120,
        },
        "runtime_env": {"env_vars": bare_environment(context)},
    }
