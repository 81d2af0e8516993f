"""What was ruled out, why, and the way out of each."""

from __future__ import annotations

from textual.app import ComposeResult

from tui.fixes import changes_of, in_words
from tui.messages import Changed, Explained, StepWanted
from tui.plan_rows import REJECTED_COLUMNS, rejected_rows
from tui.session import Session
from tui.tabs.tab import PlanTab
from tui.widgets.listing import Listing

ELSEWHERE = {
    "less-capable-model": ("model", "Take a model here: then only that one is planned."),
    "model-too-large": ("model", "✗ marks what does not fit; e names more hardware."),
    "images-need-vision": ("model", "U shows vision models only; or empty Images a request in step 3."),
    "tp-across-nodes-needs-fabric": ("hardware", "Fabric names the network between the machines."),
    "device-unknown": ("hardware", "e names hardware that is known; the nearest stand below."),
    "device-unusable": ("hardware", "r looks again once the device is back."),
}
"""Rules whose way out is a step: where it is, and what to do there."""
NO_INPUT = "Steps 1 to 3 hold the inputs; layouts, engines and formats the search has tried by itself."


class RejectedTab(PlanTab):
    """A rule a row, the most frequent first; Enter applies the way out."""

    def compose(self) -> ComposeResult:
        yield Listing("rejected", REJECTED_COLUMNS, id="rejections", lines=None)

    def show(self, session: Session) -> None:
        """Without a plan too: this is then what says why there is none."""
        self.session = session
        self.query_one(Listing).fill(rejected_rows(session))

    def on_listing_taken(self, event: Listing.Taken) -> None:
        """Change the input that a rejection asks for, or say where it can be changed."""
        event.stop()
        session = self.session
        if session is None or session.plan is None:
            return
        item = session.plan.rejected[int(event.row)]
        changes = changes_of(item, session.draft)
        if changes:
            self.post_message(Changed(changes))
            self.notify(f"Changed: {in_words(changes)}. u takes it back.", timeout=6)
        elif item.rule in ELSEWHERE:
            step, words = ELSEWHERE[item.rule]
            self.post_message(StepWanted(step))
            self.notify(words, timeout=6)
        else:
            self.post_message(Explained(NO_INPUT, item.fix or "No single change makes this possible."))
