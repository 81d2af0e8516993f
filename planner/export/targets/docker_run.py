"""docker run or podman run: one script an instance."""

from __future__ import annotations

from planner.export.container import Container, container_of, port_of
from planner.export.emit.shell import script, shell_command, shell_word
from planner.export.emit.words import Ref, Word
from planner.export.node import by_variables
from planner.export.runtime import CACHE, CONFIG
from planner.export.target import Context, Target
from planner.units import GIB

TARGET = Target(
    name="docker-run",
    about="docker run or podman run: a script",
    except_engines=("ollama", "mlx", "mindie", "optimum-habana"),
    platforms=("nvidia", "amd", "intel", "gaudi", "ascend", "cpu", "moore-threads"),
    needs_image=True,
    main="run.sh",
)
_NODE = (
    ': "${NODE_RANK:?set it to 0 on the first node, 1 on the next, and so on}"',
    ': "${HEAD_ADDRESS:?set it to the address of the first node}"',
)


def render(context: Context) -> dict[str, str]:
    """``run.sh``, or one script for each instance; files that the container mounts."""
    layout = context.layout
    if layout.multi_node:
        head = container_of(context, node=by_variables(follower=False), host_network=True)
        worker = container_of(context, node=by_variables(follower=True), host_network=True)
        lines = ['if [ "$NODE_RANK" != 0 ]; then', *_run(context, worker, True), "fi", *_run(context, head, True)]
        return {"run.sh": script(*_start(context, head), *_NODE, *lines), **head.files}
    containers = [container_of(context, i) for i in range(layout.instances)]
    names = ["run.sh"] if layout.instances == 1 else [f"run-{i}.sh" for i in range(layout.instances)]
    scripts = {n: script(*_start(context, c), *_run(context, c, False)) for n, c in zip(names, containers, strict=True)}
    return {**scripts, **containers[0].files}


def _start(context: Context, container: Container) -> list[str]:
    """The container engine, and how it passes NVIDIA devices: docker by --gpus, podman by CDI names."""
    lines = ["engine=${CONTAINER_ENGINE:-docker}"]
    if container.files:
        lines.append('here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)')
    if context.platform.reservation_driver:
        cdi = " ".join(f"--device {context.platform.resource}={i}" for i in container.devices)
        wanted = ",".join(map(str, container.devices))
        lines += [
            'if [ "$engine" = podman ]; then',
            f"  devices=({cdi})",
            "else",
            f"  devices=(--gpus '\"device={wanted}\"')",
            "fi",
        ]
    if context.runtime.key_flag:
        lines.append(f': "${{{context.runtime.key_variable}:?export the API key that clients have to send}}"')
    lines += [f': "${{{name}:?getent group render | cut -d: -f3}}"' for name in context.platform.group_variables]
    return lines


def _run(context: Context, container: Container, host_network: bool) -> list[str]:
    words: list[Word] = [
        "--rm",
        "--name",
        container.name,
        *_limits(context, container),
        *_rights(context, host_network),
    ]
    words += _mounts(context) + _network(context, container, host_network)
    for name, value in container.environment.items():
        words += ["--env", name if isinstance(value, Ref) else (f"{name}=", *_parts(value))]
    words += _device_words(context, container, host_network)
    first, *rest = container.entrypoint
    words += ["--entrypoint", first]
    tail = " ".join(map(shell_word, [context.image.reference, *rest, *container.arguments]))
    extra = ['"${devices[@]}"'] if context.platform.reservation_driver else []
    extra += [f'--mount "type=bind,source=$here/{n},target={CONFIG}/{n},readonly"' for n in container.files]
    return [shell_command(words, prefix='exec "$engine" run', suffix=" ".join([*extra, tail]))]


def _parts(value: Word) -> tuple[str | Ref, ...]:
    return value if isinstance(value, tuple) else (value,)


def _limits(context: Context, container: Container) -> list[Word]:
    words: list[Word] = ["--ulimit", "memlock=-1", "--ulimit", "stack=67108864", "--ulimit", "nofile=1048576"]
    return words + (["--shm-size", f"{container.shm_bytes // GIB}g"] if container.shm_bytes else [])


def _rights(context: Context, host_network: bool) -> list[Word]:
    platform, user = context.platform, context.options.user
    words: list[Word] = ["--security-opt", "no-new-privileges"]
    if platform.seccomp:
        words += ["--security-opt", f"seccomp={platform.seccomp}"]
    if platform.non_root:
        words += ["--user", f"{user}:{user}", "--cap-drop", "ALL"]
        words += ["--tmpfs", f"{CACHE}:exec,mode=0777"]
    for capability in (*platform.capabilities, *(["IPC_LOCK"] if host_network else [])):
        words += ["--cap-add", capability]
    return words


def _mounts(context: Context) -> list[Word]:
    location = context.location
    inside = location.inside.rsplit("/", 1)[0] if location.is_file else location.inside
    pairs = [(location.folder, inside), *((path, path) for path in context.platform.binds)]
    return [word for a, b in pairs for word in ("--mount", f"type=bind,{csv_field(f'source={a}')},target={b},readonly")]


def csv_field(text: str) -> str:
    """A field of --mount, which docker reads as comma-separated values."""
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"') else text


def _network(context: Context, container: Container, host_network: bool) -> list[Word]:
    if host_network:
        return ["--network", "host"]
    outside = port_of(context, container.instance)
    return ["--publish", f"{context.options.listen or '127.0.0.1'}:{outside}:{container.port}"]


def _device_words(context: Context, container: Container, host_network: bool) -> list[Word]:
    platform = context.platform
    words: list[Word] = ["--runtime", platform.container_runtime] if platform.container_runtime else []
    files = list(platform.device_files(container.devices))
    if host_network and context.options.ib_devices:
        files.append("/dev/infiniband")
    for path in files:
        words += ["--device", path]
    for group in platform.groups:
        words += ["--group-add", group]
    for name in platform.group_variables:
        words += ["--group-add", Ref(name)]
    return words
