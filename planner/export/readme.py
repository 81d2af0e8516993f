"""The README of a bundle: what to run, what the log should say, what to do when it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.documents.result import Finding
from planner.estimate import Estimate
from planner.export.expected import expected_lines
from planner.export.pod_network import network_note
from planner.export.readme_model import before_the_start, chats, plain_inline, program_note
from planner.export.registry import target
from planner.units import GIB, human_bytes, human_rate, human_seconds

if TYPE_CHECKING:
    from planner.export.target import Context

_RUN = {
    "toml": "The document that everything else was made from: `deploy-planner estimate deployment.toml`.",
    "docker-compose": "`docker compose up -d`, then `docker compose logs -f`.",
    "docker-run": "`./run.sh` (`CONTAINER_ENGINE=podman ./run.sh` for podman).",
    "kubernetes": "`kubectl apply -f .`; fill the claim with the model's files first.",
    "lws": "`kubectl apply -f .` on a cluster with LeaderWorkerSet; fill the claim with the model's files first.",
    "kserve": "`kubectl apply -f .` on a cluster with KServe; fill the claim with the model's files first.",
    "helm-values": "`kubectl apply -f pvc.yaml`, fill the claim, `helm install NAME vllm/vllm-stack -f values.yaml`.",
    "ray-serve": "`serve run config.yaml` on a Ray cluster whose nodes have the model's files.",
    "slurm": "`sbatch job.sbatch`.",
    "systemd": "Read `install.sh`, then `sudo ./install.sh`; `journalctl -fu NAME` shows the log.",
    "bench": "`./bench.sh [URL]` once the server answers; compare with `expect.json`.",
    "ollama": "`./serve.sh`, and once `./create.sh`.",
}
_CLUSTER = ("kubernetes", "lws", "kserve", "helm-values")
_ELSE = "`./serve.sh` (one script an instance where there are several)."


def how_to_run(name: str) -> str:
    """What to run of a target's files, as Markdown."""
    return _RUN.get(name, _ELSE)


def readme(context: Context, names: list[str], findings: tuple[Finding, ...]) -> str:
    """Markdown."""
    sections = [_title(context), _run(context, names), *_by_job(context, names), _problems(findings), _carry(context)]
    return "\n".join(s for s in sections if s)


def _title(context: Context) -> str:
    resolved, hardware = context.resolved, context.deployment.hardware
    name = plain_inline(context.deployment.model.id or resolved.model_id)
    machine = (
        f"{hardware.nodes} × {hardware.per_node} × {plain_inline(hardware.accelerator or 'cpu')}" if hardware else "?"
    )
    what = resolved.trainer.name if resolved.trainer else f"{resolved.engine.name} {resolved.engine.version}"
    return f"# {name} on {machine}\n\n{plain_inline(what)} · verdict **{context.estimate.verdict}**\n"


def _run(context: Context, names: list[str]) -> str:
    lines = ["## Run", ""]
    for name in names:
        lines.append(f"- **{name}/** {target(name).about}. {how_to_run(name)}")
    return "\n".join(lines) + "\n"


def _by_job(context: Context, names: list[str]) -> list[str]:
    if context.deployment.finetune is not None:
        return []
    return [_before(context, names), chats(context), _expect(context), _speed(context), _if_not(context)]


def _before(context: Context, names: list[str]) -> str:
    location, platform = context.location, context.platform
    lines = [
        "## Before the start",
        "",
        f"- Devices: `{platform.look}` shows {context.resolved.cluster.per_node} a node.",
        f"- Model files of `{plain_inline(location.repository)}` at `{plain_inline(location.path)}` on every node "
        f"({human_bytes(context.timing.weight_bytes)}); they are only read.",
        _listens(context),
        *program_note(context, names),
        *before_the_start(context),
        *_key(context),
        *_several_nodes(context),
        *(network_note(context) if "lws" in names else []),
    ]
    if platform.product_label and not context.options.node_selector and any(n in _CLUSTER for n in names):
        lines.append(
            f"- The right nodes: `kubectl get nodes -L {platform.product_label}`; export again with "
            f"`--node-selector {platform.product_label}=…` where the cluster has several kinds."
        )
    if not platform.non_root:
        lines.append(f"- Containers run as root: {platform.root_reason}.")
    return "\n".join(lines) + "\n"


def _listens(context: Context) -> str:
    if context.options.listen:
        return f"- The server listens on {plain_inline(context.options.listen)}."
    return "- The server can be reached from its own machine only; `--listen ADDRESS` opens it (set a key then)."


def _key(context: Context) -> list[str]:
    runtime, label = context.runtime, context.location.label
    if not runtime.key_variable:
        return ["- This server asks clients for no key: keep it on a private address or behind a proxy that does."]
    needed = " Containers of this engine do not start without it." if runtime.key_flag else ""
    return [
        f"- API key: set `{runtime.key_variable}` in the environment (compose: `.env`; Kubernetes: a secret "
        f"`{label}-api-key` with the key `api-key`; systemd: `/etc/{label}/secrets.env`). No file of this bundle holds "
        f"one.{needed}"
    ]


def _several_nodes(context: Context) -> list[str]:
    nodes = context.layout.nodes_per_instance
    if nodes == 1:
        return []
    lines = [
        f"- {nodes} nodes: `NODE_RANK` is 0 on the first, 1, 2 … on the others; `HEAD_ADDRESS` is the first node's "
        "address (Slurm and LeaderWorkerSet set both; systemd reads them from `/etc/…/secrets.env`)."
    ]
    if not context.options.interface:
        lines.append("- No network interface was named (--interface): libraries choose one, often the wrong one.")
    return lines


def _expect(context: Context) -> str:
    timing = context.timing
    rate = human_rate(timing.disk_bytes_s) + (" (assumed; give --disk-gb-s)" if timing.disk_is_assumed else "")
    lines = [
        "## What to expect",
        "",
        f"About {_long(timing.start_s)} to the first answer: {human_bytes(timing.weight_bytes)} at {rate}, "
        f"then warm-up. Probes and units wait {_long(timing.patience_s)} before they give up.",
        "",
    ]
    found = expected_lines(context)
    if found:
        lines += ["The log should say about:", "", "| line | accept |", "|---|---|"]
        lines += [f"| `{line}` | {accept or '–'} |" for line, accept in found]
    return "\n".join(lines) + "\n"


def _long(seconds: float) -> str:
    return f"{seconds / 60:,.0f} minutes" if seconds >= 120 else human_seconds(seconds)


def _speed(context: Context) -> str:
    performance = context.estimate.performance
    if performance is None:
        return ""
    rows: list[tuple[str, Estimate | None, float, str]] = [
        ("time to first token", performance.ttft_s, 1e-3, "ms"),
        ("time per output token", performance.tpot_s, 1e-3, "ms"),
        ("output tokens a second", performance.output_tok_s, 1, "tok/s"),
    ]
    shown = [
        f"| {name} | {e.value / unit:,.1f} {word} | {e.low / unit:,.1f} … {e.high / unit:,.1f} |"
        for name, e, unit, word in rows
        if e is not None
    ]
    load = context.resolved.workload
    said = f"At {load.isl:,.0f} tokens in, {load.osl:,.0f} out, {load.concurrency or load.request_rate or 'full'} "
    said += "in flight:" if load.concurrency else "requests a second:" if load.request_rate else "load:"
    return "\n".join([said, "", "| figure | value | range |", "|---|---|---|", *shown]) + "\n"


def _if_not(context: Context) -> str:
    memory = context.estimate.memory
    weights = f"{memory.per_gpu.weights.value / GIB:,.1f} GiB" if memory else "the predicted value"
    lines = [
        "## If it does not come up",
        "",
        f"- *Out of memory while loading*: weights should take {weights} a device; look for other processes with "
        f"`{context.platform.look}`.",
        "- *KV cache smaller than predicted*: another process holds memory, or a flag of the command was changed.",
        "- *Killed by a probe or unit while loading*: the storage is slower than assumed; measure it and export again.",
        "- *Bus error or NCCL/shared memory errors*: /dev/shm is too small; the files here set it.",
        "- *Hangs while the nodes join*: the wrong interface; export again with --interface and --ib-devices.",
        "- `deploy-planner verify deployment.toml --log LOG` compares a start-up log with the prediction.",
    ]
    return "\n".join(lines) + "\n"


def _problems(findings: tuple[Finding, ...]) -> str:
    if not findings:
        return ""
    lines = ["## Known problems", ""]
    lines += [
        f"- **{f.severity}**: {plain_inline(f.message)}" + (f" — {plain_inline(f.fix)}" if f.fix else "")
        for f in findings
    ]
    return "\n".join(lines) + "\n"


def _carry(context: Context) -> str:
    return "## Into a closed network\n\n`airgap.json` lists images, wheels and model files with their bytes.\n"
