"""Scripts that start a training job: one node, or Slurm over several; text is only ever data in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from planner.export.emit.shell import script, shell_command
from planner.export.emit.words import Ref, Word
from planner.export.target import Context
from planner.export.trainers.common import TrainingFileFacts

PORT = "29500"
RDZV = "29501"
COMMENT = "Starts the training job on this machine."


def node_script(
    facts: TrainingFileFacts,
    command: Sequence[Word],
    env: dict[str, str] | None = None,
    needs: Mapping[str, str] | None = None,
) -> str:
    """``train.sh``: a command on each node; NODE_RANK and HEAD are given where there are several.

    ``needs``: variables that whoever starts it must set, each with what it is (our own words).
    """
    lines = ['cd "$(dirname "$0")"', *_exports({**_env(facts.context), **(env or {})})]
    if facts.job.cluster.nodes > 1:
        lines += [': "${HEAD:?name or address of the first node}" "${NODE_RANK:?0 on the first node}"']
    lines += [f': "${{{name}:?{what}}}"' for name, what in (needs or {}).items()]
    return script(*lines, shell_command(list(command), prefix="exec"), comment=COMMENT)


def slurm_script(facts: TrainingFileFacts) -> str:
    """``train.sbatch``: one task per node that runs train.sh."""
    cluster, options = facts.job.cluster, facts.context.options
    directives = [
        "--job-name=train",
        f"--nodes={cluster.nodes}",
        "--ntasks-per-node=1",
        f"--gpus-per-node={cluster.per_node}",
        "--exclusive",
        "--mem=0",
    ]
    if options.partition:
        directives.append(f"--partition={_directive(options.partition)}")
    head = ["#!/usr/bin/env bash", *(f"#SBATCH {d}" for d in directives), "set -euo pipefail"]
    body = [
        'HEAD="$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)"',
        "export HEAD",
        "# shellcheck disable=SC2016",
        'srun --cpus-per-task="$SLURM_CPUS_ON_NODE" bash -c \'NODE_RANK="$SLURM_PROCID" exec ./train.sh\'',
    ]
    return "\n".join([*head, *body]) + "\n"


def with_launch(
    facts: TrainingFileFacts,
    files: dict[str, str],
    command: Sequence[Word],
    env: dict[str, str] | None = None,
    *,
    needs: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The files with ``train.sh``, and ``train.sbatch`` where several nodes take part."""
    found = {**files, "train.sh": node_script(facts, command, env, needs)}
    if facts.job.cluster.nodes > 1:
        found["train.sbatch"] = slurm_script(facts)
    return found


def torchrun(facts: TrainingFileFacts, *program: Word) -> list[Word]:
    """torchrun over all GPUs of every node."""
    cluster = facts.job.cluster
    words: list[Word] = ["torchrun", f"--nproc-per-node={cluster.per_node}"]
    if cluster.nodes > 1:
        words += [
            f"--nnodes={cluster.nodes}",
            "--rdzv-backend=c10d",
            "--rdzv-id=train",
            ("--rdzv-endpoint=", Ref("HEAD"), f":{RDZV}"),
        ]
    return [*words, *program]


def _exports(env: dict[str, str]) -> list[str]:
    return [shell_command([f"{name}={value}"], prefix="export") for name, value in sorted(env.items())]


def _env(context: Context) -> dict[str, str]:
    """Fragments are given back in whole segments; ports as the options say."""
    env = {"PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True"}
    if context.options.interface:
        env["NCCL_SOCKET_IFNAME"] = context.options.interface
        env["GLOO_SOCKET_IFNAME"] = context.options.interface
    if context.options.ib_devices:
        env["NCCL_IB_HCA"] = context.options.ib_devices
    return env


def _directive(text: str) -> str:
    """A value of an #SBATCH line: one word of harmless letters."""
    from planner.export.emit.words import env_value

    return env_value(text, "partition")
