"""From a model and a group of devices to options: weight format × engine, resolved once each."""

from __future__ import annotations

from dataclasses import dataclass, replace

from planner.documents.deployment import Deployment, EngineTable, ModelTable, ServingTable, WorkloadTable
from planner.documents.result import Finding
from planner.engines.profile import EngineProfile
from planner.engines.registry import engine_profile
from planner.errors import PlannerError
from planner.legality.formats import kv_rules
from planner.legality.shape import model_shape
from planner.library import Library
from planner.models.formats import model_bytes
from planner.models.gguf_layout import gguf_layout
from planner.models.source import ModelSource
from planner.models.tables import table
from planner.plan_models import room_of, worth
from planner.plan_question import Question
from planner.plan_weights import Reader, WeightChoice, below_floor, native_format, not_asked_for, weight_choices
from planner.resolve import resolve
from planner.resolved import Resolved
from planner.search.candidate import Option
from planner.search.groups import Group, hardware_table
from planner.search.ledger import Ledger
from planner.units import human_bytes

_UNRANKED_VALUE = 1000.0
"""Points of a model that no catalogue knows: it was named, so it competes only with itself."""


@dataclass(frozen=True, slots=True)
class Round:
    """Engines that are looked at together."""

    engines: tuple[tuple[str, str | None], ...]
    fallback: bool = False


def rounds(group: Group, question: Question, library: Library) -> tuple[Round, ...]:
    """Engines of the request, else those of the policy for this chip; the fallback apart."""
    if question.request.engines:
        pairs = [text.partition("==") for text in question.request.engines]
        return (Round(tuple((name, version or None) for name, _, version in pairs)),)
    row = None if group.is_cpu else library.database.accelerator(group.accelerator)
    choice = question.task.policy.engines_of(library.support.chip(row).id)
    first = Round(tuple((name, None) for name in choice.names))
    return (first, Round(tuple((name, None) for name in choice.fallback), True)) if choice.fallback else (first,)


def options(
    source: ModelSource, group: Group, engines: Round, question: Question, library: Library, ledger: Ledger
) -> list[Option]:
    """Everything that could run this model on this group, before any layout; the best formats first."""
    found: list[Option] = []
    ladder = not question.request.models
    for rank, (name, version) in enumerate(engines.engines):
        profile = engine_profile(name, version)
        local = profile.local
        reader = _reader(profile, group, library)
        choices = list(weight_choices(source, reader, ladder=ladder, policy=question.task.policy))
        if not choices:
            ledger.consider()
            ledger.reject(_no_format(local), f"{source.id} · {name}")
        for choice in choices:
            engine = EngineTable(name=name, version=profile.version)
            option = (
                _asked_for(choice, question)
                or _far_too_large(source, choice, group, question, library)
                or _option(source, choice, engine, group, question, library)
            )
            if isinstance(option, Finding):
                ledger.consider()
                ledger.reject(option, f"{source.id} · {choice.weights} · {name}")
            else:
                found.append(replace(option, rank=rank, local=local))
    return sorted(found, key=lambda option: -option.model_value)


def _reader(profile: EngineProfile, group: Group, library: Library) -> Reader:
    """The engine on these devices as a reader of checkpoints."""
    row = None if group.is_cpu else library.database.accelerator(group.accelerator)
    abilities = library.support.abilities(profile, row)
    schemes: dict[str, dict[str, str]] = table("quantization")["weights"]

    def reads(weights: str, repo: str) -> bool:
        scheme = schemes.get(weights, {}).get("scheme", weights)
        return abilities is None or abilities.refused(scheme, repo) is None

    native = library.support.chip(row).native
    return Reader(profile.name, profile.local, reads, "bf16" in native or "fp16" not in native)


def _asked_for(choice: WeightChoice, question: Question) -> Finding | None:
    floor, allowed = question.task.quality_floor, question.request.weights
    return below_floor(choice, floor) or not_asked_for(choice, allowed)


def _far_too_large(
    source: ModelSource, choice: WeightChoice, group: Group, question: Question, library: Library
) -> Finding | None:
    """By count and precision alone, before anything is computed: beyond all memory of the group and its host."""
    total = source.row.parameters_total if source.row else None
    if total is None or choice.level is None:
        return None
    least = 0.9 * total * question.task.policy.bytes_per_parameter(choice.level)
    room = room_of(group, library)[0]
    host = 0.0 if group.is_cpu else float(group.host.ram_bytes or 0.0)
    if not room or least <= room + host:
        return None
    message = f"more than {human_bytes(least)} of weights exceed {human_bytes(room + host)} of memory together"
    return Finding("does-not-fit", message, "smaller weights or more devices")


def _option(
    source: ModelSource,
    choice: WeightChoice,
    engine: EngineTable,
    group: Group,
    question: Question,
    library: Library,
) -> Option | Finding:
    document = Deployment(
        schema="deploy-planner/deployment/1",
        model=model_table(source, choice),
        hardware=hardware_table(group, _known_bytes(group, library), group.nodes, group.per_node),
        engine=engine,
        serving=_serving(engine, group, question, library),
        workload=_workload(source, question),
    )
    try:
        base = resolve(document, library, source)
        size = _file_bytes(base, source)
    except (PlannerError, KeyError) as error:
        return Finding("format-unknown", f"cannot be planned: {error}", "name another format")
    value = worth(source.row, question) if source.row else _UNRANKED_VALUE
    level = choice.level or (native_format(source) if choice.native else None)
    cost = 0.0 if choice.native else question.task.policy.cost_of(choice.level)
    return Option(
        base=base,
        shape=model_shape(base.architecture, base.quantization),
        group=group,
        weights=choice.weights,
        checkpoint=choice.checkpoint,
        model_bytes=size,
        model_value=value - cost,
        level=level,
        native=choice.native,
        made=choice.made,
    )


def _serving(engine: EngineTable, group: Group, question: Question, library: Library) -> ServingTable | None:
    """What of serving was asked for before any layout: the KV cache's format, by the name that this engine gives it."""
    asked = question.request.kv_cache
    if asked is None:
        return None
    row = None if group.is_cpu else library.database.accelerator(group.accelerator)
    abilities = library.support.abilities(engine_profile(engine.name, engine.version), row)
    known = (asked, *abilities.kv_dtypes) if abilities is not None else (asked,)
    legal = (name for name in known if name.startswith(asked) and not (abilities and any(kv_rules(name, abilities))))
    return ServingTable(kv_cache_dtype=next(legal, asked))


def _workload(source: ModelSource, question: Question) -> WorkloadTable:
    """Models that embed or rank write nothing, and cut what is longer than they can read."""
    table, architecture = question.workload, source.architecture
    if architecture.kind not in ("encoder", "reranker"):
        return table
    longest = float(architecture.max_position or table.isl or 0.0)
    return replace(table, osl=0.0, isl=min(table.isl or 0.0, longest))


def _file_bytes(base: Resolved, source: ModelSource) -> float:
    """Weights as they lie on disk."""
    if base.quantization.scheme.startswith("gguf:"):
        return gguf_layout(base.architecture, base.quantization.scheme, base.gguf_file_bytes).file_bytes
    return source.exact_bytes or model_bytes(base.architecture, base.quantization)


def model_table(source: ModelSource, choice: WeightChoice) -> ModelTable:
    """``[model]`` of the deployments of this model."""
    if source.path is not None:
        return ModelTable(id=source.id, path=str(source.path), weights=choice.weights)
    return ModelTable(id=source.id, weights=choice.weights, checkpoint=choice.checkpoint)


def _known_bytes(group: Group, library: Library) -> float | None:
    if group.is_cpu:
        return None
    row = library.database.accelerator(group.accelerator)
    return row.driver_memory_bytes or row.memory_bytes


def _no_format(local: bool) -> Finding:
    if local:
        return Finding("no-gguf", "no GGUF file of this model is known", "convert it, and plan with its path")
    return Finding("no-checkpoint", "the files are a GGUF, which this engine does not serve", "use llama.cpp")
