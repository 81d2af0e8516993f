"""Whether a deployment is legal: every broken rule with its reason and the nearest legal change.

Pure: the tables of what engines and chips support come in as ``Support``. Rules have stable ids:

layout   tp-divides-heads tp-divides-kv-heads tp-divides-vision-heads tp-divides-width fp8-block-rows
         quant-group-divides-shard ep-without-experts ep-divides-ranks ep-takes-all-ranks experts-divide-by-ep
         pp-exceeds-layers dcp-divides-tp gpus-available tp-across-nodes-needs-fabric group-fills-nodes
         network-unknown attention-dp-needs-experts attention-dp-takes-all-ranks
formats  weights-format-on-chip weights-format-emulated checkpoint-of-engine bf16-on-chip kv-dtype-on-chip
         kv-dtype-of-engine
engine   engine-on-chip engine-chip-unknown engine-has-feature engine-knows-model engine-lists-model speculative-method
         speculative-draft
training see ``planner.legality.training``
limits   context-beyond-positions load-beyond-context utilization-beyond-free mig-no-group quantization-config-left
         images-need-vision
"""

from __future__ import annotations

from collections.abc import Iterator

from planner.documents.result import Finding
from planner.legality import devices, engine, formats, limits, parallel, shards
from planner.legality.shape import ModelShape, model_shape
from planner.legality.support import Abilities, Support
from planner.resolved import Resolved

__all__ = ["check", "is_legal"]


def check(resolved: Resolved, support: Support) -> tuple[Finding, ...]:
    """Every broken rule, errors first; an empty tuple is a legal deployment without remarks."""
    if resolved.finetune is not None:
        from planner.legality.training import check_training

        return check_training(resolved)
    shape = model_shape(resolved.architecture, resolved.quantization)
    abilities = support.abilities(resolved.engine, resolved.cluster.device.accelerator)
    found = list(_findings(resolved, shape, abilities, support))
    return tuple(sorted(found, key=lambda finding: finding.severity != "error"))


def is_legal(findings: tuple[Finding, ...]) -> bool:
    """No finding is an error."""
    return all(finding.severity != "error" for finding in findings)


def _findings(
    resolved: Resolved, shape: ModelShape, abilities: Abilities | None, support: Support
) -> Iterator[Finding]:
    serving, cluster = resolved.serving, resolved.cluster
    yield from devices.device_rules(serving, cluster)
    yield from devices.node_rules(serving, cluster, support.tensor_fabric_bytes_s)
    yield from parallel.pipeline_rules(shape, serving)
    yield from parallel.context_parallel_rules(serving)
    yield from limits.slice_rules(resolved)
    yield from limits.image_rules(resolved)
    if abilities is None or cluster.device.vendor == "unknown":
        return
    yield from _engine_findings(resolved, shape, abilities, support)
    if abilities.on_chip != "no":
        yield from _layout_findings(resolved, shape, abilities)
        yield from formats.weight_rules(resolved.quantization, abilities)
        yield from formats.checkpoint_rules(resolved, abilities)
        yield from formats.kv_rules(serving.kv_cache_dtype, abilities)
    yield from limits.context_rules(resolved, "context-limit" in abilities.rules)
    yield from limits.load_rules(resolved)
    yield from limits.free_memory_rules(resolved, "free-memory" in abilities.rules)
    yield from limits.leftover_rules(resolved, shape)
    yield from limits.draft_rules(resolved)


def _engine_findings(
    resolved: Resolved, shape: ModelShape, abilities: Abilities, support: Support
) -> Iterator[Finding]:
    yield from engine.chip_rules(resolved.engine, resolved.cluster.device, abilities, support)
    if abilities.on_chip == "no":
        return
    yield from engine.model_rules(resolved.engine, resolved.architecture.model_type, shape, abilities)
    yield from engine.layout_features(resolved.engine, resolved.serving, abilities)
    yield from engine.speculative_rules(resolved.serving.speculative, shape, resolved.engine, abilities)


def _layout_findings(resolved: Resolved, shape: ModelShape, abilities: Abilities) -> Iterator[Finding]:
    serving, rules = resolved.serving, abilities.rules
    if "head-limit" in rules:
        yield from shards.head_rules(shape, serving)
        yield from shards.vision_rules(shape, serving, "vision-data-parallel" in abilities.features)
    if "tensor-shards" in rules:
        blocks, groups = "block-rows" in rules, "group-rows" in rules
        yield from shards.width_rules(shape, serving, blocks=blocks, groups=groups, guessed=_is_guessed(resolved))
    if "attention-dp-needs-experts" in rules:
        yield from parallel.attention_dp_rules(shape, serving)
    if "attention-dp-all-ranks" in rules:
        yield from parallel.whole_attention_dp_rules(serving)
    uneven = "uneven-experts" in abilities.features
    yield from parallel.expert_rules(shape, serving, uneven=uneven, all_ranks="ep-all-ranks" in rules)


def _is_guessed(resolved: Resolved) -> bool:
    """The weight scheme is only what its format usually is: a bare config, no repack and no scheme named."""
    table = resolved.deployment.model
    said = table.checkpoint or table.quantization or resolved.architecture.quantization
    return table.config is not None and said is None
