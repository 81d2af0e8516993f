"""Step 5: the files that start it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input

from tui.export_bundle import (
    DOCUMENT,
    Rendered,
    bundle_files,
    document_name,
    folder_name,
    next_steps,
    pool_names,
    state_of,
    written_bundle,
)
from tui.export_file import DEFAULT_NAME, Difference, Written
from tui.export_rows import COLUMNS, FILE, TARGET, rows_of
from tui.messages import Explained, ExportShown, PoolWanted
from tui.panes.base import Pane
from tui.session import Session
from tui.threads import in_thread
from tui.widgets.answer_lines import waiting_lines
from tui.widgets.choice import ChoiceField, Option
from tui.widgets.listing import Listing
from tui.widgets.words import Words

POOL_ABOUT = (
    "the fleet has two kinds of servers behind one door; each is a deployment of its own, written by itself. Its share "
    "of the load is its weight in the gateway."
)
OTHER_POOL = "The fleet has another kind of servers: choose it at Pool, above, and write it too."
ABOUT = {
    "export-path": "Where — a file for the document alone, a folder for more; ~ is your home. Enter goes on.",
    "write": "Write — what is marked, whole or not at all. What exists is replaced only on a second press.",
    "copy": "Copy — the file shown below, to the clipboard of your own terminal, by OSC 52: also over ssh.",
    "export-scroll": "The file under the cursor, or what would change in the one on disk; once written, what to run. "
    "↑ ↓ scroll.",
}


class ExportPane(Pane):
    """Targets as a checklist, destination, write, copy, and each file or its difference from the one on disk."""

    TITLE = "Export"
    FIRST = "#write"
    HELP_TEXT = (
        "The document alone is a file; with any other target a folder is written, with README and manifest.\n\n"
        "w  write · y  copy the file shown (OSC 52, works over ssh) · / where to · ↓  the targets, Space marks one\n"
        "Pool  of a fleet of two kinds: which of the two is written; each is a deployment of its own\n"
        "What exists is shown as a difference, and replaced only when w is pressed a second time. v  verify a log."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "write", "Write", id="export.write", tooltip="Write what is marked"),
        Binding("y", "copy", "Copy", id="export.copy", tooltip="Copy the file shown to the clipboard"),
        Binding("space", "mark", "Mark", id="export.mark", tooltip="Take the target under the cursor, or leave it"),
        Binding("slash", "rename", "Where to", id="export.rename", tooltip="Change the file or folder"),
        Binding("escape", "targets", "Targets", show=False, id="export.targets", tooltip="Back to the targets"),
        Binding("down", "app.focus_next", "Below", show=False, id="export.down", tooltip="On, to the targets"),
        Binding("up", "app.focus_previous", "Above", show=False, id="export.up", tooltip="Back, to where to write"),
    ]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._found: Rendered | None = None
        self._chosen: tuple[str, ...] = (DOCUMENT,)
        self._files: Mapping[str, str] = {}
        self._confirm: Path | None = None
        self._coming = False
        """There is a plan; its files follow."""
        self._wanted = False
        """Write was pressed before the files were rendered."""
        self._pool = ""
        """The word for the pool that is written; empty where the fleet is one."""
        self._done = False
        """What to do after writing is on the screen, instead of the targets."""

    def compose(self) -> ComposeResult:
        yield Input(value=DEFAULT_NAME, placeholder="file or folder to write", id="export-path")
        with Horizontal(id="export-buttons"):
            yield Button("Write (w)", id="write", variant="primary")
            yield Button("Copy (y)", id="copy")
        yield ChoiceField("Pool", (), POOL_ABOUT, id="export-pool")
        yield Words(id="export-said")
        yield Listing("targets", COLUMNS, id="targets")
        with VerticalScroll(id="export-scroll"):
            yield Words(id="export-preview")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "write":
            return True if self._files or self._coming else None
        if action == "mark":
            return True if self._files and not self._done else None
        if action == "copy":
            return True if self._files else None
        if action == "targets":
            return self.query_one(Input).has_focus or self._done
        return True

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if (event.widget.id or "") in ABOUT:
            self.post_message(Explained(ABOUT[event.widget.id or ""]))

    @property
    def _single(self) -> bool:
        return set(self._chosen) <= {DOCUMENT}

    @property
    def path(self) -> Path:
        return Path(self.query_one(Input).value.strip() or DEFAULT_NAME).expanduser()

    # what is shown

    def show(self, session: Session) -> None:
        plan, found = session.exported, session.rendered
        self._show_pools(session)
        stale = plan is not None and not session.current
        self.border_subtitle = Content("the inputs changed: this is the plan before" if stale else "")
        self._coming = plan is not None
        if plan is None:
            self._found, self._files = None, {}
            self._preview_text("Nothing to export yet:\n\n" + "\n".join(waiting_lines(session)))
            self._say("")
        elif found is None or found.plan is not plan:
            self.ask(ExportShown)
        elif found is not self._found:
            self._take(found)
        self.query_one(Listing).display = self._found is not None and not self._done
        self.refresh_bindings()

    def _show_pools(self, session: Session) -> None:
        """Which kind of servers is written, where the fleet has two."""
        pools, choice = session.exported_pools, self.query_one("#export-pool", ChoiceField)
        before, names = self._default_name(), pool_names([pool.deployment for pool in pools])
        choice.display = bool(pools)
        if pools:
            choice.options = tuple(Option(name, name, pool.reasons[0]) for name, pool in zip(names, pools, strict=True))
            choice.value = names[min(session.pool, len(names) - 1)]
        self._pool = choice.value if pools else ""
        self._rename_default(before)

    def on_choice_field_changed(self, event: ChoiceField.Changed) -> None:
        event.stop()
        self.post_message(PoolWanted(event.field.index))

    def _take(self, found: Rendered) -> None:
        """Another deployment: its files, for the targets that were chosen and still suit."""
        self._found, self._confirm, self._done = found, None, False
        suit = {target.name for target in found.targets if not target.reason}
        self._chosen = tuple(name for name in self._chosen if name in suit) or (DOCUMENT,)
        self._say("")
        self._render_files()
        if self._wanted:
            self._wanted = False
            self.action_write()

    def _render_files(self) -> None:
        if self._found is not None:
            self._files = bundle_files(self._found, self._chosen)
            self._fill()

    def _fill(self) -> None:
        if self._found is None:
            return
        self.query_one(Listing).fill(rows_of(self._found, self._chosen, self._files, self.path))
        self._preview()

    def _preview(self) -> None:
        """The file under the cursor, or what would change in the one on disk."""
        path, text = self._under_cursor()
        state, found = state_of(self.path, path, text, single=self._single)
        name = document_name(self._pool) if self._single and path == DEFAULT_NAME else path
        self.border_title = Content(f"Export: {name}, {found.words if found else state}")
        self._preview_text(_diff_content(found) if found else text)

    def _preview_text(self, text: str | Content) -> None:
        self.query_one("#export-preview", Words).say(text)

    def _under_cursor(self) -> tuple[str, str]:
        """Path and text of the file that the cursor is on; of a target its main file."""
        row = self.query_one(Listing).at.row
        if row.startswith(FILE) and row.removeprefix(FILE) in self._files:
            path = row.removeprefix(FILE)
            return path, self._files[path]
        target = self._found.of(row.removeprefix(TARGET)) if self._found else None
        if target is not None and target.files and target.name != DOCUMENT:
            first = next(iter(target.files))
            return f"{target.name}/{first}", target.files[first]
        return DEFAULT_NAME, self._files.get(DEFAULT_NAME, "")

    # what people do

    def on_listing_looked(self, event: Listing.Looked) -> None:
        event.stop()
        self._preview()

    def on_listing_taken(self, event: Listing.Taken) -> None:
        event.stop()
        self.action_mark()

    def action_mark(self) -> None:
        """Take the target under the cursor, or leave it; nothing at all becomes the document."""
        listing = self.query_one(Listing)
        name = listing.at.row.removeprefix(TARGET)
        target = self._found.of(name) if self._found and listing.at.row.startswith(TARGET) else None
        if target is None:
            self._say("Space marks a target: put the cursor on one.")
            return
        if target.reason:
            self._say(f"✗ {name}: {target.reason}")
            return
        before = self._default_name()
        left = tuple(n for n in self._chosen if n != name)
        self._chosen = (left or (DOCUMENT,)) if name in self._chosen else (*self._chosen, name)
        self._rename_default(before)
        self._confirm = None
        self._say("")
        self._render_files()

    def _default_name(self) -> str:
        if self._single or self._found is None:
            return document_name(self._pool)
        return folder_name(self._found.plan) + (f"-{self._pool}" if self._pool else "")

    def _rename_default(self, before: str) -> None:
        """A name that nobody typed follows what is written: a file or a folder."""
        place = self.query_one(Input)
        if place.value.strip() in ("", before):
            with self.prevent(Input.Changed):
                place.value = self._default_name()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._confirm, self._done = None, False
        self._say("")
        self.query_one(Listing).display = self._found is not None
        self._fill()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.query_one("#write").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "write":
            self.action_write()
        else:
            self.action_copy()

    def action_rename(self) -> None:
        self.query_one(Input).focus()

    def action_targets(self) -> None:
        """From the name, or from what to do now, back to the targets."""
        self._done = False
        self._fill()
        listing = self.query_one(Listing)
        listing.display = bool(listing.listed)
        (listing if listing.display else self.query_one("#write")).focus()

    def action_copy(self) -> None:
        path, text = self._under_cursor()
        if text:
            self.app.copy_to_clipboard(text)
            self._say(f"Copied {path}. If pasting gives nothing, this terminal does not take OSC 52: write it instead.")

    def action_write(self) -> None:
        """Write what is marked; a second press replaces what exists."""
        if self._found is None or not self._files:
            self._wanted = self._coming
            self._say("working out the files …" if self._coming else "Nothing to write: there is no plan that fits.")
            return
        self._write(self._found, self._chosen, self.path, self._confirm == self.path)

    @work(exclusive=True, group="write", exit_on_error=False)
    async def _write(self, found: Rendered, names: tuple[str, ...], place: Path, overwrite: bool) -> None:
        done = await in_thread(lambda: written_bundle(found, names, place, overwrite=overwrite), "write")
        self._wrote(done, found, names, place)

    def _wrote(self, done: Written, found: Rendered, names: tuple[str, ...], place: Path) -> None:
        self._confirm = place if done.exists else None
        self._say(done.words)
        if not done.ok:
            return
        self._fill()
        self._done = True
        self.query_one(Listing).display = False
        self.border_title = "Export: written, what to do now"
        other = [OTHER_POOL, ""] if self._pool else []
        self._preview_text("\n".join([*other, *next_steps(found, names, place), "", "Escape: the targets again"]))
        self.query_one("#export-scroll").focus()

    def _say(self, words: str) -> None:
        self.query_one("#export-said", Words).say(words)


def _diff_content(found: Difference) -> Content:
    """Added and removed lines; the signs carry the meaning without colour."""
    styles = {"+": "$text-success", "-": "$text-error"}
    return Content("\n").join(Content.assemble((line, styles.get(line[:1], ""))) for line in found.lines)
