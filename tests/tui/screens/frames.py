"""One drawn screen as text that people can read and compare: what stands there, then how.

    ── 80x24
    the lines of the screen
    ── styles
    a #e0e0e0 on #121212
    b #e0e0e0 on #121212 bold
    ── drawn
    1-3 a80
    4 a2b10a68

Nothing is lost against the picture (SVG) of the same screen, which can be made again from it: see ``pictured``.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from string import ascii_letters

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.app import App

RULE = "── "
SWITCHES = ("bold", "dim", "italic", "underline", "reverse", "strike")
RUN = re.compile(r"([A-Za-z]+?)(\d+)")


@dataclass(frozen=True, slots=True)
class Frame:
    """Lines of a screen, each a tuple of words and their style."""

    lines: tuple[tuple[tuple[str, str], ...], ...]

    @property
    def words(self) -> tuple[str, ...]:
        return tuple("".join(text for text, _ in line).rstrip() for line in self.lines)

    @property
    def size(self) -> str:
        return f"{max(sum(cell_len(t) for t, _ in line) for line in self.lines)}x{len(self.lines)}"

    @property
    def styles(self) -> tuple[str, ...]:
        """Every style once, in the order of their first place."""
        return tuple(dict.fromkeys(style for line in self.lines for _, style in line))


def frame_of(app: App[object]) -> Frame:
    """What stands on the screen now, whatever lies under a dialog included."""
    update = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)
    lines = ([segment for strip in line for segment in strip] for line in update.strips)  # type: ignore[union-attr]
    return Frame(tuple(tuple(_pieces(line)) for line in lines))


def _pieces(line: Iterable[Segment]) -> Iterator[tuple[str, str]]:
    """Neighbours of one style as one piece."""
    for style, segments in groupby(line, key=lambda segment: _style_words(segment.style)):
        yield "".join(segment.text for segment in segments), style


def _style_words(style: Style | None) -> str:
    """What can be seen of a style; links and what a click does cannot."""
    if style is None:
        return ""
    switches = [name for name in SWITCHES if getattr(style, name)]
    colour = style.color.name if style.color and not style.color.is_default else ""
    ground = f"on {style.bgcolor.name}" if style.bgcolor and not style.bgcolor.is_default else ""
    return " ".join(word for word in (colour, ground, *switches) if word)


def letter(number: int) -> str:
    """a … z A … Z, then aa, ab …"""
    return ascii_letters[number] if number < 52 else ascii_letters[number // 52 - 1] + ascii_letters[number % 52]


def written(frame: Frame) -> str:
    """The frame as it is kept."""
    names = {style: letter(n) for n, style in enumerate(frame.styles)}
    drawn = ["".join(f"{names[style]}{cell_len(text)}" for text, style in line) for line in frame.lines]
    lines = [f"{RULE}{frame.size}", *frame.words, f"{RULE}styles"]
    lines += [f"{name} {style}".rstrip() for style, name in names.items()]
    lines += [f"{RULE}drawn", *_grouped(drawn)]
    return "\n".join(lines) + "\n"


def _grouped(drawn: list[str]) -> Iterator[str]:
    """Lines alike that follow each other are one."""
    number = 1
    for runs, lines in groupby(drawn):
        count = len(list(lines))
        yield f"{number}-{number + count - 1} {runs}" if count > 1 else f"{number} {runs}"
        number += count


def parts(kept: str) -> tuple[list[str], dict[str, str], list[str]]:
    """Lines, styles by letter, runs of each line."""
    head, _, rest = kept.partition(f"\n{RULE}styles\n")
    legend, _, drawn = rest.partition(f"{RULE}drawn\n")
    styles = dict((*line.split(" ", 1), "")[:2] for line in legend.splitlines())
    runs: list[str] = []
    for line in drawn.splitlines():
        numbers, _, run = line.partition(" ")
        first, _, last = numbers.partition("-")
        runs += [run] * (int(last or first) - int(first) + 1)
    return head.split("\n")[1:], styles, runs


def pictured(kept: str, title: str) -> str:
    """The picture of a kept frame, without fonts from elsewhere."""
    lines, _, runs = parts(kept)
    width = max(sum(int(count) for _, count in RUN.findall(run)) for run in runs)
    console = Console(width=width, height=len(lines), file=io.StringIO(), force_terminal=True, record=True,
                      color_system="truecolor", legacy_windows=False)  # fmt: skip
    for pieces in drawn_pieces(kept):
        segments = [Segment(piece, Style.parse(style) if style else None) for piece, style in pieces]
        console.print(_Line(segments))
    svg = console.export_svg(title=title, unique_id="screen")
    return re.sub(r"<!--.*?-->\s*|@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


def drawn_pieces(kept: str) -> Iterator[list[tuple[str, str]]]:
    """Every line of a kept frame in pieces of one style."""
    lines, styles, runs = parts(kept)
    for words, run in zip(lines, runs, strict=True):
        width = sum(int(count) for _, count in RUN.findall(run))
        yield [(piece, styles[name]) for piece, name in _cut(words + " " * (width - cell_len(words)), run)]


def _cut(words: str, run: str) -> Iterator[tuple[str, str]]:
    """The words of a line in pieces of as many cells as its runs say."""
    at = 0
    for name, count in RUN.findall(run):
        end, cells = at, 0
        while cells < int(count):
            cells += cell_len(words[end])
            end += 1
        yield words[at:end], name
        at = end


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of segments as they are."""

    segments: list[Segment]

    def __rich_console__(self, console: Console, options: object) -> Iterator[Segment]:
        yield from self.segments
        yield Segment.line()
