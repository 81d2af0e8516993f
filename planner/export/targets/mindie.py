"""MindIE's service: what the plan says of its config.json, laid over the installation's own at the start.

MindIE reads one complete configuration, with keys that its releases add. ``plan.json`` holds those that the plan
decides; ``serve.sh`` puts them over the file that came with the installation and names the result.
"""

from __future__ import annotations

import json
from typing import Any

from planner.export.container import port_of
from planner.export.emit.shell import script
from planner.export.scripts import LOAD_ENV, bare_environment, env_file
from planner.export.target import Context, Target

TARGET = Target(
    name="mindie",
    about="MindIE's config.json: what the plan decides of it, start script, environment",
    engines=("mindie",),
    platforms=("ascend",),
    multi_node=False,
    main="plan.json",
)
_PREFILL_REQUESTS = 50
"""Of one prefill batch: the default of MindIE's own configuration."""
_HOST_SWAP_GIB = 5
"""Swap space for caches on the host: the same."""
_START = (
    ': "${MIES_INSTALL_PATH:?source set_env.sh of mindie-service first}"',
    "config=$(mktemp)",
    "trap 'rm -f \"$config\"' EXIT",
    'python3 - "$MIES_INSTALL_PATH/conf/config.json" "$here/$plan" > "$config" <<\'EOF\'',
    "import json, sys",
    "",
    "",
    "def over(own, planned):",
    "    if isinstance(own, dict) and isinstance(planned, dict):",
    "        return {**own, **{key: over(own.get(key), value) for key, value in planned.items()}}",
    "    if isinstance(own, list) and isinstance(planned, list) and planned and isinstance(planned[0], dict):",
    "        return [over(own[0] if own else {}, planned[0])]",
    "    return planned",
    "",
    "",
    "own, planned = (json.load(open(path, encoding='utf-8')) for path in sys.argv[1:])",
    "json.dump(over(own, planned), sys.stdout, indent=2, ensure_ascii=False)",
    "EOF",
    'chmod 640 "$config"',
    'export MIES_CONFIG_JSON_PATH="$config"',
    'cd "$MIES_INSTALL_PATH"',
    "./bin/mindieservice_daemon",
)


def render(context: Context) -> dict[str, str]:
    """``plan.json``, ``serve.sh`` (one of each an instance), ``env``."""
    comment = "read by serve.sh; holds no secret"
    files = {"env": env_file(bare_environment(context) | _environment(context), comment)}
    for instance in range(context.layout.instances):
        number = f"-{instance}" if context.layout.instances > 1 else ""
        plan = f"plan{number}.json"
        files[plan] = json.dumps(config(context, instance), indent=2, ensure_ascii=False) + "\n"
        about = f"mindie {context.resolved.engine.version}, {len(context.layout.devices(instance))} device(s)"
        files[f"serve{number}.sh"] = script(*LOAD_ENV, f'plan="{plan}"', *_START, comment=about)
    return files


def config(context: Context, instance: int = 0) -> dict[str, Any]:
    """The keys that the plan decides (MindIE documentation, config.json; published configurations of 1.0 … 2.2)."""
    return {"ServerConfig": _server(context, instance), "BackendConfig": _backend(context, instance)}


def _environment(context: Context) -> dict[str, str]:
    return {"NPU_MEMORY_FRACTION": f"{context.resolved.serving.gpu_memory_utilization:g}"}


def _server(context: Context, instance: int) -> dict[str, Any]:
    address, port = context.options.listen or "127.0.0.1", port_of(context, instance)
    return {
        "ipAddress": address,
        "managementIpAddress": "127.0.0.1",
        "port": port,
        "managementPort": port + 1000,
        "metricsPort": port + 2000,
        "allowAllZeroIpListening": address == "0.0.0.0",
        "httpsEnabled": False,
        "interCommTLSEnabled": False,
        "inferMode": "standard",
        "openAiSupport": "vllm",
    }


def _backend(context: Context, instance: int) -> dict[str, Any]:
    serving, length = context.resolved.serving, context.resolved.serving.max_model_len
    return {
        "backendName": "mindieservice_llm_engine",
        "modelInstanceNumber": 1,
        "npuDeviceIds": [list(context.layout.devices(instance))],
        "multiNodesInferEnabled": False,
        "interNodeTLSEnabled": False,
        "ModelDeployConfig": {
            "maxSeqLen": length,
            "maxInputTokenLen": length,
            "truncation": False,
            "ModelConfig": [_model(context)],
        },
        "ScheduleConfig": {
            "maxPrefillBatchSize": min(_PREFILL_REQUESTS, serving.max_num_seqs),
            "maxPrefillTokens": max(serving.max_num_batched_tokens, length),
            "maxBatchSize": serving.max_num_seqs,
            "maxIterTimes": length,
        },
    }


def _model(context: Context) -> dict[str, Any]:
    serving, location = context.resolved.serving, context.location
    world = context.layout.gpus_per_instance
    found: dict[str, Any] = {
        "modelInstanceType": "Standard",
        "modelName": location.served_name,
        "modelWeightPath": location.path,
        "worldSize": world,
        "cpuMemSize": _HOST_SWAP_GIB,
        "npuMemSize": -1,
        "backendType": "atb",
        "trustRemoteCode": context.habits.remote_code,
    }
    if serving.attention_dp > 1 or serving.ep > 1:
        found |= {"tp": serving.tp, "dp": serving.attention_dp}
        if context.resolved.architecture.has_experts:
            found |= {"moe_ep": serving.ep, "moe_tp": world // serving.ep}
    return found
