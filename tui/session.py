"""What the person has chosen so far and what the planner answered. No toolkit in here: values in, values out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tui.draft import Draft
from tui.purposes import PURPOSES

if TYPE_CHECKING:
    from planner.account.request import Assumptions
    from planner.buy_document import BuyDocument, Offer
    from planner.documents.inventory import Inventory
    from planner.documents.result import PlanDocument, PlannedDeployment
    from planner.models.catalogue import Catalogue
    from tui.answers import Answer
    from tui.export_bundle import Rendered
    from tui.fits import Fit
    from tui.load_curve import LoadPoint
    from tui.verify_file import Compared

INTERNAL = "internal error"
"""How the reason of a failure begins that is a mistake of the program."""
MAX_HISTORY = 100
MAX_MARKED = 4


@dataclass(slots=True)
class Session:
    """The draft with its history, the newest plan, the pinned proposal, and what was worked out in the background."""

    draft: Draft = field(default_factory=Draft)
    plan: PlanDocument | None = None
    planned_for: Draft | None = None
    """The draft that ``plan`` answers; older than ``draft`` while a new plan is being made."""
    fleets: BuyDocument | None = None
    """What ``plan`` was made of, where the walk is for buying."""
    pools: tuple[tuple[PlannedDeployment, ...], ...] = ()
    """Of each fleet its pools as deployments of their own; none where the fleet is one."""
    pool: int = 0
    """Index of the pool that is exported, of the fleet looked at."""
    shelf: dict[str, tuple[Draft, Answer]] = field(default_factory=dict)
    """The newest answer of each purpose: going back to it asks nothing anew."""
    partial: bool = False
    """The plan was stopped early."""
    failure: str | None = None
    """Why there is no plan for the draft: one line, and what to do."""
    trace_problem: str = ""
    """Why the trace that was named is none: one line, and what to do."""
    activity: str = ""
    """What is being worked out right now."""
    selected: int = 0
    """Index of the proposal looked at."""
    marked: tuple[int, ...] = ()
    """Indices of proposals to compare."""
    pinned: PlannedDeployment | None = None
    live: Inventory | None = None
    """The machine as it is right now, for the eye alone: plans are for the draft's."""
    catalogue: Catalogue | None = None
    fabrics: tuple[tuple[str, str], ...] = ()
    """Id and name of the networks between machines that are known; read when there are several machines."""
    fits: Mapping[str, Fit] = field(default_factory=dict)
    fits_activity: str = ""
    load_curve: tuple[LoadPoint, ...] | None = None
    """Of the proposal looked at; None while unknown."""
    rendered: Rendered | None = None
    """Files of the proposal that was exported last."""
    compared: Compared | None = None
    """The log or page that was compared last."""
    assumed: Assumptions | None = None
    """What a person said of prices; None: nothing yet."""
    undone: list[Draft] = field(default_factory=list)
    done: list[Draft] = field(default_factory=list)

    def change(self, changes: Mapping[str, Any]) -> bool:
        """Take other inputs; False when nothing changed. A slider on its way leaves one step of history."""
        draft = self.draft.changed(dict(changes))
        if draft == self.draft:
            return False
        if not self._goes_on(draft):
            self.done = [*self.done[-MAX_HISTORY:], self.draft]
        self.undone.clear()
        self._become(draft)
        return True

    def _goes_on(self, draft: Draft) -> bool:
        """The same input moved again before anything was planned for where it stood."""
        if not self.done or self.planned_for == self.draft:
            return False
        return _moved(self.done[-1], self.draft) == _moved(self.draft, draft) != frozenset()

    def undo(self) -> bool:
        """Back to the draft before; False at the beginning."""
        if not self.done:
            return False
        self.undone.append(self.draft)
        self._become(self.done.pop())
        return True

    def redo(self) -> bool:
        """Forward again; False when nothing was undone."""
        if not self.undone:
            return False
        self.done.append(self.draft)
        self._become(self.undone.pop())
        return True

    def _become(self, draft: Draft) -> None:
        if draft.purpose != self.draft.purpose:
            self._drop()
        self.draft, self.failure, self.trace_problem = draft, None, ""
        self._from_shelf()

    def _drop(self) -> None:
        """No answer: that of another purpose is none for this one."""
        self.plan, self.planned_for, self.fleets, self.pools, self.pinned = None, None, None, (), None
        self.selected, self.pool, self.marked, self.load_curve = 0, 0, (), None

    def _from_shelf(self) -> None:
        """The answer that was given to this very question before."""
        asked, answer = self.shelf.get(self.draft.purpose, (None, None))
        if asked is not None and answer is not None and asked.question == self.draft.question:
            self._take(self.draft, answer)

    def foresee(self, draft: Draft, answer: Answer) -> None:
        """The answer to a question that is about to be asked."""
        self.shelf[draft.purpose] = (draft, answer)

    def begin(self, draft: Draft) -> None:
        """Start from a draft that nobody chose: hardware that was just detected is no step to undo."""
        self._become(draft)

    def answer(self, draft: Draft, answer: Answer, *, partial: bool = False) -> bool:
        """Take a plan; False when it answers a draft that is no longer the current one."""
        if draft != self.draft:
            return False
        self.partial = partial
        self._take(draft, answer)
        if not partial:
            self.shelf[draft.purpose] = (draft, answer)
        return True

    def _take(self, draft: Draft, answer: Answer) -> None:
        from tui.answers import as_plan

        self.fleets, self.pools = getattr(answer, "bought", None), getattr(answer, "pools", ())
        self.plan, self.planned_for, self.failure = as_plan(answer), draft, None
        self.selected, self.pool, self.marked, self.load_curve = 0, 0, (), None

    def fail(self, draft: Draft, reason: str) -> bool:
        """Take the reason why there is no plan; False for an older draft."""
        if draft != self.draft:
            return False
        self.failure, self.plan, self.planned_for, self.fleets, self.pools = reason, None, None, None, ()
        self.selected, self.pool, self.marked, self.load_curve = 0, 0, (), None
        return True

    def look_at(self, index: int) -> bool:
        """Another proposal; False when it is looked at already."""
        if index == self.selected:
            return False
        self.selected, self.pool, self.load_curve = index, 0, None
        return True

    def mark(self, index: int) -> bool:
        """Mark a proposal to compare, or let it go; False when four are marked already."""
        if index in self.marked:
            self.marked = tuple(i for i in self.marked if i != index)
            return True
        if len(self.marked) >= MAX_MARKED:
            return False
        self.marked = (*self.marked, index)
        return True

    @property
    def best(self) -> PlannedDeployment | None:
        """The proposal looked at: the first, unless another was chosen."""
        if self.plan is None or not self.plan.candidates:
            return None
        return self.plan.candidates[min(self.selected, len(self.plan.candidates) - 1)]

    @property
    def exported_pools(self) -> tuple[PlannedDeployment, ...]:
        """The pools of the fleet looked at, where there are several: each is exported as a deployment of its own."""
        return self.pools[min(self.selected, len(self.pools) - 1)] if self.pools else ()

    @property
    def exported(self) -> PlannedDeployment | None:
        """What step 5 writes: the proposal looked at, or one pool of a fleet of two kinds."""
        pools = self.exported_pools
        return pools[min(self.pool, len(pools) - 1)] if pools else self.best

    @property
    def offer(self) -> Offer | None:
        """The fleet looked at, where the walk is for buying."""
        offers = self.fleets.offers if self.fleets else ()
        return offers[min(self.selected, len(offers) - 1)] if offers else None

    @property
    def served_model(self) -> str | None:
        """The catalogue model of the plan for serving that is looked at, or was when that was left."""
        from tui.answers import as_plan

        plan = self.best
        if self.draft.purpose != "serve":
            _, answer = self.shelf.get("serve", (None, None))
            plan = next(iter(as_plan(answer).candidates), None) if answer is not None else None
        return plan.deployment["model"].get("id") if plan is not None else None

    @property
    def wants_model(self) -> bool:
        """Whether there can be no plan before a model is chosen: what each would do is known all the same."""
        return self.draft.model is None and PURPOSES[self.draft.purpose].needs_model

    @property
    def current(self) -> bool:
        """Whether the plan answers the draft as it stands."""
        return self.plan is not None and self.planned_for == self.draft


def _moved(before: Draft, after: Draft) -> frozenset[str]:
    """Names of inputs that differ."""
    names = Draft.__dataclass_fields__
    found = {name for name in names if name != "preset" and getattr(before, name) != getattr(after, name)}
    for part in found & {"training", "purchase"}:
        one, other = getattr(before, part), getattr(after, part)
        found |= {f"{part}.{n}" for n in one.__dataclass_fields__ if getattr(one, n) != getattr(other, n)}
    return frozenset(found)


def model_free(draft: Draft) -> Draft:
    """The draft without its model: what fits of the whole catalogue depends on the rest."""
    return replace(draft, model=None, purpose="tune" if draft.purpose == "tune" else "serve").question
