"""Numbers and choices: typing, sliding, pasting, refusing."""

from __future__ import annotations

import pytest
from textual import events
from textual.app import App, ComposeResult

from tui.messages import Explained
from tui.widgets.choice import ChoiceField, Option
from tui.widgets.number import NumberField, Scale


class Form(App[None]):
    """Two numbers and a choice."""

    def __init__(self) -> None:
        super().__init__()
        self.changes: list[object] = []
        self.explained: list[str] = []

    def compose(self) -> ComposeResult:
        yield NumberField("Users", "", Scale(1, 4096), "how many.", id="users")
        yield NumberField("Limit", "ms", Scale(10, 500, optional=True), "how long.", id="limit")
        options = [Option(key, key.title()) for key in ("one", "two", "three", "four", "five", "six", "seven")]
        yield ChoiceField("Kind", options, "which.", id="kind")

    def on_mount(self) -> None:
        self.query_one("#users", NumberField).value = 64
        self.query_one("#kind", ChoiceField).value = "one"

    def on_number_field_changed(self, event: NumberField.Changed) -> None:
        self.changes.append(event.value)

    def on_choice_field_changed(self, event: ChoiceField.Changed) -> None:
        self.changes.append(event.value)

    def on_explained(self, event: Explained) -> None:
        self.explained.append(event.text)


def line(app: Form, id: str) -> str:
    return str(app.query_one(f"#{id}").render())


async def test_digits_type_enter_takes_and_the_field_explains_itself() -> None:
    app = Form()
    async with app.run_test(size=(80, 10)) as pilot:
        app.query_one("#users").focus()
        await pilot.press("1", "2", "8")
        assert "128▏" in line(app, "users") and app.changes == []
        await pilot.press("enter")
        assert app.changes == [128] and "[      128]" in line(app, "users")
        assert app.explained[0].startswith("Users — how many")


async def test_escape_gives_up_and_leaving_takes() -> None:
    app = Form()
    async with app.run_test(size=(80, 10)) as pilot:
        app.query_one("#users").focus()
        await pilot.press("7", "escape", "9", "tab")
        assert app.changes == [9]


@pytest.mark.parametrize(("typed", "said"), [("0", "from 1 to 4,096"), ("99999", "from 1 to 4,096")])
async def test_out_of_bounds_is_refused_beside_the_field(typed: str, said: str) -> None:
    app = Form()
    async with app.run_test(size=(80, 10)) as pilot:
        app.query_one("#users").focus()
        await pilot.press(*typed, "enter")
        assert said in line(app, "users") and app.changes == []
        assert app.query_one("#users", NumberField).value == 64


async def test_letters_while_typing_are_no_commands_and_said() -> None:
    app = Form()
    async with app.run_test(size=(80, 10)) as pilot:
        app.query_one("#users").focus()
        await pilot.press("5", "q", "k")
        assert app.is_running and "digits only" in line(app, "users")
        await pilot.press("6", "enter")
        assert app.changes == [56]


async def test_an_optional_number_is_emptied_and_a_needed_one_is_not() -> None:
    app = Form()
    async with app.run_test(size=(80, 10)) as pilot:
        limit = app.query_one("#limit", NumberField)
        limit.value = 50
        limit.focus()
        await pilot.press("backspace", "backspace", "enter")
        assert app.changes == [None] and "none" in line(app, "limit")
        app.query_one("#users").focus()
        await pilot.press("backspace", "backspace", "enter")
        assert "a number is needed" in line(app, "users") and app.changes == [None]


@pytest.mark.parametrize(
    ("pasted", "value"),
    [
        ("1,234", 1234),
        (" 1 234\n", 1234),
        ("1e3", None),
        ("rm -rf /", None),
        ("-5", None),
        ("٣", None),
        ("9" * 200, None),
    ],
)
async def test_a_paste_is_a_number_or_refused(pasted: str, value: int | None) -> None:
    app = Form()
    async with app.run_test(size=(80, 10)) as pilot:
        field = app.query_one("#users", NumberField)
        field.focus()
        field.post_message(events.Paste(pasted))
        await pilot.press("enter")
        assert app.changes == ([value] if value else [])
        assert bool(field.problem) == (value is None)


async def test_the_slider_moves_and_stays_in_bounds() -> None:
    app = Form()
    async with app.run_test(size=(80, 10)) as pilot:
        field = app.query_one("#users", NumberField)
        field.focus()
        await pilot.press("right")
        assert app.changes[-1] == field.value and field.value is not None and field.value > 64
        for _ in range(60):
            await pilot.press("left")
        assert field.value == 1
        assert "●" in line(app, "users") and "1…4k" in line(app, "users")


def test_every_step_of_a_slider_moves_and_the_way_back_ends_at_the_bounds() -> None:
    for scale in (Scale(1, 4096), Scale(0, 99), Scale(256, 10_000_000), Scale(10, 120_000)):
        value, seen = scale.low, [scale.low]
        while value < scale.high:
            value = scale.step(value, 1)
            assert type(value) is int
            assert value > seen[-1]
            seen.append(value)
        assert value == scale.high and len(seen) < 120
        while value > scale.low:
            lower = scale.step(value, -1)
            assert lower < value
            value = lower
        positions = [scale.position(value) for value in seen]
        assert positions == sorted(positions) and positions[0] == 0.0 and positions[-1] == 1.0


async def test_a_choice_moves_scrolls_and_is_clicked() -> None:
    app = Form()
    async with app.run_test(size=(50, 10)) as pilot:
        kind = app.query_one("#kind", ChoiceField)
        kind.focus()
        assert "…" in line(app, "kind") and "‹ One ›" in line(app, "kind")
        for _ in range(9):
            await pilot.press("right")
        assert app.changes == ["two", "three", "four", "five", "six", "seven"]
        assert "‹ Seven ›" in line(app, "kind")
        x = line(app, "kind").index("Six")
        await pilot.click(ChoiceField, offset=(x, 0))
        assert kind.value == "six"


def test_choices_fit_their_line_at_any_width() -> None:
    options = [Option(str(n), f"option {n}") for n in range(30)]
    for chosen in range(30):
        field = ChoiceField("Label", options, "", id="x")
        field.set_reactive(ChoiceField.value, str(chosen))
        for width in (40, 60, 76, 120):
            field._size = field._size.with_width(width)
            assert f"‹ option {chosen} ›" in str(field.render())
            assert len(str(field.render())) <= width
