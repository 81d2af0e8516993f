"""Every screen at every size and in every look is drawn as it is kept.

``python -m tests.tui.screens`` keeps what is drawn now; the diff then shows what changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from textual.color import Color

from tests.tui.screens.frames import Frame, drawn_pieces, parts, pictured, written
from tests.tui.screens.kept import KEPT, difference, place_of
from tests.tui.screens.play import LOOKS, drawn, jobs, painters, scenes_of, walks_of
from tui.ascii import stand_in

Drawn = dict[tuple[str, str], "Future[dict[str, str]]"]
KEEP = "python -m tests.tui.screens keeps what is drawn now"


@pytest.fixture(scope="module")
def painted(request: pytest.FixtureRequest) -> Iterator[Drawn]:
    """Look and walk → its frames, all that were asked for being drawn side by side."""
    names = {item.name for item in request.session.items}
    with painters() as pool:
        yield {
            (look, walk): pool.submit(drawn, look, walk)
            for look, walk in jobs()
            if any(f"[{look}-{walk}]" in name for name in names)
        }


@pytest.mark.parametrize(("look", "walk"), jobs())
def test_screens_are_drawn_as_they_are_kept(look: str, walk: str, painted: Drawn, tmp_path: Path) -> None:
    told = []
    for name, now in painted[look, walk].result().items():
        found = difference(look, name, now)
        if found:
            (tmp_path / f"{name}.svg").write_text(pictured(now, name), encoding="utf-8")
            told.append(found)
    assert not told, f"{KEEP}; pictures of these: {tmp_path}\n" + "\n".join(told)


def test_nothing_else_is_kept() -> None:
    wanted = {place_of(look.name, n) for look in LOOKS for walk in walks_of(look) for n in scenes_of(look, walk)}
    assert set(KEPT.rglob("*.txt")) == wanted, KEEP


def kept(look: str) -> dict[str, str]:
    return {place.stem: place.read_text(encoding="utf-8") for place in sorted((KEPT / look).glob("*.txt"))}


def test_without_colour_no_colour_is_drawn_and_every_word_stays() -> None:
    plain, coloured = kept("80x24-no-color"), kept("80x24")
    assert set(plain) == set(coloured)
    for name, text in plain.items():
        lines, styles, _ = parts(text)
        assert not any("#" in style or "on " in style for style in styles.values()), (name, styles)
        assert lines == parts(coloured[name])[0], f"{name}: what is said must not depend on colour"


def test_a_terminal_without_unicode_gets_ascii_of_the_same_width() -> None:
    for name, text in kept("80x24-ascii").items():
        lines = parts(text)[0]
        assert all(line.isascii() for line in lines), name
        assert lines == [stand_in(line) for line in parts(kept("80x24")[name])[0]], name


READABLE = 4.5
"""Contrast of text that WCAG 2 asks for (1.4.3, level AA)."""
TITLE = "deploy-planner"
DIALOGS = (
    "Escape closes",
    "Escape goes back",
    "What this plan costs, and why",
    "Edit a copy: cards, memory, link, machines",
)
"""Words on the ground of a dialog; what lies under one is out of reach, and dimmed to say so."""


def hard_to_read(text: str) -> Iterator[str]:
    """Words that stand out too little from their ground, as they are drawn."""
    pieces = [piece for line in drawn_pieces(text) for piece in line if any(map(str.isalnum, piece[0]))]
    grounds = {ground_of(style) for words, style in pieces if any(sign in words for sign in DIALOGS)}
    beneath = {ground_of(style) for words, style in pieces if TITLE in words}
    if grounds & beneath:
        return  # a dialog on the ground of what lies under it: which is which cannot be told from the frame
    for words, style in pieces:
        front, ground = style.partition(" on ")[0], ground_of(style)
        if not grounds or ground in grounds:
            ratio = contrast(Color.parse(front), Color.parse(ground))
            if ratio < READABLE:
                yield f"{words.strip()!r} {style}: {ratio:.1f}"


def ground_of(style: str) -> str:
    return style.partition(" on ")[2].partition(" ")[0]


def contrast(one: Color, other: Color) -> float:
    """(L1 + 0.05) / (L2 + 0.05), the relative luminances by WCAG 2."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: Color) -> float:
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.normalized]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


@pytest.mark.parametrize("look", ["80x24", "120x40", "80x24-light", "80x24-high-contrast"])
def test_words_stand_out_from_their_ground(look: str) -> None:
    told = {f"{name}: {words}" for name, text in kept(look).items() for words in hard_to_read(text)}
    assert not told, "\n".join(sorted(told))


def test_contrast_is_that_of_wcag() -> None:
    """Black on white is 21, #767676 the lightest grey that passes on white."""
    white = Color.parse("#ffffff")
    assert contrast(white, Color.parse("#000000")) == pytest.approx(21)
    assert contrast(Color.parse("#767676"), white) == pytest.approx(4.54, abs=0.01)


def test_a_frame_comes_back_as_it_was_written_and_its_picture_has_its_words() -> None:
    frame = Frame(((("漢 a", "#ff0000 on #000000 bold"), ("··", "")), (("  ", ""), ("é…", "reverse"))))
    text = written(frame)
    lines, styles, runs = parts(text)
    assert (lines, list(styles.values())) == (["漢 a··", "  é…"], ["#ff0000 on #000000 bold", "", "reverse"])
    assert runs == ["a4b2", "b2c2"]
    assert "漢" in pictured(text, "t") and "http" not in pictured(text, "t").replace("http://www.w3.org/2000/svg", "")
