"""What a container of the engine needs, whatever starts it: image, words, variables, devices, rights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from planner.export.command import EVERYWHERE, LOCALHOST, Command, command_of, container_place
from planner.export.emit.words import Ref, Word
from planner.export.engines.vllm import RAY_PORT, needs_ray
from planner.export.flags.table import flag_table
from planner.export.node import Node
from planner.export.platforms import network_environment
from planner.export.runtime import CONFIG
from planner.export.timing import shared_memory_bytes

if TYPE_CHECKING:
    from planner.export.target import Context

USER_NAME = "planner"
"""Libraries ask for the user's name; a bare number has none."""


@dataclass(frozen=True, slots=True)
class Container:
    """One container."""

    name: str
    entrypoint: tuple[Word, ...]
    arguments: tuple[Word, ...]
    environment: Mapping[str, Word]
    port: int
    devices: tuple[int, ...]
    shm_bytes: int
    instance: int = 0
    files: Mapping[str, str] = field(default_factory=dict)
    """Files to be seen under ``/config``: name → text."""


def environment_of(context: Context, devices: tuple[int, ...] | None = None, *, container: bool) -> dict[str, str]:
    """Variables of the engine on this vendor's devices: offline, tuned, on the right interface. Never a secret.

    ``devices``: picked by the vendor's variable; None where something else picks them.
    """
    platform, resolved = context.platform, context.resolved
    variables = context.runtime.environment
    variables |= context.runtime.vendor_environment(platform.id, resolved.architecture.has_experts)
    if container:
        variables |= platform.environment
        if platform.non_root:
            variables |= context.runtime.cache_environment() | {"USER": USER_NAME, "LOGNAME": USER_NAME}
    else:
        variables |= {k: v for k, v in platform.environment.items() if not k.startswith("OMPI")}
    if context.layout.multi_node:
        variables |= network_environment(platform, context.options)
    if (vocabulary := context.habits.vocabulary) is not None:
        place = context.location.inside if container else context.location.path
        variables[vocabulary.variable] = f"{place}/{vocabulary.folder}"
    if devices is not None and platform.visible:
        variables[platform.visible] = ",".join(map(str, devices))
    return variables


def picks_by_variable(context: Context) -> bool:
    """Whether containers of this vendor choose devices by a variable, and not by device files or a reservation."""
    platform = context.platform
    return bool(platform.visible) and not platform.reservation_driver and not platform.numbered_device


def container_of(
    context: Context, instance: int = 0, node: Node | None = None, *, host_network: bool = False
) -> Container:
    """The container of one instance (of one node of it)."""
    layout = context.layout
    port = port_of(context, instance if host_network else 0)
    host = (context.options.listen or LOCALHOST) if host_network else EVERYWHERE
    command = command_of(context, container_place(context, host, str(port)), node)
    entrypoint, arguments = entry(context, command, node)
    devices = layout.devices(instance)
    variables: dict[str, Word] = dict(
        environment_of(context, devices if picks_by_variable(context) else None, container=True)
    )
    if context.runtime.key_variable:
        variables[context.runtime.key_variable] = Ref(context.runtime.key_variable)
    name = context.location.label + (f"-{instance}" if layout.instances > 1 else "")
    files = extra_files(context)
    if files:
        arguments = (*arguments, context.runtime.extra_file_flag, f"{CONFIG}/{context.runtime.extra_file}")
    shm = shared_memory_bytes(len(devices)) if context.platform.shared_memory else 0
    return Container(name, entrypoint, arguments, variables, port, devices, shm, instance, files)


def extra_files(context: Context) -> dict[str, str]:
    """Files that the engine reads beside its flags."""
    if not context.runtime.extra_file:
        return {}
    from planner.export.engines.trtllm import extra_yaml

    return {context.runtime.extra_file: extra_yaml(context)}


def health_command(context: Context, port: int) -> list[str]:
    """A probe run inside the container."""
    return [word.format(port=port, health=context.runtime.health) for word in context.runtime.health_command]


def port_of(context: Context, instance: int) -> int:
    """Instances of one node listen one after the other."""
    first = context.options.port or context.runtime.port
    return first + instance % context.layout.instances_per_node


def entry(context: Context, command: Command, node: Node | None) -> tuple[tuple[Word, ...], tuple[Word, ...]]:
    """Entrypoint and arguments; where Ray joins the nodes, it is started first."""
    entrypoint: tuple[Word, ...] = context.runtime.entrypoint
    if node is None or context.resolved.engine.family != "vllm":
        return entrypoint, command.arguments
    if not needs_ray(context, flag_table(context.resolved.engine)):
        return entrypoint, command.arguments
    if node.follower:
        return ("ray", "start"), (("--address=", *_parts(node.head), f":{RAY_PORT}"), "--block")
    start = f'ray start --head --port={RAY_PORT} && exec "$@"'
    return ("bash", "-c"), (start, "--", *entrypoint, *command.arguments)


def _parts(word: Word) -> tuple[str | Ref, ...]:
    return word if isinstance(word, tuple) else (word,)
