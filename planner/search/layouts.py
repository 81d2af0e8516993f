"""Which layouts of devices are worth looking at for a model on a group: lazily, the plainest first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from planner.documents.request import Goal
from planner.legality.shape import ModelShape
from planner.words.layout import layout_words


class Layout(NamedTuple):
    """Ways of parallelism."""

    tp: int = 1
    attention_dp: int = 1
    pp: int = 1
    dp: int = 1
    ep: int = 1

    @property
    def replica(self) -> int:
        """Devices of one replica."""
        return self.tp * self.attention_dp * self.pp

    @property
    def gpus(self) -> int:
        return self.replica * self.dp

    def __str__(self) -> str:
        return layout_words(self._asdict(), self.gpus)


class Space(NamedTuple):
    """What bounds the layouts."""

    per_node: int
    nodes: int
    fast_link: bool
    """Devices of a node are joined by more than PCIe: pipeline stages inside a node then gain nothing."""
    sliced: bool = False


def layouts(shape: ModelShape, space: Space, goal: Goal, *, attention_dp: bool, least: int = 1) -> Iterator[Layout]:
    """Replica layouts of at least ``least`` devices, each with the numbers of replicas worth trying."""
    for stage in _stages(space):
        for pp in _pipelines(shape, space, stage):
            if stage * pp < least:
                continue
            for replica in _replicas(shape, stage, pp, attention_dp):
                yield from _copies(replica, space, goal)


def _stages(space: Space) -> list[int]:
    """Sizes of a tensor/attention group: powers of two and whole nodes."""
    if space.sliced:
        return [1]
    total = space.per_node * space.nodes
    sizes = {2**i for i in range(total.bit_length()) if 2**i <= total}
    sizes |= {n * space.per_node for n in range(1, space.nodes + 1) if n & (n - 1) == 0}
    sizes |= {d for d in range(1, space.per_node + 1) if space.per_node % d == 0}
    return sorted(s for s in sizes if s <= space.per_node or s % space.per_node == 0)


def _pipelines(shape: ModelShape, space: Space, stage: int) -> list[int]:
    """Stages across nodes; inside a node only where devices are joined by PCIe."""
    total = space.per_node * space.nodes
    if space.sliced:
        return [1]
    inside = [] if space.fast_link else [2**i for i in range(1, 6) if stage * 2**i <= space.per_node]
    across = []
    if stage == space.per_node:
        across = [n for n in range(2, space.nodes + 1) if n <= 4 or n & (n - 1) == 0]
    return [pp for pp in sorted({1, *inside, *across}) if pp <= shape.num_layers and stage * pp <= total]


def _replicas(shape: ModelShape, stage: int, pp: int, attention_dp: bool) -> Iterator[Layout]:
    yield Layout(tp=stage, pp=pp)
    if not shape.experts or stage == 1:
        return
    yield Layout(tp=stage, pp=pp, ep=stage)
    if not attention_dp or pp > 1:
        return
    groups = [2**i for i in range(1, stage.bit_length()) if stage % 2**i == 0]
    for group in reversed(groups):
        yield Layout(tp=stage // group, attention_dp=group, ep=stage)


def _copies(replica: Layout, space: Space, goal: Goal) -> Iterator[Layout]:
    """One replica, and as many as there is room for; every number where the fewest devices are wanted."""
    most = max(_room(replica.replica, space), 1)
    counts = {1, most}
    if goal == "fewest-gpus":
        counts = {n for n in range(1, most + 1) if n <= 8 or n & (n - 1) == 0}
    for dp in sorted(counts):
        yield Layout(replica.tp, replica.attention_dp, replica.pp, dp, replica.ep)


def _room(size: int, space: Space) -> int:
    """Replicas that fit without one of them straddling nodes needlessly."""
    if size <= space.per_node:
        return space.per_node // size * space.nodes
    return space.nodes * space.per_node // size
