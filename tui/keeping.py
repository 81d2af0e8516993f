"""The session is kept while it goes on, and goes on after a crash or a line that dropped."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from textual.timer import Timer

from planner.errors import Exit
from tui.actions import Actions
from tui.draft import Draft
from tui.messages import StepShown
from tui.threads import in_thread

if TYPE_CHECKING:
    from planner.documents.inventory import Inventory
    from tui.session_document import Kept
    from tui.session_file import SessionFile

ON_PURPOSE = (0, Exit.INTERRUPTED)
"""Exit codes of an app that somebody left: there is nothing to take up again."""
PAUSE_S = 0.4
"""A session is written when nothing has changed for this long."""


class Keeping(Actions):
    """What an app with a session file does more than one without."""

    state: Path | None = None
    """The folder that a session is kept in; None keeps none."""
    keeper: SessionFile | None = None
    started_with: str | None = None
    _restored: Kept | None = None
    _pause: Timer | None = None

    def restore(self, *, fresh: bool) -> bool:
        """Take up what was cut off; True when its hardware needs no look at this machine."""
        if self.state is None:
            return False
        from planner.errors import BadInput
        from tui.purposes import STEPS
        from tui.session_file import SessionFile

        self.keeper = SessionFile(self.state)
        if not self.keeper.take() or fresh:
            return False
        try:
            kept = self.keeper.read(STEPS)
        except BadInput as error:
            self.notify(f"{error}", title="Session not taken up", severity="warning", timeout=12)
            return False
        if kept is None or kept.started_with != self.started_with or kept.draft.inventory is None:
            return False
        self._restored = kept
        if kept.draft.inventory.origin == "detected":
            return False
        self.begin_with(kept.draft.inventory, kept.draft.site)
        return True

    def begin_with(self, inventory: Inventory, site: str) -> None:
        """Start from hardware: with the usual inputs, or with those that were cut off."""
        from planner.presets import DEFAULT, preset

        kept, self._restored = self._restored, None
        if kept is None:
            self.session.begin(Draft(inventory=inventory, site=site).with_preset(preset(DEFAULT)))
        else:
            self.session.begin(replace(kept.draft, inventory=inventory, site=site))
            self.session.done, self.session.undone = kept.done, kept.undone
            self.call_later(self.walk.action_go, kept.step)
            words = f"The inputs of {kept.saved} are back; u takes them back one by one. --fresh starts anew."
            self.notify(words, title="Your session goes on", timeout=8)
        self.draft_changed()

    def on_step_shown(self, event: StepShown) -> None:
        self.keep_soon()

    def keep_soon(self) -> None:
        """Write the session once it is still."""
        if self.keeper is None or self.session.draft.inventory is None:
            return
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(PAUSE_S, self._keep)

    async def _keep(self) -> None:
        from tui.session_document import Kept

        self._pause = None
        session, keeper = self.session, self.keeper
        if keeper is None:
            return
        drafts = (*session.done, session.draft, *reversed(session.undone))
        saved = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")
        kept = Kept(drafts, len(session.done), self.walk.step, saved, self.started_with)
        await in_thread(lambda: keeper.write(kept), "session")

    def left(self, code: int) -> None:
        """The app ended with a code: on purpose, or cut off."""
        if self.keeper is not None and code in ON_PURPOSE:
            self.keeper.forget()
