"""Plots, by plotext. Series differ in their signs, promises are lines with words: nothing is said by colour alone."""

from __future__ import annotations

from textual_plotext import PlotextPlot

from tui.plots import Curve, Field

TICKS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class CurvePlot(PlotextPlot):
    """Per token (o, left) and tokens per second (+, right) over requests in flight; ─ what was promised."""

    def show(self, curve: Curve) -> None:
        """Draw a curve."""
        plot = self.plt
        plot.clear_data()
        plot.clear_figure()
        plot.xscale("log")
        plot.plot(curve.users, curve.token_ms, marker="o", color="blue+", label="o per token, ms")
        plot.plot(curve.users, curve.rate, marker="+", color="green+", yside="right", label="+ all users, tok/s")
        if curve.promised_ms is not None and curve.promised_ms <= 1.5 * max(curve.token_ms):
            plot.hline(curve.promised_ms, "red+")
            plot.text(f"promised {curve.promised_ms:g} ms", curve.users[0], curve.promised_ms, alignment="left")
        ticks = [float(tick) for tick in TICKS if tick <= curve.users[-1]]
        plot.xticks(ticks, [f"{tick:g}" for tick in ticks])
        plot.xlabel("requests in flight")
        self.refresh()


class FieldPlot(PlotextPlot):
    """Each proposal as its rank; * where no other beats it in every respect."""

    def show(self, field: Field) -> None:
        """Draw proposals."""
        plot = self.plt
        plot.clear_data()
        plot.clear_figure()
        xs, ys = [spot.x for spot in field.spots], [spot.y for spot in field.spots]
        plot.scatter(xs, ys, marker=" ")
        for spot in reversed(field.spots):
            plot.text(spot.label, spot.x, spot.y, alignment="center", color="green+" if "*" in spot.label else "default")
        for low, high, limits in ((min(xs), max(xs), plot.xlim), (min(ys), max(ys), plot.ylim)):
            margin = 0.08 * (high - low) or 0.1 * abs(high) or 1.0
            limits(max(0.0, low - margin), high + margin)
        plot.xlabel(field.x_label)
        plot.ylabel(field.y_label)
        self.refresh()
