"""Start scripts and environment files of engines on bare machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from planner.export.command import Command, bare_place, command_of
from planner.export.container import environment_of, port_of
from planner.export.emit.shell import script, shell_command
from planner.export.emit.words import env_value
from planner.export.engines.vllm import RAY_PORT, needs_ray
from planner.export.flags.table import flag_table
from planner.export.node import by_variables

if TYPE_CHECKING:
    from planner.export.target import Context

LOAD_ENV = (
    'here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)',
    "set -a",
    "# shellcheck source=/dev/null",
    '. "$here/env"',
    "set +a",
)
_NODE_VARIABLES = (
    ': "${NODE_RANK:?set it to 0 on the first node, 1 on the next, and so on}"',
    ': "${HEAD_ADDRESS:?set it to the address of the first node}"',
)


def env_file(variables: Mapping[str, str], comment: str = "") -> str:
    """KEY=value lines that a shell, systemd and docker read alike."""
    said = "".join(f"# {line}\n" for line in comment.splitlines())
    return said + "".join(f"{name}={env_value(value, name)}\n" for name, value in sorted(variables.items()))


def suffix(context: Context) -> str:
    """Last words of a start script's command: files beside it, and the API key when its variable is set."""
    runtime, words = context.runtime, []
    if runtime.extra_file_flag:
        words.append(f'{runtime.extra_file_flag} "$here/{runtime.extra_file}"')
    if runtime.key_flag:
        words.append(f'${{{runtime.key_variable}:+{runtime.key_flag} "${runtime.key_variable}"}}')
    return " ".join(words)


def start_scripts(context: Context) -> dict[str, str]:
    """``serve.sh``, or one script for each instance."""
    layout = context.layout
    if layout.instances == 1:
        return {"serve.sh": _script(context, 0)}
    return {f"serve-{i}.sh": _script(context, i) for i in range(layout.instances)}


def _script(context: Context, instance: int) -> str:
    layout = context.layout
    lines = [*LOAD_ENV, *vendor_setup(context), *_visible(context, instance), ""]
    comment = _comment(context, instance)
    if layout.multi_node:
        return script(*lines, *_NODE_VARIABLES, *_host_address(context), *_nodes(context), comment=comment)
    command = command_of(context, bare_place(context, str(port_of(context, instance))))
    return script(*lines, start(context, command), comment=comment)


def vendor_setup(context: Context) -> Sequence[str]:
    """The vendor's own variables, where the scripts lie that set them; those read variables that may be unset."""
    if not context.platform.setup:
        return ()
    sourced = (
        line
        for file in context.platform.setup
        for line in ("# shellcheck source=/dev/null", f"if [ -r {file} ]; then . {file} || true; fi")
    )
    return ("set +u", *sourced, "set -u")


def start(context: Context, command: Command) -> str:
    """The command as the script's last act."""
    return shell_command(command.arguments, program=command.program, prefix="exec", suffix=suffix(context))


def _comment(context: Context, instance: int) -> str:
    layout, engine = context.layout, context.resolved.engine
    text = f"{engine.name} {engine.version} on {len(layout.devices(instance))} device(s)"
    if layout.instances > layout.instances_per_node:
        text += f"; run it on node {instance // layout.instances_per_node + 1}"
    return text + (f"; run it on each of {layout.nodes_per_instance} nodes" if layout.multi_node else "")


def _visible(context: Context, instance: int) -> Sequence[str]:
    """Devices of this instance, when it does not have the whole node."""
    devices, platform = context.layout.devices(instance), context.platform
    if not platform.visible or len(devices) >= context.resolved.cluster.per_node:
        return ()
    return (f"export {platform.visible}={','.join(map(str, devices))}",)


def _host_address(context: Context) -> Sequence[str]:
    """vLLM has to know which of the node's addresses the others reach."""
    interface = context.options.interface
    if context.resolved.engine.family != "vllm" or not interface:
        return ()
    take = "awk '{split($4, a, \"/\"); print a[1]; exit}'"
    return (f'export VLLM_HOST_IP="${{VLLM_HOST_IP:-$(ip -4 -o addr show dev {interface} | {take})}}"',)


def _nodes(context: Context) -> Sequence[str]:
    head = command_of(context, bare_place(context), by_variables(follower=False))
    if context.resolved.engine.family == "vllm" and needs_ray(context, flag_table(context.resolved.engine)):
        join = f'exec ray start --address="$HEAD_ADDRESS:{RAY_PORT}" --block'
        begin = f"ray start --head --port={RAY_PORT}"
        return ('if [ "$NODE_RANK" != 0 ]; then', f"  {join}", "fi", begin, start(context, head))
    follower = command_of(context, bare_place(context), by_variables(follower=True))
    return ('if [ "$NODE_RANK" != 0 ]; then', start(context, follower), "fi", start(context, head))


def bare_environment(context: Context) -> dict[str, str]:
    """Variables of ``env``."""
    return environment_of(context, None, container=False)
