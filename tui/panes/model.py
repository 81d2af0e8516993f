"""Step 2: which model."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import DataTable, Input, Static

from planner.units import human_count
from tui.messages import DraftChanged, Explained, StepWanted
from tui.panes.base import Pane
from tui.session import Session

if TYPE_CHECKING:
    from planner.models.catalogue_row import CatalogueModel

BEST = "(best that fits)"


class ModelPane(Pane):
    """The catalogue, searched as you type; the first row leaves the choice to the planner."""

    TITLE = "Model"
    HELP_TEXT = (
        "The first row lets the planner choose the best model of the catalogue that fits.\n\n"
        "/  search (name, family, licence, use); a path to a directory, config.json or .gguf file works too\n"
        "Enter  take the model under the cursor and go on to the workload"
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", id="model.search", tooltip="Type to filter the catalogue"),
    ]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._models: tuple[CatalogueModel, ...] = ()
        self._badges: dict[str, str] = {}
        self._session: Session | None = None

    def compose(self) -> ComposeResult:
        yield Input(placeholder="search the catalogue, or a local path, then Enter", id="model-search")
        yield DataTable(id="models", cursor_type="row")
        yield Static(id="model-about")

    def on_mount(self) -> None:
        super().on_mount()
        table = self.query_one(DataTable)
        table.add_columns("", "Model", "Size", "Context", "Released", "Licence")
        table.add_row("✓", BEST, "", "", "", "", key=BEST)

    def load(self, models: tuple[CatalogueModel, ...]) -> None:
        """Take the catalogue, most prominent first."""
        self._models = models
        self._fill()

    def badge(self, badges: dict[str, str]) -> None:
        """Take what fits on this hardware: id → mark and reason."""
        self._badges = badges
        self._fill()

    def show(self, session: Session) -> None:
        self._session = session
        chosen = session.draft.model
        self.border_subtitle = chosen or "the planner chooses"

    def action_search(self) -> None:
        self.query_one(Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        self._fill()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        table = self.query_one(DataTable)
        path_like = event.value.startswith(("/", "./", "~", "../")) or event.value.endswith((".gguf", ".json"))
        if path_like or (event.value and table.row_count == 1):
            self._take(event.value.strip())
        else:
            table.focus()
            if event.value and table.row_count > 1:
                table.move_cursor(row=1)

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        key = event.row_key.value
        self._take(None if key in (None, BEST) else key)
        self.post_message(StepWanted("workload"))

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        key = event.row_key.value if event.row_key else None
        model = next((m for m in self._models if m.id == key), None)
        about = describe(model, self._badges.get(key or "", "")) if model else "Leave the choice to the planner."
        self.query_one("#model-about", Static).update(Content(about))
        self.post_message(Explained("Enter takes the model under the cursor. ✓ fits  ~ tight  ✗ does not fit here."))

    def _take(self, model: str | None) -> None:
        if self._session is not None:
            from dataclasses import replace

            self.post_message(DraftChanged(replace(self._session.draft, model=model)))

    def _fill(self) -> None:
        """Rows that match, the cursor staying on its model."""
        table = self.query_one(DataTable)
        words = self.query_one(Input).value.lower().split()
        held = self._key_under_cursor(table)
        table.clear()
        table.add_row("✓", BEST, "", "", "", "", key=BEST)
        for model in self._models:
            if all(word in haystack(model) for word in words):
                table.add_row(*(Text(cell) for cell in self._cells(model)), key=model.id)
        if held is not None and held in table.rows:
            table.move_cursor(row=table.get_row_index(held))

    def _key_under_cursor(self, table: DataTable[Text | str]) -> str | None:
        if not table.row_count:
            return None
        return table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value

    def _cells(self, model: CatalogueModel) -> tuple[str, ...]:
        badge = self._badges.get(model.id, " ")[:1]
        return (badge, model.id, size_of(model), context_of(model), model.released or "", model.licence or "")


def haystack(model: CatalogueModel) -> str:
    """What a search looks in."""
    return " ".join((model.id, model.name, model.family, model.licence or "", *model.uses)).lower()


def size_of(model: CatalogueModel) -> str:
    """``671B (37B active)``."""
    total, active = model.parameters_total, model.parameters_active
    if total is None:
        return ""
    text = human_count(total)
    return f"{text} ({human_count(active)} active)" if active and active < total else text


def context_of(model: CatalogueModel) -> str:
    return f"{model.max_context // 1024}k" if model.max_context else ""


def describe(model: CatalogueModel, badge: str) -> str:
    """The model under the cursor in a few lines."""
    formats = ", ".join(sorted({c.weights for c in model.checkpoints})) or "not listed"
    lines = [f"{model.name} · {model.family} · {', '.join(model.uses)}", f"Published as: {formats}"]
    if model.distilled_from:
        lines.append(f"Distilled from {model.distilled_from}")
    if badge[2:]:
        lines.append(badge[2:])
    return "\n".join(lines)
