"""In which weight formats a model is to be had: published, as GGUF mixes, made by an engine while loading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from planner.documents.result import Finding
from planner.models.quality import at_least, level_of
from planner.models.source import ModelSource
from planner.search.policy import Policy

SIXTEEN_BIT = ("bf16", "fp16")
_NAMED = {"awq": "awq-int4", "gptq": "gptq-int4", "w4a16": "w4a16-int4"}
"""Schemes of a config and what ``model.weights`` calls them."""


@dataclass(frozen=True, slots=True)
class WeightChoice:
    """One format of one model."""

    weights: str | None
    """As in ``model.weights``; None: as the local files are."""
    checkpoint: str | None = None
    bytes: int | None = None
    native: bool = False
    on_the_fly: bool = False

    @property
    def level(self) -> str | None:
        return level_of(self.weights) if self.weights else None


def weight_choices(
    source: ModelSource, engine: str, *, local: bool, ladder: bool, policy: Policy
) -> Iterator[WeightChoice]:
    """Formats for an engine, each once, the published ones first; with ``ladder`` fewer mixes of GGUF."""
    if source.path is not None:
        yield from _of_files(source, local)
    elif local:
        yield from _gguf(source, policy, policy.gguf_ladder if ladder else policy.gguf_mixes)
    else:
        published = list(_published(source))
        yield from published
        yield from _made_while_loading(published, policy.on_the_fly.get(engine, ()))


def _of_files(source: ModelSource, local: bool) -> Iterator[WeightChoice]:
    """Files on disk are what they are."""
    if (source.gguf is not None) == local:
        yield WeightChoice(None, native=True)


def _published(source: ModelSource) -> Iterator[WeightChoice]:
    seen: set[str] = set()
    own = native_format(source)
    for checkpoint in source.row.checkpoints if source.row else ():
        if checkpoint.weights not in seen:
            seen.add(checkpoint.weights)
            native = checkpoint.weights == own
            yield WeightChoice(checkpoint.weights, checkpoint.repo, checkpoint.bytes, native)
    if not seen:
        yield WeightChoice(own, native=True)


def _made_while_loading(published: list[WeightChoice], formats: tuple[str, ...]) -> Iterator[WeightChoice]:
    have = {choice.weights for choice in published}
    if have & set(SIXTEEN_BIT):
        yield from (WeightChoice(name, on_the_fly=True) for name in formats if name not in have)


def _gguf(source: ModelSource, policy: Policy, mixes: tuple[str, ...]) -> Iterator[WeightChoice]:
    row = source.row
    if row is None or not row.gguf_repos:
        return
    four = native_format(source) == "mxfp4"
    for mix in policy.gguf_float4 if four else mixes:
        yield WeightChoice(f"gguf:{mix}", row.gguf_repos[0], native=four)


def native_format(source: ModelSource) -> str:
    """The format that the model itself was published in, as ``model.weights`` names it."""
    row, dtype = source.row, source.architecture.dtype
    own = next((c.weights for c in row.checkpoints if c.repo == row.id), None) if row else None
    if own is not None:
        return own
    scheme = source.architecture.quantization.scheme if source.architecture.quantization else "none"
    if scheme == "none":
        return dtype if dtype in SIXTEEN_BIT else "bf16"
    return "fp8" if scheme.startswith("fp8") else _NAMED.get(scheme, scheme)


def below_floor(choice: WeightChoice, floor: str) -> Finding | None:
    """Formats under the quality floor; a model's own format never is."""
    if choice.native or choice.weights is None or at_least(choice.weights, floor) is not False:
        return None
    message = f"{choice.weights} is below the quality floor {floor}"
    change = {"request.quality_floor": choice.level}
    return Finding("quality-floor", message, f"set the quality floor to {choice.level}", "error", change)


def not_asked_for(choice: WeightChoice, allowed: tuple[str, ...]) -> Finding | None:
    """Formats that the question leaves out; ``gguf`` allows every mix."""
    name = choice.weights
    if not allowed or name is None or name in allowed or (name.startswith("gguf:") and "gguf" in allowed):
        return None
    message = f"only {', '.join(allowed)} weights were asked for"
    return Finding("weights-not-asked-for", message, "allow more formats", "error", {"request.weights": None})
