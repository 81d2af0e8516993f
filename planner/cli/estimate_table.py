"""The estimate of one deployment as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.cli.tables import VERDICT_MARKS, align, assumed_block, deployment_title, finding_line, in_unit, memory_bar
from planner.units import human_bytes, human_count, human_seconds

if TYPE_CHECKING:
    from planner.documents.deployment import Deployment
    from planner.documents.result import EstimateDocument, Performance, ServingMemory


def estimate_table(deployment: Deployment, answer: EstimateDocument) -> str:
    """The whole estimate of one deployment."""
    blocks = [f"{VERDICT_MARKS[answer.verdict]}  {answer.verdict}: {deployment_title(deployment)}"]
    if answer.model:
        count = answer.model.parameters
        blocks.append(
            f"{human_count(count.total)} parameters, {human_count(count.active)} active, "
            f"{human_bytes(answer.model.weight_bytes)} of weights"
        )
    if answer.memory:
        blocks.append(_memory_block(answer))
        blocks.append("one node\n" + align(_node_rows(answer.memory), indent="  "))
    if answer.performance:
        blocks.append("speed\n" + _performance_rows(answer.performance))
    if answer.curve or answer.levers or answer.cross_check:
        from planner.cli.outlook_table import outlook_blocks

        blocks += outlook_blocks(answer)
    if answer.finetune:
        from planner.cli.finetune_table import training_block

        blocks.append(training_block(answer.finetune))
    if answer.cost:
        from planner.cli.cost_block import cost_block

        blocks.append(cost_block(answer.cost))
    if answer.problems:
        blocks.append("problems\n" + "\n".join(finding_line(f) for f in answer.problems))
    if answer.assumed:
        blocks.append(assumed_block(answer.assumed))
    return "\n\n".join(blocks)


def _memory_block(answer: EstimateDocument) -> str:
    memory = answer.memory
    if memory is None:
        return ""
    gpu = memory.per_gpu
    rows = [
        (part.replace("_", " "), in_unit(getattr(gpu, part), "B"))
        for part in ("weights", "kv_cache", "kv_needed", "activations", "cuda_graphs", "non_torch", "total", "capacity")
    ]
    rows.append(("room for", in_unit(memory.kv_tokens, "tokens")))
    rows.append(("longest requests at once", in_unit(memory.max_concurrency, "whole")))
    if memory.max_context is not None:
        rows.append(("longest context at this load", in_unit(memory.max_context, "tokens")))
    bar = memory_bar(gpu)
    return "memory per GPU" + (f"   {bar}" if bar else "") + "\n" + align(rows, indent="  ")


def _node_rows(memory: ServingMemory) -> list[tuple[str, str]]:
    """RAM, disk and start of the machine around the devices."""
    rows = [("RAM while serving", in_unit(memory.host_ram, "B"))]
    if memory.host is not None:
        rows.append(("RAM while loading", in_unit(memory.host.loading, "B")))
        if memory.host.pinned.value:
            rows.append(("of it pinned", in_unit(memory.host.pinned, "B")))
        if memory.host.kv_tokens is not None:
            rows.append(("KV cache in RAM", in_unit(memory.host.kv_tokens, "tokens")))
    if memory.disk is not None:
        rows.append(("disk", human_bytes(memory.disk)))
    if memory.startup is not None:
        rows.append(("reading the weights", in_unit(memory.startup.load_s, "s")))
        rows.append(("first answer after", in_unit(memory.startup.start_s, "s")))
        rows.append(("start-up probe waits", human_seconds(memory.startup.probe_s.value)))
    return rows


def _performance_rows(performance: Performance) -> str:
    rows = [
        ("first token", in_unit(performance.ttft_s, "s")),
        ("per token", in_unit(performance.tpot_s, "s")),
        ("one user", in_unit(performance.decode_tok_s, "tok/s")),
        ("prompt", in_unit(performance.prefill_tok_s, "tok/s")),
        ("all users", in_unit(performance.output_tok_s, "tok/s")),
    ]
    rows += [(f"bound of {phase}", bound) for phase, bound in performance.bound.items()]
    return align([*rows, *_tail_rows(performance)], indent="  ")


def _tail_rows(performance: Performance) -> list[tuple[str, str]]:
    """Percentiles, and the limit of an open loop."""
    rows = []
    for label, name in (("first token", "ttft"), ("between tokens", "itl")):
        found = [getattr(performance, f"{name}_p{percent}_s") for percent in (50, 95, 99)]
        if all(found):
            rows.append((f"{label} p50 p95 p99, settled", " · ".join(human_seconds(each.value) for each in found)))
    if performance.stable_request_s and performance.utilisation:
        load = f"{performance.utilisation.value:.0%} used"
        rows.append(("largest stable rate", f"{in_unit(performance.stable_request_s, 'requests/s')}, {load}"))
    return rows
