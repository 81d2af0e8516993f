"""Ollama: a Modelfile, its environment, scripts to create and serve the model."""

from __future__ import annotations

from planner.errors import BadInput
from planner.export.emit.shell import script, shell_word
from planner.export.engines.llamacpp import whole_context
from planner.export.scripts import LOAD_ENV, env_file
from planner.export.target import Context, Target

TARGET = Target(
    name="ollama",
    about="Modelfile, environment, create and serve scripts",
    engines=("ollama",),
    multi_node=False,
    main="Modelfile",
)
_KV_TYPES = {"fp16": "f16", "bf16": "f16", "q8_0": "q8_0", "q4_0": "q4_0"}
_ALL_LAYERS = 999


def render(context: Context) -> dict[str, str]:
    """``Modelfile``, ``env``, ``create.sh``, ``serve.sh``."""
    return ollama_files(context)


def ollama_files(context: Context) -> dict[str, str]:
    """The same for other targets."""
    serve = script(*LOAD_ENV, "exec ollama serve", comment=f"ollama {context.resolved.engine.version}")
    name = shell_word(model_name(context))
    create = script(*LOAD_ENV, f'exec ollama create {name} --file "$here/Modelfile"', comment="once, while it serves")
    env = env_file(environment(context), "read by the scripts; holds no secret")
    return {"Modelfile": modelfile(context), "env": env, "create.sh": create, "serve.sh": serve}


def model_name(context: Context) -> str:
    """Ollama's names are lower case, with a tag."""
    tag = (context.deployment.model.weights or "").removeprefix("gguf:").lower()
    kept = "".join(c for c in tag if c.isalnum() or c in "._-")
    return f"{context.location.label}:{kept or 'latest'}"


def modelfile(context: Context) -> str:
    """FROM and PARAMETER lines; a path with a quote or a line break has no way into this format and is refused."""
    path, serving = context.location.path, context.resolved.serving
    if '"' in path or "\n" in path:
        raise BadInput("model.path", f"cannot stand in a Modelfile: {path[:80]!r}", "rename the file")
    lines = [f'FROM "{path}"' if " " in path or "#" in path else f"FROM {path}"]
    lines.append(f"PARAMETER num_ctx {whole_context(context) // max(1, serving.parallel)}")
    asked = context.deployment.serving.n_gpu_layers if context.deployment.serving else None
    if asked is not None:
        lines.append(f"PARAMETER num_gpu {_ALL_LAYERS if asked == 'all' else asked}")
    lines.append(f"PARAMETER num_batch {serving.max_num_batched_tokens}")
    return "\n".join(lines) + "\n"


def environment(context: Context) -> dict[str, str]:
    """Server settings (envconfig/config.go)."""
    serving, options = context.resolved.serving, context.options
    port = options.port or context.runtime.port
    found = {
        **context.runtime.environment,
        "OLLAMA_HOST": f"{options.listen or '127.0.0.1'}:{port}",
        "OLLAMA_CONTEXT_LENGTH": str(whole_context(context) // max(1, serving.parallel)),
        "OLLAMA_NUM_PARALLEL": str(serving.parallel),
        "OLLAMA_FLASH_ATTENTION": "1" if serving.flash_attention else "0",
        "OLLAMA_KV_CACHE_TYPE": _KV_TYPES.get(serving.kv_cache_dtype, "f16"),
        "OLLAMA_MAX_LOADED_MODELS": "1",
        "OLLAMA_KEEP_ALIVE": "-1",
        "OLLAMA_LOAD_TIMEOUT": f"{context.timing.patience_s}s",
        "OLLAMA_NOPRUNE": "1",
    }
    if context.layout.gpus_per_instance > 1:
        found["OLLAMA_SCHED_SPREAD"] = "1"
    return found
