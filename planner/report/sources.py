"""Where the facts of a deployment were read: card, model, engine, network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hwdb.errors import LookupProblem
from planner.documents.deployment import Deployment
from planner.errors import PlannerError
from planner.report.material import Fact
from planner.words.hardware import shown

if TYPE_CHECKING:
    from hwdb.schema import Accelerator, Connection, Source
    from planner.library import Library

CARD_FIELDS = {
    "memory_bytes": "memory",
    "runtime_memory_bytes": "memory that a runtime sees",
    "bandwidth_bytes_s": "memory bandwidth",
    "peak_flop_s.bf16": "dense peak, bf16",
    "peak_flop_s.fp8": "dense peak, fp8",
    "peak_flop_s.fp4": "dense peak, fp4",
    "achieved_flop_s.bf16": "achieved, bf16",
    "achieved_flop_s.fp8": "achieved, fp8",
    "link_bytes_s": "link, one direction",
    "pcie_bytes_s": "PCIe, one direction",
    "tdp_w": "board power",
}
CPU = "cpu"


def facts_of(deployment: Deployment, library: Library) -> Iterator[Fact]:
    """Each fact with its source; nothing for what the database does not know."""
    card = _card(deployment, library)
    if card is not None:
        yield from _card_facts(card)
    hardware = deployment.hardware
    for kind, name in (("link", hardware and hardware.interconnect), ("fabric", hardware and hardware.fabric)):
        if name:
            yield from _connection_facts(kind, name, library)
    yield from _model_facts(deployment, library)
    yield from _engine_facts(deployment)


def doubts_of(deployment: Deployment, library: Library) -> Iterator[str]:
    """What the card's and the model's own rows call doubtful."""
    card = _card(deployment, library)
    for field, text in sorted(card.doubts.items()) if card else ():
        yield f"{card.name if card else ''}, {field}: {text}"
    model = _model(deployment, library)
    for text in model.doubts if model else ():
        yield f"{model.id}: {text}"


def _card(deployment: Deployment, library: Library) -> Accelerator | None:
    hardware = deployment.hardware
    if hardware is None or hardware.accelerator in (None, CPU):
        return None
    try:
        return library.database.accelerator(hardware.accelerator or "")
    except LookupProblem:
        return None


def _card_facts(card: Accelerator) -> Iterator[Fact]:
    for dotted, label in CARD_FIELDS.items():
        field, _, key = dotted.partition(".")
        value: Any = getattr(card, field)
        value = value.get(key) if key else value
        source = card.sources.get(dotted) or card.sources.get(field)
        if value is not None:
            yield _fact(f"{card.name}: {label}", shown(field, value), source)


def _connection_facts(kind: str, name: str, library: Library) -> Iterator[Fact]:
    try:
        found: Connection = library.database.link(name) if kind == "link" else library.database.fabric(name)
    except LookupProblem:
        return
    value = getattr(found, "bytes_s", None)
    if value:
        yield _fact(f"{found.name}: one direction", shown("bytes_s", value), found.sources.get("bytes_s"))


def _model(deployment: Deployment, library: Library) -> Any:
    model = deployment.model
    if model.id is None or model.path is not None or model.config is not None:
        return None
    try:
        return library.catalogue.get(model.id)
    except PlannerError:
        return None


def _model_facts(deployment: Deployment, library: Library) -> Iterator[Fact]:
    model = _model(deployment, library)
    if model is None:
        path = deployment.model.path or "a configuration in the document"
        yield Fact("model", "read from files", str(path))
        return
    values = {"parameters": model.parameters_total, "licence": model.licence, "released": model.released}
    for name in ("config", "parameters", "licence", "max_context", "released"):
        if source := model.sources.get(name):
            value = values.get(name, getattr(model, name, None) if name == "max_context" else model.config_quality)
            yield _fact(f"{model.id}: {name}", f"{value:,}" if isinstance(value, int) else str(value), source)


def _engine_facts(deployment: Deployment) -> Iterator[Fact]:
    """Each text once, with the facts that were read there."""
    from planner.engines.registry import engine_profile

    engine = deployment.engine
    if engine is None or deployment.finetune is not None:
        return
    try:
        profile = engine_profile(engine.name, engine.version, engine.backend)
    except PlannerError:
        return
    by_text: dict[str, list[str]] = {}
    for key, text in sorted(profile.sources.items()):
        by_text.setdefault(text, []).append(key)
    for text, keys in by_text.items():
        more = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
        yield Fact(f"{engine.name} {profile.version}: behaviour", ", ".join(keys[:3]) + more, text)


def _fact(what: str, value: str, source: Source | None) -> Fact:
    if source is None:
        return Fact(what, value, "no source noted", False)
    return Fact(what, value, f"{source.text}, {source.date}" if source.date else source.text, source.verified)
