"""What every builder of a part of a layer takes and gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from planner.models.architecture import Cache, Dense, Mixer, MoE, Part, Shard, Tensor

Value = int | str | bool | None


class LayerSpec(NamedTuple):
    """What tells one decoder layer from another, read off the config's patterns. Equal specs share one ``Layer``."""

    mixers: tuple[str, ...] = ("attention",)
    window: int | None = None
    feed_forward: tuple[str, ...] = ("dense",)
    values: tuple[tuple[str, Value], ...] = ()
    """Keys that this layer sees otherwise than the config says (heads of sliding layers, sizes of a NAS block)."""


class Block(NamedTuple):
    """Part of a layer."""

    tensors: tuple[Tensor, ...] = ()
    caches: tuple[Cache, ...] = ()
    mixers: tuple[Mixer, ...] = ()
    feed_forward: Dense | MoE | None = None


def linear(  # noqa: PLR0913 (one call says all there is to say about a projection)
    module: str,
    out: int,
    into: int,
    *,
    part: Part,
    shard: Shard = "replicated",
    bias: bool = False,
    heads: int = 0,
    quantized: bool = True,
) -> Iterator[Tensor]:
    """A projection and its bias. The bias of a row-parallel projection is added once, after the reduction."""
    yield Tensor(module, (out, into), part, shard, heads, quantized)
    if bias:
        yield Tensor(f"{module}.bias", (out,), part, "replicated" if shard == "row" else shard, heads)


def norm(module: str, size: int, kind: str = "rms") -> Iterator[Tensor]:
    """Weights of a normalisation: ``rms`` or ``scale`` one vector, ``layer`` scale and bias, ``none`` nothing."""
    if kind != "none":
        yield Tensor(module, (size,), "norm")
    if kind == "layer":
        yield Tensor(f"{module}.bias", (size,), "norm")
