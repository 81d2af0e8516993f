"""What an operator should know about a detected machine, each with what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.documents.inventory import Node, Notice

if TYPE_CHECKING:
    from hwdb.database import Database


def advise(node: Node, db: Database) -> tuple[Notice, ...]:
    """All notices of a node."""
    return ()
