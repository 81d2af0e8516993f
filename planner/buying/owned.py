"""What machines that are there already carry, so that only the rest is bought."""

from __future__ import annotations

from collections.abc import Iterator

from planner.buying.carriers import Unit, runnable
from planner.buying.errand import Errand, options_on
from planner.buying.pools import Part
from planner.buying.shapes import Shape
from planner.documents.inventory import Inventory
from planner.documents.result import Finding
from planner.errors import BadInput
from planner.search.groups import Group, groups_of

MOST_SPAN = 4
"""Machines that one copy is spread over at most."""

_POOLED = frozenset({"mixed-cards"})
"""Findings that do not count here: each kind is a pool of its own."""


def owned_parts(errand: Errand, inventory: Inventory) -> tuple[tuple[Part, ...], tuple[Finding, ...]]:
    """A part for each kind of device that runs the model within the promises, and what was left out."""
    groups, findings = groups_of(inventory)
    kinds = [group for group in groups if not group.is_cpu]
    if not kinds:
        raise BadInput("--have", "has no accelerator that the database knows", "name it: --have 8xH100-SXM")
    parts: list[Part] = []
    notes = [finding for finding in findings if finding.rule not in _POOLED]
    for group in _apart(kinds):
        part = _part(errand, group)
        if isinstance(part, Part):
            parts.append(part)
        else:
            notes.append(part)
    return tuple(parts), tuple(notes)


def _apart(groups: list[Group]) -> Iterator[Group]:
    """The largest group of each kind; the others are made of the same devices."""
    seen: set[str] = set()
    for group in groups:
        if group.accelerator not in seen:
            seen.add(group.accelerator)
            yield group


def _part(errand: Errand, group: Group) -> Part | Finding:
    """The smallest sets of these machines that run the model, as many as there are."""
    row = errand.library.database.accelerator(group.accelerator)
    for nodes in range(1, min(group.nodes, MOST_SPAN) + 1):
        shape = Shape(row, group.per_node, nodes)
        best = _best(errand, shape, group._replace(nodes=nodes, fabric=group.fabric or errand.fabric))
        if best is not None:
            return Part(best, group.nodes // nodes, owned=True)
    message = f"{group.title} does not serve {errand.source.id} within the promises"
    return Finding("have-unused", message, "smaller weights, or promises that are milder", "warning")


def _best(errand: Errand, shape: Shape, group: Group) -> Unit | None:
    """The configuration that carries most; the model's own format where it runs."""
    for option in options_on(errand, shape, group):
        candidates = runnable(option, errand.question.task, errand.tools, errand.ledger)
        units = [Unit(candidate, shape) for candidate in candidates]
        best = max(units, key=errand.capacity.of, default=None)
        if best is not None and errand.capacity.of(best) >= 1:
            return best
    return None
