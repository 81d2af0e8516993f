"""docker compose: one service an instance; for several nodes one file for the first and one for the others."""

from __future__ import annotations

from typing import Any

from planner.export.container import Container, container_of, health_command, port_of
from planner.export.emit.words import Ref, Word, parts_of
from planner.export.emit.yaml import yaml_text
from planner.export.node import by_variables
from planner.export.runtime import CACHE, CONFIG
from planner.export.target import Context, Target
from planner.units import GIB

TARGET = Target(
    name="docker-compose",
    about="compose.yaml: devices, probes, limits, read-only model",
    except_engines=("ollama", "mlx", "mindie", "optimum-habana"),
    platforms=("nvidia", "amd", "intel", "gaudi", "ascend", "cpu", "moore-threads"),
    needs_image=True,
    main="compose.yaml",
)
_HINTS = {
    "NODE_RANK": "1 on the second node, 2 on the third",
    "HEAD_ADDRESS": "address of the first node",
    "RENDER_GID": "getent group render | cut -d: -f3",
}
_STACK_BYTES = 67_108_864
_FILES = 1_048_576


def render(context: Context) -> dict[str, str]:
    """``compose.yaml``; ``compose.worker.yaml`` for further nodes; files that the services mount."""
    layout = context.layout
    if not layout.multi_node:
        containers = [container_of(context, i) for i in range(layout.instances)]
        files = {"compose.yaml": _compose(context, containers, host_network=False)}
    else:
        head = container_of(context, node=by_variables(follower=False), host_network=True)
        worker = container_of(context, node=by_variables(follower=True), host_network=True)
        files = {
            "compose.yaml": _compose(context, [head], host_network=True),
            "compose.worker.yaml": _compose(context, [worker], host_network=True, probe=False),
        }
        containers = [head]
    return {**files, **containers[0].files}


def _compose(context: Context, containers: list[Container], *, host_network: bool, probe: bool = True) -> str:
    services = {c.name: _service(context, c, host_network, probe) for c in containers}
    comment = "docker compose up -d"
    if len(containers) > context.layout.instances_per_node:
        comment += f"\n{context.layout.instances_per_node} services fit one node: start only its own on each"
    return yaml_text({"name": context.location.label, "services": services}, comment=comment)


def _service(context: Context, container: Container, host_network: bool, probe: bool) -> dict[str, Any]:
    service: dict[str, Any] = {
        "image": _text(context.image.reference),
        "entrypoint": [_word(w) for w in container.entrypoint],
        "command": [_word(w) for w in container.arguments],
        "environment": {k: _variable(context, k, v) for k, v in container.environment.items()},
        "volumes": _volumes(context, container),
        "restart": "unless-stopped",
        "stop_grace_period": "2m",
        "ulimits": {"memlock": -1, "stack": _STACK_BYTES, "nofile": {"soft": _FILES, "hard": _FILES}},
        **_network(context, container, host_network),
        **_rights(context, host_network),
        **_devices(context, container),
        "logging": {"driver": "json-file", "options": {"max-size": "100m", "max-file": "5"}},
    }
    if container.shm_bytes:
        service["shm_size"] = f"{container.shm_bytes // GIB}g"
    if probe:
        service["healthcheck"] = _healthcheck(context, container)
    return service


def _text(text: str) -> str:
    """Compose replaces variables in every value: a dollar is doubled."""
    return text.replace("$", "$$")


def _word(word: Word) -> str:
    return "".join(_reference(p.name) if isinstance(p, Ref) else _text(p) for p in parts_of(word))


def _reference(name: str) -> str:
    return f"${{{name}:?{_HINTS.get(name, 'put it into .env or export it')}}}"


def _variable(context: Context, name: str, value: Word) -> str:
    """The API key may stay empty while only this machine can reach the server."""
    if isinstance(value, Ref) and not context.options.listen and not context.runtime.key_flag:
        return f"${{{value.name}:-}}"
    return _word(value)


def _volumes(context: Context, container: Container) -> list[dict[str, Any]]:
    location = context.location
    inside = location.inside.rsplit("/", 1)[0] if location.is_file else location.inside
    mounts = [(_text(location.folder), inside)]
    mounts += [(f"./{name}", f"{CONFIG}/{name}") for name in container.files]
    mounts += [(path, path) for path in context.platform.binds]
    return [{"type": "bind", "source": a, "target": b, "read_only": True} for a, b in mounts]


def _network(context: Context, container: Container, host_network: bool) -> dict[str, Any]:
    if host_network:
        return {"network_mode": "host"}
    outside = port_of(context, container.instance)
    return {"ports": [f"{context.options.listen or '127.0.0.1'}:{outside}:{container.port}"]}


def _rights(context: Context, host_network: bool) -> dict[str, Any]:
    platform = context.platform
    security = ["no-new-privileges:true"]
    if platform.seccomp:
        security.append(f"seccomp={platform.seccomp}")
    rights: dict[str, Any] = {"security_opt": security}
    capabilities = [*platform.capabilities, *(["IPC_LOCK"] if host_network else [])]
    if platform.non_root:
        user = context.options.user
        rights |= {
            "user": f"{user}:{user}",
            "cap_drop": ["ALL"],
            "tmpfs": [f"{CACHE}:exec,mode=0700,uid={user},gid={user}"],
        }
    if capabilities:
        rights["cap_add"] = capabilities
    return rights


def _devices(context: Context, container: Container) -> dict[str, Any]:
    platform = context.platform
    found: dict[str, Any] = {}
    if platform.reservation_driver:
        ids = [str(i) for i in container.devices]
        wanted = {"driver": platform.reservation_driver, "device_ids": ids, "capabilities": ["gpu"]}
        found["deploy"] = {"resources": {"reservations": {"devices": [wanted]}}}
    if platform.container_runtime:
        found["runtime"] = platform.container_runtime
    files = [f"{path}:{path}" for path in platform.device_files(container.devices)]
    rdma = ["/dev/infiniband:/dev/infiniband"] if context.layout.multi_node and context.options.ib_devices else []
    if files or rdma:
        found["devices"] = files + rdma
    groups = [*platform.groups, *(_reference(name) for name in platform.group_variables)]
    if groups:
        found["group_add"] = groups
    return found


def _healthcheck(context: Context, container: Container) -> dict[str, Any]:
    return {
        "test": ["CMD", *health_command(context, container.port)],
        "interval": "10s",
        "timeout": "10s",
        "retries": 3,
        "start_period": f"{context.timing.patience_s}s",
    }
