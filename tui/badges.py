"""What fits of the whole catalogue, asked of a desk: hopeless sizes at once, then one model after the other."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from typing import TYPE_CHECKING

from tui.desk.tasks import FitOf, TooLarge
from tui.fits import Fit

if TYPE_CHECKING:
    from planner.library import Library
    from tui.desk.local import Desk
    from tui.draft import Draft
    from tui.services import Stopped

Wanted = Callable[[], tuple[str, ...]]
"""Ids on the screen right now: they come first."""


def fits_of(
    draft: Draft, library: Library, desk: Desk, wanted: Wanted, stopped: Stopped, known: Container[str] = ()
) -> Iterator[tuple[str, Fit]]:
    """Every model not yet ``known``: the hopeless first, then what is on the screen, then by prominence."""
    hopeless = desk.do(TooLarge(draft), stopped=stopped) if draft.purpose == "serve" else frozenset()
    for id_ in sorted(hopeless):
        yield id_, Fit("✗", "larger than all memory together, even in its smallest format")
    models = library.catalogue.search("")
    left = {model.id: None for model in models if model.id not in hopeless and model.id not in known}
    while left and not stopped():
        id_ = next((id_ for id_ in wanted() if id_ in left), next(iter(left)))
        del left[id_]
        fit = desk.do(FitOf(id_, draft), stopped=stopped)
        if not stopped():
            yield id_, fit
