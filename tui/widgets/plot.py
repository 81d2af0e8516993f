"""Plots, by plotext. Series differ in their signs, promises are lines with words: colour only follows the signs."""

from __future__ import annotations

import math
import re
from typing import ClassVar

from rich.text import Text
from textual.content import Content
from textual_plotext import PlotextPlot

from tui.messages import Explained
from tui.plots import Curve, Field, round_ticks

TICKS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
FRAME, LINES_A_TICK, CELLS_A_TICK = 4, 2, 16
"""Lines of frame and labels, and the room that a number of a scale takes."""
TOKEN, RATE, PROMISE = "•", "+", "┈"


class Drawing(PlotextPlot, can_focus=True):
    """A plot without colours of plotext's own; signs get theirs from the theme of the app."""

    ABOUT: ClassVar[str] = ""
    STYLES: ClassVar[dict[str, str]] = {}
    """Pattern of signs → style."""

    def on_mount(self) -> None:
        super().on_mount()
        self.theme = "clear"

    def on_focus(self) -> None:
        self.post_message(Explained(self.ABOUT))

    def fill(self) -> None:
        """Give plotext everything anew: building a figure changes what it holds, so that none is built twice."""
        raise NotImplementedError

    def scale_up(self, low: float, high: float, side: str = "left") -> None:
        """The scale of an upright axis, with as many round numbers as it has room for."""
        ticks = round_ticks(low, high, max(2, (self.size.height - FRAME) // LINES_A_TICK))
        self.plt.ylim(low, high, yside=side)  # type: ignore[arg-type]
        self.plt.yticks(list(ticks), [f"{tick:,g}" for tick in ticks], yside=side)  # type: ignore[arg-type]

    def render(self) -> Content:
        self.plt.clear_figure()
        self.fill()
        drawn = super().render()
        content = Content(drawn.plain if isinstance(drawn, Text) else str(drawn))
        for pattern, style in self.STYLES.items():
            for found in re.finditer(pattern, content.plain):
                content = content.stylize(style, found.start(), found.end())
        return content


class CurvePlot(Drawing):
    """Per token (•, left) and tokens per second (+, right) over requests in flight; ┈ what was promised."""

    ABOUT = "• time per token, scale at the left; + tokens per second of all users, scale at the right; ┈ the promise."
    STYLES: ClassVar[dict[str, str]] = {
        f"{TOKEN}+": "$text-primary",
        r"\++": "$text-success",
        f"{PROMISE}+": "$text-error",
    }

    curve: Curve | None = None

    def show(self, curve: Curve) -> None:
        """Draw a curve."""
        self.curve = curve
        self.refresh()

    def fill(self) -> None:
        plot, curve = self.plt, self.curve
        if curve is None:
            return
        across = [math.log2(users) for users in curve.users]
        top = 1.08 * max(*curve.token_ms, *((curve.promised_ms,) if _near(curve) else ()))
        plot.plot(across, curve.token_ms, marker=TOKEN)
        plot.plot(across, curve.rate, marker=RATE, yside="right")
        if curve.promised_ms is not None and _near(curve):
            plot.plot([across[0], across[-1]], [curve.promised_ms] * 2, marker=PROMISE)
            plot.text(f"promised {curve.promised_ms:g} ms", across[0], curve.promised_ms, alignment="left")
        self.scale_up(0, top)
        self.scale_up(0, 1.08 * max(curve.rate), side="right")
        ticks = [float(tick) for tick in TICKS if tick <= curve.users[-1]]
        plot.xticks([math.log2(tick) for tick in ticks], [f"{tick:g}" for tick in ticks])
        plot.xlabel("requests in flight")
        plot.ylabel("• ms per token")
        plot.ylabel("+ tok/s", yside="right")  # type: ignore[call-arg]


def _near(curve: Curve) -> bool:
    """A promise far above everything would only flatten the curve."""
    return curve.promised_ms is not None and curve.promised_ms <= 2 * max(curve.token_ms)


class FieldPlot(Drawing):
    """Each proposal as its rank; * where no other beats it in every respect."""

    ABOUT = "Proposals by rank over two figures; * no other beats it in every respect. The ranking has all figures."
    STYLES: ClassVar[dict[str, str]] = {r"\d+\*": "bold $text-success"}

    field: Field | None = None

    def show(self, field: Field) -> None:
        """Draw proposals, where they are others than before."""
        if field != self.field:
            self.field = field
            self.refresh()

    def fill(self) -> None:
        plot, field = self.plt, self.field
        if field is None:
            return
        xs, ys = [spot.x for spot in field.spots], [spot.y for spot in field.spots]
        plot.scatter(xs, ys, marker=" ")
        for spot in reversed(field.spots):
            plot.text(spot.label, spot.x, spot.y, alignment="center")
        plot.xlim(*_limits(xs))
        across = round_ticks(*_limits(xs), max(2, self.size.width // CELLS_A_TICK))
        plot.xticks(list(across), [f"{tick:,g}" for tick in across])
        self.scale_up(*_limits(ys))
        plot.xlabel(field.x_label)
        plot.ylabel(field.y_label)


def _limits(values: list[float]) -> tuple[float, float]:
    """The range with a margin, so that no label stands on the frame."""
    low, high = min(values), max(values)
    margin = 0.08 * (high - low) or 0.1 * abs(high) or 1.0
    return max(0.0, low - margin), high + margin
