"""Models as text: a list of many, all numbers of one with their sources, or what the files of one on disk say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from hwdb.schema import Source
from planner.cli.tables import align
from planner.errors import PlannerError
from planner.models.catalogue_row import CatalogueModel, PublishedCheckpoint
from planner.models.parameters import count_parameters
from planner.models.quality import FormatQuality, quality_of
from planner.units import human_bytes, human_count

if TYPE_CHECKING:
    from planner.models.architecture import Architecture
    from planner.models.catalogue import Catalogue
    from planner.models.source import ModelSource

_UNKNOWN = "-"
_HEADER = ("id", "size (active)", "context", "weights", "licence", "released", "uses", "points")


def listing(found: Iterable[CatalogueModel]) -> str:
    """One line a model; points with ~ are estimates."""
    return align([_HEADER, *(_line(model) for model in found)])


def _line(model: CatalogueModel) -> tuple[str, ...]:
    points = f"{model.prominence:.0f}" if model.arena_score else f"~{model.prominence:.0f}"
    formats = dict.fromkeys(c.weights for c in model.checkpoints)
    return (
        model.id,
        _size(model),
        f"{model.max_context:,}" if model.max_context else _UNKNOWN,
        " ".join((*formats, *(["gguf"] if model.gguf_repos else []))),
        model.licence or _UNKNOWN,
        (model.released or _UNKNOWN)[:7],
        " ".join(model.uses),
        points,
    )


def _size(model: CatalogueModel) -> str:
    if model.parameters_total is None:
        return _UNKNOWN
    active = f" ({human_count(model.parameters_active)})" if model.parameters_active else ""
    return human_count(model.parameters_total) + active


def page(model: CatalogueModel, catalogue: Catalogue) -> str:
    """Everything that is known of one model, each figure with its source."""
    numbers: dict[Source, int] = {}
    origin = "" if model.origin == "built-in" else f"   from {model.origin}"
    blocks = [f"{model.name}   {model.id}{origin}"]
    blocks.append(align(((n, v, _mark(model.sources.get(s), numbers)) for n, v, s in _facts(model)), indent="  "))
    blocks.append("architecture\n" + align(_counted(model), indent="  "))
    blocks.append("published weights\n" + align((_checkpoint(c, numbers) for c in model.checkpoints), indent="  "))
    if model.gguf_repos:
        blocks.append("GGUF\n" + "\n".join(f"  {repo}" for repo in model.gguf_repos))
    related = catalogue.relatives(model)
    if related:
        blocks.append("related\n" + align(((m.id, _relation(model, m)) for m in related), indent="  "))
    if model.doubts:
        blocks.append("doubts\n" + "\n".join(f"  {doubt}" for doubt in model.doubts))
    blocks.append("sources\n" + "\n".join(f"  [{n}] {_source(source)}" for source, n in numbers.items()))
    return "\n\n".join(blocks)


def _facts(model: CatalogueModel) -> Iterator[tuple[str, str, str]]:
    """Name, text and key of the source of each fact."""
    yield "family", model.family, ""
    yield "released", model.released or "unknown", "released"
    yield "licence", model.licence or "unknown", "licence"
    yield "commercial use", " · ".join(filter(None, (model.commercial_use, model.licence_note))), "licence"
    yield "gated", {True: "yes", False: "no", None: "unknown"}[model.gated], ""
    yield "longest context", f"{model.max_context:,} tokens" if model.max_context else "unknown", "max_context"
    yield "uses", ", ".join(model.uses), ""
    yield "parameters", _size(model).replace(_UNKNOWN, "unknown"), "parameters"
    if model.parameters_stored:
        yield "elements in the checkpoint", f"{model.parameters_stored:,}", "parameters"
    if model.arena_score:
        yield "Arena text score", f"{model.arena_score}", "arena_score"
    yield "config", model.config_quality, "config"


def _counted(model: CatalogueModel) -> list[tuple[str, str]]:
    try:
        return architecture_rows(model.architecture)
    except PlannerError as error:
        return [("not planned with", str(error))]


def architecture_rows(architecture: Architecture) -> list[tuple[str, str]]:
    """What the planner computes with, counted from the config or file."""
    count = count_parameters(architecture)
    rows = [
        ("type", f"{architecture.model_type} ({architecture.kind})"),
        ("parameters counted", f"{count.total:,}"),
        ("active per token", f"{count.active:,}"),
        ("layers", " + ".join(_layers(architecture))),
        ("hidden · vocabulary", f"{architecture.hidden_size:,} · {architecture.vocab_size:,}"),
    ]
    if count.routed_experts:
        rows.append(("in routed experts", f"{count.routed_experts:,}"))
    if count.vision:
        rows.append(("in the vision tower", f"{count.vision:,}"))
    if architecture.quantization:
        rows.append(("stored as", architecture.quantization.scheme))
    return rows + [("doubt", doubt) for doubt in architecture.doubts]


def _layers(architecture: Architecture) -> Iterator[str]:
    for index, layer in enumerate(architecture.layer_kinds):
        yield f"{architecture.layer_order.count(index)} × {layer.name}"


def _checkpoint(checkpoint: PublishedCheckpoint, numbers: dict[Source, int]) -> tuple[str, ...]:
    size = "size unknown"
    if checkpoint.bytes:
        size = f"{'' if checkpoint.exact else '~'}{human_bytes(checkpoint.bytes)}"
    source = _mark(Source(checkpoint.source) if checkpoint.source else None, numbers)
    return checkpoint.weights, checkpoint.repo, size, quality_text(quality_of(checkpoint.weights)), source


def quality_text(quality: FormatQuality) -> str:
    """The published cost of a format in words."""
    if quality.recovery:
        low, high = quality.recovery
        return f"keeps {low:.0%} – {high:.0%} of scores"
    if quality.perplexity_ratio:
        low, high = quality.perplexity_ratio
        return f"perplexity × {low:.3f} – {high:.3f}"
    return "" if quality.level == "bf16" else "cost in quality unknown"


def _relation(model: CatalogueModel, other: CatalogueModel) -> str:
    for text, ours, theirs in (
        ("base of this", model.base, None),
        ("teacher of this", model.distilled_from, None),
        ("built on this", None, other.base),
        ("distilled from this", None, other.distilled_from),
    ):
        if ours == other.id or theirs == model.id:
            return text
    return "same architecture"


def _mark(source: Source | None, numbers: dict[Source, int]) -> str:
    return f"[{numbers.setdefault(source, len(numbers) + 1)}]" if source else ""


def _source(source: Source) -> str:
    return f"{source.text} ({source.date})" if source.date else source.text


def source_plain(source: ModelSource) -> dict[str, Any]:
    """A model on disk as plain values."""
    count = count_parameters(source.architecture)
    return {
        "id": source.id,
        "path": str(source.path),
        "parameters_total": count.total,
        "parameters_active": count.active,
        "exact_bytes": source.exact_bytes,
        "quantization": source.quantization.scheme if source.quantization else None,
        "problems": list(source.problems),
        "config": source.config,
    }


def source_page(source: ModelSource) -> str:
    """What the files of a model on disk say."""
    rows = architecture_rows(source.architecture)
    if source.exact_bytes:
        rows.append(("bytes of all tensors", f"{source.exact_bytes:,.0f}  ({human_bytes(source.exact_bytes)})"))
    if source.gguf:
        rows += [(f"in {kind}", human_bytes(size)) for kind, size in source.gguf.bytes_by_type.items()]
    if source.checkpoint:
        rows += [(f"in {kind}", human_bytes(size)) for kind, size in source.checkpoint.bytes_by_dtype.items()]
    blocks = [f"{source.id}   {source.path}", align(rows, indent="  ")]
    if source.problems:
        blocks.append("problems\n" + "\n".join(f"  {problem}" for problem in source.problems))
    return "\n\n".join(blocks)
