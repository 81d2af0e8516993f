"""In which weight formats a model is to be had: published, as GGUF mixes, made by an engine while loading."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from planner.documents.result import Finding
from planner.models.quality import at_least, level_of
from planner.models.source import ModelSource
from planner.search.policy import Conversion, Policy

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
    made: str = ""
    """How it comes about where nobody publishes it, in words."""

    @property
    def level(self) -> str | None:
        return level_of(self.weights) if self.weights else None


@dataclass(frozen=True, slots=True)
class Reader:
    """An engine as a reader of checkpoints."""

    name: str
    local: bool
    """Of the llama.cpp family."""
    reads: Callable[[str, str], bool]
    """Whether it reads weights of a format out of a repository."""
    has_bf16: bool = True
    """Of the chip."""


def weight_choices(source: ModelSource, reader: Reader, *, ladder: bool, policy: Policy) -> Iterator[WeightChoice]:
    """Formats for an engine, each once, the published ones first; with ``ladder`` fewer mixes of GGUF."""
    if source.path is not None:
        yield from _of_files(source, reader)
    elif reader.local:
        yield from _gguf(source, policy, policy.gguf_ladder if ladder else policy.gguf_mixes)
    else:
        published = list(_published(source, reader))
        yield from (_cast(choice, reader) for choice in published)
        yield from _made(published, policy.on_the_fly.get(reader.name, ()), policy.converted.get(reader.name), reader)


def _of_files(source: ModelSource, reader: Reader) -> Iterator[WeightChoice]:
    """Files on disk are what they are; plain 16-bit weights are cast where the chip lacks their format."""
    if (source.gguf is not None) != reader.local:
        return
    plain = not reader.local and native_format(source) == "bf16"
    yield _cast(WeightChoice("bf16" if plain and not reader.has_bf16 else None, native=True), reader)


def _published(source: ModelSource, reader: Reader) -> Iterator[WeightChoice]:
    """Of each format the first checkpoint that the engine reads, else the first."""
    own = native_format(source)
    chosen: dict[str, WeightChoice] = {}
    unread: set[str] = set()
    for checkpoint in source.row.checkpoints if source.row else ():
        name, reads = checkpoint.weights, reader.reads(checkpoint.weights, checkpoint.repo)
        if name not in chosen or (reads and name in unread):
            chosen[name] = WeightChoice(name, checkpoint.repo, checkpoint.bytes, name == own)
            unread = unread - {name} if reads else unread | {name}
    yield from chosen.values() if chosen else (WeightChoice(own, native=True),)


def _cast(choice: WeightChoice, reader: Reader) -> WeightChoice:
    if choice.weights != "bf16" or reader.has_bf16:
        return choice
    return replace(choice, weights="fp16", made="bf16 weights are cast while loading, the chip has no bf16")


def _made(
    published: list[WeightChoice], loading: tuple[str, ...], tool: Conversion | None, reader: Reader
) -> Iterator[WeightChoice]:
    """What the engine makes of 16-bit weights while loading, and what its own tool makes of them beforehand."""
    readable = {c.weights for c in published if c.checkpoint is None or reader.reads(c.weights or "", c.checkpoint)}
    wide = bool(readable & set(SIXTEEN_BIT))
    if wide:
        made = "made of the 16-bit weights while loading, no such checkpoint is known"
        yield from (WeightChoice(name, made=made) for name in loading if name not in readable)
    if tool is not None and (wide or readable & set(tool.sources)):
        made = f"made beforehand with {tool.tool}, no such checkpoint is known"
        yield from (WeightChoice(name, made=made) for name in tool.weights if name not in readable)


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
    """Formats that the question leaves out; ``gguf`` allows every mix, ``awq`` whatever begins so."""
    name = choice.weights
    if not allowed or name is None or any(name == a or name.startswith((f"{a}-", f"{a}:")) for a in allowed):
        return None
    message = f"only {', '.join(allowed)} weights were asked for"
    return Finding("weights-not-asked-for", message, "allow more formats", "error", {"request.weights": None})
