"""What runs beside the event loop: detection, planning, badges, the load curve. The newest supersedes the older."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING

from textual import work
from textual.timer import Timer
from textual.worker import Worker, WorkerState

from tui.desk.local import Desk
from tui.draft import Draft
from tui.messages import FitsProgress, PlanProgress
from tui.services import Services
from tui.session import INTERNAL, Session, model_free
from tui.threads import in_thread
from tui.toasts import PlainToasts

if TYPE_CHECKING:
    from planner.documents.inventory import Inventory
    from planner.documents.result import PlannedDeployment
    from planner.library import Library
    from tui.answers import Answer
    from tui.fits import Fit
    from tui.load_curve import LoadPoint

FITS_PULSE_S = 0.4
"""Badges are handed over in batches, at most this often."""
GIVE_WAY_S = 0.03
"""How long threads hold back after a key: about what its answer takes."""
REFUSED = "hardware not taken"


class Jobs(PlainToasts):
    """The app's workers. Answers arrive in ``took_…`` methods, on the event loop, dropped when they are stale."""

    away = False
    """Whether long questions are answered in a process of their own."""

    def __init__(self, overlays: tuple[Path, ...], services: Services, debounce_s: float) -> None:
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self.session = Session()
        self.services = services
        self._overlays = overlays
        self._debounce_s = debounce_s
        self._opened: Library | None = None
        self._debounce: Timer | None = None
        self._stop_plan, self._stop_fits = Event(), Event()
        self._planner_at_work = Lock()
        self._fits_for: Draft | None = None
        self._fits_given_up: Draft | None = None
        self._on_screen: tuple[str, ...] = ()
        self._last_key = 0.0
        """When a person last did something, by the monotonic clock."""

    def library(self) -> Library:
        """The facts; opened by the first worker that needs them."""
        if self._opened is None:
            self._opened = self.services.library(self._overlays)
        return self._opened

    @cached_property
    def desk(self) -> Desk:
        """Where long questions are answered."""
        here = Desk(self.services, self.library)
        if not self.away:
            return here
        from tui.desk.away import Away

        return Away(here, self._overlays)

    @work(group="desk", exit_on_error=False)
    async def open_desk(self) -> None:
        """What takes a moment to start is started while the hardware is looked at."""
        desk = self.desk  # made here, before two threads want it at once

        def get_ready() -> None:
            import planner.presets  # noqa: F401 - the event loop wants it with the first hardware

            desk.open()

        await in_thread(get_ready, "desk")

    # hardware

    @work(exclusive=True, group="hardware", exit_on_error=False)
    async def detect_hardware(self) -> None:
        """Look at this machine."""
        self.show_activity("looking at this machine …")
        inventory = await in_thread(lambda: self.services.detect(self.library()), "detect")
        await self._read_fabrics(inventory)
        host = next((node.host.hostname for node in inventory.nodes if node.host.hostname), "this machine")
        self.took_hardware(inventory, f"{host} ({inventory.origin})")

    @work(exclusive=True, group="hardware", exit_on_error=False)
    async def load_hardware(self, spec: str) -> None:
        """Take hardware by name or from a file."""
        from planner.errors import PlannerError

        self.show_activity(f"reading {spec[:60]} …")
        try:
            inventory = await in_thread(lambda: self.services.load(spec, self.library()), "hardware")
        except PlannerError as error:
            self.refused(REFUSED, str(error))
        else:
            await self._read_fabrics(inventory)
            self.took_hardware(inventory, f"{Path(spec).name[:60]} ({inventory.origin})")

    async def _read_fabrics(self, inventory: Inventory) -> None:
        """Names of networks, once there is more than one machine to join."""
        if not self.session.fabrics and sum(node.count for node in inventory.nodes) > 1:
            rows = await in_thread(self.library().database.fabrics, "fabrics")
            self.session.fabrics = tuple((row.id, row.name) for row in rows)

    # planning

    def plan_soon(self) -> None:
        """Plan once the inputs are still; every change starts the wait again and stops what was running."""
        self._stop_plan.set()
        self._stop_plan = Event()
        self._stop_fits.set()
        if self._debounce is not None:
            self._debounce.stop()
            self._debounce = None
        if self.session.current:
            self.show_activity("")
        elif self.session.draft.inventory is not None or self.session.draft.purpose == "buy":
            self.show_activity("planning …")
            self._debounce = self.set_timer(self._debounce_s, self._plan_now)

    def _plan_now(self) -> None:
        self._debounce = None
        self._plan(self.session.draft, self._stop_plan)

    @property
    def planning(self) -> bool:
        """Whether a plan is being made or about to be."""
        return self._debounce is not None or self.running("plan")

    def giving_way(self, stop: Event) -> Callable[[], bool]:
        """Whether to stop, for a thread that asks often: while a key is being answered, it waits with its question.

        Two threads share one interpreter; this way the answer to a key does not share it.
        """

        def stopped() -> bool:
            while time.monotonic() - self._last_key < GIVE_WAY_S and not stop.is_set():
                time.sleep(GIVE_WAY_S / 10)
            return stop.is_set()

        return stopped

    def running(self, group: str) -> bool:
        return any(worker.group == group and worker.is_running for worker in self.workers)

    @work(exclusive=True, group="plan", exit_on_error=False)
    async def _plan(self, draft: Draft, stop: Event) -> None:
        """Ask the planner; a stopped plan answers with what it has so far."""

        from planner.errors import PlannerError
        from tui.desk.tasks import AnswerTo

        def ask() -> Answer:
            def tell(done: int, total: int, text: str) -> None:
                self.post_message(PlanProgress(draft, done, total, text))

            with self._planner_at_work:  # a plan that was superseded ends first
                return self.desk.do(AnswerTo(draft), tell, self.giving_way(stop))

        try:
            answer = await in_thread(ask, "plan")
        except PlannerError as error:
            if stop is self._stop_plan:
                self.plan_failed(draft, str(error))
        else:
            if stop is self._stop_plan:  # or it was superseded, by the same question perhaps
                self.took_plan(draft, answer, partial=stop.is_set())

    def stop_planning(self) -> None:
        """Take what there is so far."""
        if self._debounce is not None:
            self._debounce.stop()
            self._debounce = None
            self.show_activity("not planned · change an input, or r")
        self._stop_plan.set()

    # what fits of the catalogue

    def fits_soon(self) -> None:
        """Work out the catalogue for the draft, unless that was done or is being done."""
        key = model_free(self.session.draft)
        being_done = key == self._fits_for and not self._stop_fits.is_set()
        if key.inventory is None or being_done or key == self._fits_given_up:
            return
        if key != self._fits_for:
            self.session.fits = {}
        self._fits_for = key
        self._stop_fits.set()
        self._stop_fits = Event()
        self._fits(key, self._stop_fits)

    def stop_fits(self) -> None:
        """Leave the rest of the catalogue as it is, until an input changes."""
        self._fits_given_up = self._fits_for
        self.session.fits_activity = ""
        self._stop_fits.set()

    @work(exclusive=True, group="fits", exit_on_error=False)
    async def _fits(self, draft: Draft, stop: Event) -> None:
        from tui.badges import fits_of

        known, stopped = frozenset(self.session.fits), self.giving_way(stop)

        def wanted() -> tuple[str, ...]:
            return self._on_screen

        def run() -> None:
            library, batch, told = self.library(), dict[str, "Fit"](), time.monotonic()
            total = len(library.catalogue.models())
            for id_, fit in fits_of(draft, library, self.desk, wanted, stopped, known):
                batch[id_] = fit
                if time.monotonic() - told > FITS_PULSE_S:
                    self.post_message(FitsProgress(draft, batch, total))
                    batch, told = {}, time.monotonic()
            self.post_message(FitsProgress(draft, batch, total))

        await in_thread(run, "fits")

    # catalogue, load curve

    @work(exclusive=True, group="catalogue", exit_on_error=False)
    async def read_catalogue(self) -> None:
        catalogue = await in_thread(lambda: self.library().catalogue, "catalogue")
        await in_thread(catalogue.search, "catalogue")
        self.session.catalogue = catalogue
        self.redraw()

    @work(exclusive=True, group="curve", exit_on_error=False)
    async def read_load_curve(self, plan: PlannedDeployment) -> None:
        from tui.desk.tasks import CurveOf

        points = await in_thread(lambda: self.desk.do(CurveOf(plan)), "curve")
        self.took_load_curve(plan, points)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A worker that broke says so instead of leaving the screen waiting."""
        if event.state is WorkerState.ERROR:
            error = event.worker.error
            reason = f"{INTERNAL}: {type(error).__name__}: {error}"
            if event.worker.group == "plan":
                if not self.planning:  # or a newer one is under way
                    self.plan_failed(self.session.draft, reason)
            else:
                self.session.fits_activity = ""
                self.refused(f"{event.worker.group} failed", reason)

    # answers

    def took_hardware(self, inventory: Inventory, site: str) -> None:
        raise NotImplementedError

    def took_plan(self, draft: Draft, answer: Answer, *, partial: bool) -> None:
        raise NotImplementedError

    def plan_failed(self, draft: Draft, reason: str) -> None:
        raise NotImplementedError

    def took_load_curve(self, plan: PlannedDeployment, points: tuple[LoadPoint, ...]) -> None:
        raise NotImplementedError

    def refused(self, what: str, reason: str) -> None:
        raise NotImplementedError

    def show_activity(self, activity: str) -> None:
        raise NotImplementedError

    def redraw(self) -> None:
        raise NotImplementedError
