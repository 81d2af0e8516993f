"""What people and programs may write, and what becomes of it."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.plain.conftest import held
from tui.plain.ask import Bounds, Choice, choose, number, several
from tui.plain.talk import MOST_CHARACTERS, Back, Ended, Quit, Talk, clean

THREE = (Choice("one", "First"), Choice("two", "Second", "the middle"), Choice("three", "Third", lambda: "at length"))
HOSTILE = ("$(reboot)", "`id`", "; rm -rf /", "../../etc/passwd", "-1", "0", "4", "1.5", "1e9", "٣", "９", "\x1b[2J",
           "\x00", "\u202eabc", "9" * 400, "first second", "?" * 50 + "x", "%s%n", "None", "\ud800")  # fmt: skip


def talk(*answers: str, encoding: str = "utf-8") -> tuple[Talk, io.TextIOWrapper]:
    sink = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="replace", newline="\n")
    return Talk(io.StringIO("".join(f"{a}\n" for a in answers)), sink), sink


def said(sink: io.TextIOWrapper) -> str:
    sink.flush()
    return sink.buffer.getvalue().decode(sink.encoding)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("answer", "key"),
    [("2", "two"), ("", "one"), ("two", "two"), ("SECOND", "two"), ("thi", "three"), (" 3 ", "three")],
)
def test_a_choice_is_taken_by_number_key_label_or_its_beginning(answer: str, key: str) -> None:
    assert choose(talk(answer)[0], "Which?", THREE, default="one") == key


@pytest.mark.parametrize("answer", HOSTILE)
def test_anything_else_is_explained_and_asked_again(answer: str) -> None:
    conversation, sink = talk(answer, "2")
    assert choose(conversation, "Which?", THREE, default="one") == "two"
    assert "1 to 3" in said(sink)


@pytest.mark.parametrize("answer", HOSTILE)
def test_a_number_is_in_its_bounds_or_refused(answer: str) -> None:
    conversation, sink = talk(answer, "7")
    assert number(conversation, "Users", Bounds(5, 10), 6, "how many.") == 7
    assert "a whole number from 5 to 10" in said(sink)


def test_numbers_are_kept_emptied_and_typed_with_separators() -> None:
    assert number(talk("")[0], "N", Bounds(1, 10_000), 12, "") == 12
    assert number(talk("9,999")[0], "N", Bounds(1, 10_000), 12, "") == 9999
    assert number(talk("none")[0], "N", Bounds(1, 10, optional=True), 5, "") is None
    assert number(talk("none", "3")[0], "N", Bounds(1, 10), 5, "") == 3


def test_several_are_taken_once_each_and_one_wrong_refuses_all() -> None:
    assert several(talk("3, 1 3")[0], "Which?", THREE, default="one") == ("three", "one")
    assert several(talk("1 9", "")[0], "Which?", THREE, default="two") == ("two",)


def test_a_question_mark_explains_the_question_and_one_answer() -> None:
    conversation, sink = talk("?", "? 2", "?3", "? nine", "l", "1")
    choose(conversation, "Which?", THREE, about="One of three.")
    text = said(sink)
    assert "One of three. Answer with a number from 1 to 3" in text and "Second: the middle" in text
    assert "at length" in text and "There is no answer 'nine'" in text and text.count("3. Third") == 2


@pytest.mark.parametrize(("answer", "way"), [("b", Back), ("BACK", Back), ("q", Quit), ("exit", Quit)])
def test_ways_out_work_in_every_kind_of_question(answer: str, way: type[Exception]) -> None:
    for ask in (
        lambda t: choose(t, "Which?", THREE),
        lambda t: number(t, "N", Bounds(1, 2), 1, ""),
        lambda t: several(t, "Which?", THREE, default="one"),
    ):
        with pytest.raises(way):
            ask(talk(answer)[0])


def test_the_end_of_the_input_is_no_answer_and_no_endless_loop() -> None:
    with pytest.raises(Ended):
        choose(talk()[0], "Which?", THREE, default="one")


@pytest.mark.parametrize("length", [MOST_CHARACTERS - 1, MOST_CHARACTERS, MOST_CHARACTERS + 1, 3 * MOST_CHARACTERS])
def test_a_line_without_end_is_one_wrong_answer(length: int) -> None:
    conversation, sink = talk("x" * length, "2")
    assert choose(conversation, "Which?", THREE) == "two"
    assert len(said(sink)) < 2 * MOST_CHARACTERS


@given(st.text())
def test_nothing_that_moves_a_cursor_or_turns_text_is_ever_written(words: str) -> None:
    shown = clean(words)
    assert "\x1b" not in shown and "\n" not in shown and "\r" not in shown
    assert not {"\u202e", "\u2066", "\u200b", "\x9b"} & set(shown)


def test_a_sink_without_unicode_gets_ascii() -> None:
    conversation, sink = talk(encoding="ascii")
    conversation.say("✓ 8 × h200 · 20–30 ms … ▲")
    assert said(sink).isascii() and "?" not in said(sink)


def test_hardware_named_like_an_escape_code_is_harmless() -> None:
    done = held("2", "\x1b[2J\x1b]0;owned\x07", "q")
    assert "\x1b" not in done.text and "\x07" not in done.text and "Not taken" in done.text


def test_questions_at_every_step_explain_themselves() -> None:
    done = held("?", "", "?", "", "?", "", "?", "", "?", "", "?", "", "?", "", "?", "q")
    assert done.text.count("b goes back to the question before, q quits.") >= 8


@pytest.mark.parametrize("steps", range(8))
def test_quitting_is_possible_at_every_step(steps: int) -> None:
    done = held(*[""] * steps, "q")
    assert done.code == 0 and done.text.rstrip().endswith("Goodbye.")


@pytest.mark.parametrize("steps", range(8))
def test_an_input_that_ends_early_is_said_and_leaves_with_2(steps: int) -> None:
    done = held(*[""] * steps)
    assert done.code == 2 and "ended before anything was written" in done.errors
