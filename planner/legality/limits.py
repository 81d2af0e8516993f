"""Rules of limits: context against the model, memory share against what is free, slices, leftover configs."""

from __future__ import annotations

import math
from collections.abc import Iterator

from planner.documents.result import Finding
from planner.legality.layout import widths_fit
from planner.legality.shape import ModelShape, model_shape
from planner.resolved import Resolved
from planner.units import human_bytes


def context_rules(resolved: Resolved, enforced: bool) -> Iterator[Finding]:
    """No request longer than the model's positions."""
    limit, wanted = resolved.architecture.max_position, resolved.serving.max_model_len
    if limit is None or wanted <= limit:
        return
    message = f"max_model_len {wanted:,} is beyond the model's {limit:,} positions"
    fix = f"set max_model_len {limit}, or extend the model's rope scaling in its config.json"
    severity = "error" if enforced else "warning"
    yield Finding("context-beyond-positions", message, fix, severity, {"serving.max_model_len": limit})  # type: ignore[arg-type]


def load_rules(resolved: Resolved) -> Iterator[Finding]:
    """The load's mean request fits the context; a model that writes nothing cuts what is too long."""
    load, longest = resolved.workload, resolved.serving.max_model_len
    request = math.ceil(load.context + load.isl + load.osl)
    if resolved.architecture.kind != "decoder" or request <= longest:
        return
    message = f"requests of {request:,} tokens are longer than max_model_len {longest:,}: the engine turns them away"
    fix = f"set max_model_len {request} or more, or plan for shorter ones"
    yield Finding("load-beyond-context", message, fix, "warning", {"serving.max_model_len": request})


def free_memory_rules(resolved: Resolved, enforced: bool) -> Iterator[Finding]:
    """The share of the device that the engine takes must be free when it starts."""
    device, share = resolved.cluster.device, resolved.serving.gpu_memory_utilization
    if not math.isfinite(device.memory_bytes) or device.used_bytes <= 0 or not enforced:
        return
    free = max(device.memory_bytes - device.used_bytes, 0.0)
    if share * device.memory_bytes <= free:
        return
    fits = math.floor(free / device.memory_bytes * 100) / 100
    message = (
        f"gpu_memory_utilization {share:g} wants {human_bytes(share * device.memory_bytes)}, "
        f"but only {human_bytes(free)} are free"
    )
    change = {"serving.gpu_memory_utilization": fits} if fits > 0 else {}
    yield Finding("utilization-beyond-free", message, f"set {fits:g}, or stop the other processes", "error", change)


def image_rules(resolved: Resolved) -> Iterator[Finding]:
    """Images go to models that see."""
    if resolved.workload.images <= 0 or resolved.architecture.vision or resolved.architecture.vision_tower:
        return
    message = "the workload has images, but the model has no vision tower"
    yield Finding("images-need-vision", message, "choose a vision model", "error", {"workload.images": 0})


def slice_rules(resolved: Resolved) -> Iterator[Finding]:
    """Slices of a card share no peer-to-peer memory: one model replica per slice."""
    serving, name = resolved.serving, resolved.cluster.device.slice
    group = serving.tp * serving.attention_dp * serving.pp
    if name is None or group == 1:
        return
    change = {"serving.tp": 1, "serving.attention_dp": 1, "serving.pp": 1, "serving.ep": 1, "serving.dp": serving.gpus}
    message = f"MIG slices ({name}) cannot form a group of {group}: they have no peer access"
    yield Finding("mig-no-group", message, "run one replica per slice (tp 1)", "error", change)


def leftover_rules(resolved: Resolved, shape: ModelShape) -> Iterator[Finding]:
    """A 16-bit conversion whose config.json still names the old scheme is loaded by the old scheme's rules."""
    own, table = resolved.architecture.quantization, resolved.deployment.model
    local = table.path is not None or table.config is not None
    if own is None or not local or resolved.quantization.scheme != "none" or own.scheme == "none":
        return
    trips = not widths_fit(model_shape(resolved.architecture, own), resolved.serving)
    message = f"config.json still has a quantization_config ({own.scheme}) beside 16-bit weights"
    fix = "remove quantization_config from config.json"
    yield Finding("quantization-config-left", message, fix, "error" if trips else "warning")


def draft_rules(resolved: Resolved) -> Iterator[Finding]:
    """A draft that is named but not known here: how much it takes is a guess, or left out."""
    table = resolved.serving.speculative
    if table is None or table.draft is None:
        return
    counted = not resolved.engine.local
    if resolved.draft is not None and not resolved.draft.assumed and counted:
        return
    guess = "a usual head of its method is counted" if resolved.draft and counted else "its memory is not counted"
    message = f"the sizes of the draft {table.draft[:80]!r} are not known here: {guess}"
    yield Finding("speculative-draft", message, "name a catalogue id or a directory with its config.json", "warning")
