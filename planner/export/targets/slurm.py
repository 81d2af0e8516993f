"""Slurm: a batch script; one task a node, or one a device for engines that start by MPI."""

from __future__ import annotations

from math import ceil

from planner.errors import BadInput
from planner.export.command import Command, bare_place, command_of
from planner.export.container import environment_of, extra_files, port_of
from planner.export.emit.shell import shell_command, shell_word
from planner.export.emit.words import plain_text
from planner.export.engines.vllm import RAY_PORT, needs_ray
from planner.export.flags.table import flag_table
from planner.export.node import by_variables
from planner.export.scripts import suffix, vendor_setup
from planner.export.target import Context, Target

TARGET = Target(
    name="slurm",
    about="sbatch script, one node or several",
    except_engines=("ollama", "mlx", "mindie", "optimum-habana"),
    platforms=("nvidia", "amd", "intel", "gaudi", "ascend", "cpu"),
    by_mpi=True,
    main="job.sbatch",
)
_HOURS = 24
_CORES = 8
"""Of one device: its process, tokenizing and the server's share."""


def render(context: Context) -> dict[str, str]:
    """``job.sbatch``; files that the engine reads."""
    if context.layout.instances > 1 and context.layout.multi_node:
        raise BadInput("serving.dp", "several instances over several nodes each are one job each", "set dp to 1")
    return {"job.sbatch": _script(context), **extra_files(context)}


def _script(context: Context) -> str:
    lines = ["#!/bin/bash", *(f"#SBATCH --{name}={value}" for name, value in _directives(context).items())]
    lines += (
        ["set -euo pipefail", "", 'here="$SLURM_SUBMIT_DIR"']
        if context.runtime.extra_file
        else ["set -euo pipefail", ""]
    )
    variables = environment_of(context, None, container=False)
    lines += [f"export {name}={shell_word(value)}" for name, value in sorted(variables.items())]
    lines.append(f"export OMP_NUM_THREADS={_CORES}")
    if not _side_by_side(context):
        cores = _directives(context)["cpus-per-task"]
        lines.append("# since Slurm 22.05 srun does not take over the job's --cpus-per-task")
        lines.append(f'export SRUN_CPUS_PER_TASK="${{SLURM_CPUS_PER_TASK:-{cores}}}"')
    lines += [*vendor_setup(context), "", *_body(context)]
    return "\n".join(lines) + "\n"


def _directives(context: Context) -> dict[str, str]:
    layout = context.layout
    devices = layout.gpus_per_node if layout.multi_node else layout.gpus_per_instance * _instances_on_node(context)
    found = {"job-name": context.location.label, "nodes": str(_nodes(context))}
    if context.options.partition:
        found["partition"] = shell_safe(context.options.partition)
    found["ntasks-per-node"] = str(devices if _by_mpi(context) else 1)
    if context.platform.resource:
        found["gres"] = f"gpu:{devices}"
    found |= {
        "cpus-per-task": str(_CORES if _by_mpi(context) else max(_CORES, _CORES * devices)),
        "mem": "0",
        "time": f"{_HOURS}:00:00",
    }
    return found | {"output": "%x-%j.log", "exclusive": "user"}


def shell_safe(name: str) -> str:
    """A partition's name. Raises BadInput for anything that is none."""
    if not plain_text(name, "partition").replace("-", "").replace("_", "").replace(",", "").isalnum():
        raise BadInput("partition", f"is no partition name: {name[:80]!r}", "use letters, digits, - and _")
    return name


def _by_mpi(context: Context) -> bool:
    return context.resolved.engine.family == "trtllm" and context.layout.multi_node


def _instances_on_node(context: Context) -> int:
    return min(context.layout.instances, context.layout.instances_per_node)


def _nodes(context: Context) -> int:
    layout = context.layout
    return layout.nodes_per_instance if layout.multi_node else ceil(layout.instances / layout.instances_per_node)


def _body(context: Context) -> list[str]:
    if _by_mpi(context):
        return _mpi(context)
    if context.layout.multi_node:
        return _several_nodes(context)
    return _replicas(context) if _side_by_side(context) else [_srun(context, command_of(context, bare_place(context)))]


def _side_by_side(context: Context) -> bool:
    """Several steps at once, which share the job's cores."""
    return context.layout.instances > 1 and not context.layout.multi_node


def _srun(context: Context, command: Command) -> str:
    return shell_command(command.arguments, program=("srun", *command.program), suffix=suffix(context))


def _mpi(context: Context) -> list[str]:
    """TensorRT-LLM: as many ranks as devices, joined by PMIx (examples/llm-api/llm_mgmn_trtllm_serve.sh)."""
    command = command_of(context, bare_place(context))
    start = (
        "srun",
        "--mpi=pmix",
        "-n",
        str(context.layout.gpus_per_instance),
        "trtllm-llmapi-launch",
        *command.program,
    )
    return [shell_command(command.arguments, program=start, suffix=suffix(context))]


def _several_nodes(context: Context) -> list[str]:
    return [
        'mapfile -t hosts < <(scontrol show hostnames "$SLURM_JOB_NODELIST")',
        'export HEAD_ADDRESS="${hosts[0]}"',
        "# each task learns its place from SLURM_PROCID; what it runs stands between the quotes of the here document",
        "read -r -d '' NODE_SCRIPT <<'EOF' || true",
        "set -euo pipefail",
        "NODE_RANK=$SLURM_PROCID",
        *_node_script(context),
        "EOF",
        'srun --kill-on-bad-exit=1 bash -c "$NODE_SCRIPT"',
    ]


def _node_script(context: Context) -> list[str]:
    head = command_of(context, bare_place(context), by_variables(follower=False))
    follower = command_of(context, bare_place(context), by_variables(follower=True))

    def start(command: Command) -> str:
        return shell_command(command.arguments, program=command.program, prefix="exec", suffix=suffix(context))

    if context.resolved.engine.family == "vllm" and needs_ray(context, flag_table(context.resolved.engine)):
        join = f'exec ray start --address="$HEAD_ADDRESS:{RAY_PORT}" --block'
        return ['if [ "$NODE_RANK" != 0 ]; then', f"  {join}", "fi", f"ray start --head --port={RAY_PORT}", start(head)]
    return ['if [ "$NODE_RANK" != 0 ]; then', start(follower), "fi", start(head)]


def _replicas(context: Context) -> list[str]:
    """One step an instance, side by side, each with its own devices and port."""
    lines: list[str] = []
    for instance in range(context.layout.instances):
        place = bare_place(context, str(port_of(context, instance)))
        command = command_of(context, place)
        cores = _CORES * max(1, context.layout.gpus_per_instance)
        step = ["srun", "--exact", "--nodes=1", "--ntasks=1", f"--cpus-per-task={cores}"]
        if context.platform.resource:
            step.append(f"--gpus-per-task={context.layout.gpus_per_instance}")
        lines.append(
            shell_command(command.arguments, program=(*step, *command.program), suffix=f"{suffix(context)} &".strip())
        )
    return [*lines, "wait"]
