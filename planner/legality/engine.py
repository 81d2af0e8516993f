"""Rules of the support triple: this engine, at this release, on this chip, for this kind of model."""

from __future__ import annotations

from collections.abc import Iterator

from planner.documents.deployment import SpeculativeTable
from planner.documents.result import Finding
from planner.engines.profile import EngineProfile
from planner.engines.speculation import NEEDS_DRAFT, method_name
from planner.engines.version import is_release
from planner.legality.shape import ModelShape
from planner.legality.support import Abilities, Support
from planner.models.architecture import Architecture
from planner.resolved import Device, PrefillWorkers, Serving

_TITLES = {
    "mla": "multi-head latent attention",
    "moe": "mixtures of experts",
    "recurrent": "layers with a recurrent state",
    "sparse-attention": "sparse attention with an indexer",
    "compressed-attention": "compressed attention",
    "sliding-window": "sliding-window attention",
    "vision": "image input",
    "encoder": "embedding models",
    "reranker": "rerankers",
    "encoder-decoder": "encoder-decoder models",
    "attention-dp": "data-parallel attention",
    "expert-parallel": "expert parallelism",
    "pipeline-parallel": "pipeline parallelism",
    "tensor-parallel": "tensor parallelism",
    "context-parallel": "decode context parallelism",
    "disaggregation": "prefill and decode on workers of their own",
    "disaggregation-pipeline": "handing caches over between pipeline stages",
    "disaggregation-wider-prefill": "handing caches over from more tensor ranks to fewer",
}


def chip_rules(engine: EngineProfile, device: Device, abilities: Abilities, support: Support) -> Iterator[Finding]:
    """The engine runs on this chip at all."""
    name = device.accelerator.name if device.accelerator else "a CPU"
    if abilities.on_chip == "unknown":
        message = f"it is not known here whether {engine.name} {engine.version} runs on {name}"
        yield Finding("engine-chip-unknown", message, "check the vendor's own build of the engine", "warning")
    elif abilities.on_chip == "no":
        others = engines_for(device, support)
        change = {"engine.name": others[0], "engine.version": None} if others else {}
        fix = f"use {' or '.join(others[:3])}" if others else "use the vendor's own engine"
        message = f"{engine.name} {engine.version} does not run on {name}"
        yield Finding("engine-on-chip", message, fix, "error", change)


def engines_for(device: Device, support: Support) -> tuple[str, ...]:
    """Engines that run on a device in their newest release, in the order of the tables."""
    newest = (EngineProfile(name, "", None, name, exact=False) for name in support.engines)
    able = ((p.name, support.abilities(p, device.accelerator)) for p in newest)
    return tuple(name for name, known in able if known and known.on_chip == "yes")


def model_rules(
    engine: EngineProfile, architecture: Architecture, shape: ModelShape, abilities: Abilities
) -> Iterator[Finding]:
    """The engine knows this architecture: by its features, by its type, by the class that its config names."""
    for feature in sorted(shape.features - abilities.features):
        yield _lacks(engine, feature, abilities)
    model_type = architecture.model_type
    if needed := abilities.models.get(model_type):
        yield _later(engine, f"{model_type} models", needed)
    elif abilities.known_models is not None and _plain(model_type) not in abilities.known_models:
        yield _unlisted(f"{model_type} is not among the models that {engine.name} is known here to run")
    else:
        yield from _class_rules(engine, architecture.classes, abilities)


def _class_rules(engine: EngineProfile, classes: tuple[str, ...], abilities: Abilities) -> Iterator[Finding]:
    """One of the classes is registered by this release; a name that no engine has says nothing.

    Encoders (``…Model``) are run by the classes of their base; a build between releases may be ahead of the next.
    """
    known = [name for name in classes if name in abilities.registered]
    if not abilities.registered or any(abilities.registered[name] is None for name in known):
        return
    if known and is_release(engine.version):
        yield _later(engine, known[0], abilities.registered[known[0]] or "")
    elif known:
        yield _unlisted(f"{known[0]} is registered from {abilities.registered[known[0]]} on; this is a build between")
    elif named := [name for name in classes if name in abilities.named and not name.endswith("Model")]:
        yield _unlisted(f"no release of {engine.name} up to those known here registers {named[0]}")


def _later(engine: EngineProfile, what: str, needed: str) -> Finding:
    message = f"{engine.name} {engine.version} does not know {what}"
    change = {"engine.version": needed.partition(",")[0].lstrip("><= ")}
    return Finding("engine-knows-model", message, f"use {engine.name} {needed}", "error", change)


def _unlisted(message: str) -> Finding:
    return Finding("engine-lists-model", message, "check the engine's list of supported models", "warning")


def _plain(model_type: str) -> str:
    """Text models inside multimodal ones are named after them."""
    return model_type.removesuffix("_text")


def layout_features(engine: EngineProfile, serving: Serving, abilities: Abilities) -> Iterator[Finding]:
    """The engine has the kinds of parallelism that the layout uses."""
    wanted = {
        "attention-dp": ("attention_dp", serving.attention_dp),
        "expert-parallel": ("ep", serving.ep),
        "pipeline-parallel": ("pp", serving.pp),
        "tensor-parallel": ("tp", serving.tp),
        "context-parallel": ("dcp", serving.dcp),
    }
    for feature, (key, ways) in wanted.items():
        if ways > 1 and feature not in abilities.features:
            yield _lacks(engine, feature, abilities, {f"serving.{key}": 1})
    if serving.prefill is not None:
        yield from _disaggregation(engine, serving, serving.prefill, abilities)


def _disaggregation(
    engine: EngineProfile, serving: Serving, prefill: PrefillWorkers, abilities: Abilities
) -> Iterator[Finding]:
    """Prefill workers: the engine hands caches over at all, between stages, and from more ranks to fewer."""
    if "disaggregation" not in abilities.features:
        yield _lacks(engine, "disaggregation", abilities, {"serving.disaggregation": None})
        return
    if max(serving.pp, prefill.pp) > 1 and "disaggregation-pipeline" not in abilities.features:
        change: dict[str, object] = {"serving.pp": 1, "serving.disaggregation.prefill.pp": 1}
        yield _lacks(engine, "disaggregation-pipeline", abilities, change)
    if prefill.tp > serving.tp and "disaggregation-wider-prefill" not in abilities.features:
        change = {"serving.disaggregation.prefill.tp": serving.tp}
        yield _lacks(engine, "disaggregation-wider-prefill", abilities, change)


def speculative_rules(
    table: SpeculativeTable | None, shape: ModelShape, engine: EngineProfile, abilities: Abilities
) -> Iterator[Finding]:
    """Speculative decoding against the engine and against what the checkpoint holds."""
    if table is None:
        return
    method = method_name(table.method)
    off = {"serving.speculative": None}
    if f"speculative:{method}" not in abilities.features:
        message = f"{engine.name} {engine.version} has no speculative method {table.method!r}"
        known = sorted(f.partition(":")[2] for f in abilities.features if f.startswith("speculative:"))
        fix = f"use one of {', '.join(known)}" if known else "leave speculation off"
        yield Finding("speculative-method", message, fix, "error", off)
    elif method == "mtp" and not shape.has_mtp:
        message = "the model has no multi-token-prediction layers"
        yield Finding("speculative-method", message, "use ngram or a draft model", "error", off)
    elif method in NEEDS_DRAFT and table.draft is None:
        message = f"speculative method {table.method!r} needs a draft model"
        yield Finding("speculative-draft", message, "name serving.speculative.draft", "warning")


def _lacks(
    engine: EngineProfile, feature: str, abilities: Abilities, change: dict[str, object] | None = None
) -> Finding:
    title = _TITLES.get(feature, feature)
    since = abilities.first.get(feature, "")
    message = f"{engine.name} {engine.version} has no {title} on {abilities.chip.title}"
    if since.startswith(">="):
        release = since.lstrip(">= ").partition(",")[0]
        return Finding(
            "engine-has-feature", message, f"use {engine.name} {since}", "error", {"engine.version": release}
        )
    fix = f"set {'; '.join(f'{k} {v}' for k, v in change.items())}" if change else "use another engine"
    return Finding("engine-has-feature", message, fix, "error", dict(change or {}))
