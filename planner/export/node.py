"""One node among several of the same instance."""

from __future__ import annotations

from dataclasses import dataclass

from planner.export.emit.words import Ref, Word

HEAD_PORT = 29500
"""Where the nodes of an instance find each other."""


@dataclass(frozen=True, slots=True)
class Node:
    """Who this node is and where the first one listens; both often only known when it runs."""

    rank: Word
    head: Word
    follower: bool
    port: int = HEAD_PORT


def by_variables(follower: bool, rank: str = "NODE_RANK", head: str = "HEAD_ADDRESS") -> Node:
    """A node that learns its place from variables."""
    return Node(Ref(rank) if follower else "0", Ref(head), follower)
