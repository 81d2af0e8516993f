"""Power, energy and the room of a deployment, as plain text."""

from __future__ import annotations

from collections.abc import Iterator

from planner.cli.layout import pairs_within
from planner.cost.caps import CapStep
from planner.cost.document import CostDocument
from planner.cost.energy import Draw
from planner.cost.site import Site
from planner.units import KILO, human_whole
from planner.words.money import plain, watts


def power_block(document: CostDocument, columns: int) -> str:
    """Watts by phase and part, caps, circuits and cooling; empty where the board power is unknown."""
    if document.power is None:
        return ""
    blocks = [
        "power, at the meter\n" + pairs_within(list(_draws(document)), columns),
        _caps(document, columns),
        "the room\n" + pairs_within(list(_room(document.site)), columns) if document.site else "",
    ]
    return "\n\n".join(block for block in blocks if block)


def _draws(document: CostDocument) -> Iterator[tuple[str, str]]:
    power = document.power
    if power is None:
        return
    load = power.load
    yield "at load", watts(load.total)
    parts = (("devices", load.devices), ("host", load.host), ("fans", load.fans), ("network", load.network))
    yield "  of which", ", ".join(f"{name} {watts_of(part.value)}" for name, part in parts)
    yield "  lost", f"power supplies {watts_of(load.supply.value)}, building {watts_of(load.facility.value)}"
    phases: tuple[tuple[str, Draw], ...] = (("idle", power.idle), ("prefill", power.prefill), ("decode", power.decode))
    for name, draw in phases:
        yield name, watts(draw.total)
    if document.prompt_time is not None:
        yield "time in prefill", f"{document.prompt_time:.0%}"
    if document.energy:
        yield "a million tokens", plain(document.energy.per_mtok, "Wh")
        yield "  input", plain(document.energy.per_mtok_input, "Wh")
        yield "  output", plain(document.energy.per_mtok_output, "Wh")
        yield "  all laid on output", plain(document.energy.per_mtok_output_only, "Wh")


def _caps(document: CostDocument, columns: int) -> str:
    if not document.caps:
        return ""
    rows = [(f"{step.cap_w:,.0f} W each", _cap(document, step)) for step in document.caps]
    if document.clock_lock_saves:
        saved = document.clock_lock_saves
        text = f"{saved.value:.0%} of the energy of decoding ({saved.low:.0%} – {saved.high:.0%})"
        rows.append(("locked clocks save", f"{text}, where a cap changes nothing"))
    rows.append(("as of", document.caps[0].as_of))
    return "if devices are capped to\n" + pairs_within(rows, columns)


def _cap(document: CostDocument, step: CapStep) -> str:
    before, after = document.output_tok_s, step.output_tok_s
    fewer = (
        f"{1 - after.value / before.value:.0%} fewer tokens" if before and before.value and after else "tokens unknown"
    )
    energy = f", {step.wh_per_mtok.value:,.0f} Wh a million output" if step.wh_per_mtok else ""
    return f"{watts_of(step.power.total.value)}, {fewer}, prompts at {step.prefill_speed.value:.0%}{energy}"


def _room(site: Site) -> Iterator[tuple[str, str]]:
    yield "at the plugs", f"{watts(site.plug_w)}, the sustained worst"
    yield (
        "all ramping at once",
        f"{watts(site.peak_w)}; supplies of a server for {watts_of(site.supply_w_per_node.high)}",
    )
    yield "circuits, one of", ", ".join(f"{n} × {name}" for name, n in site.circuits.items())
    yield "rack", f"{site.rack_units} units, {plain(site.racks)} racks"
    cooling = f"{site.btu_per_hour:,.0f} BTU/h, {site.cooling_tons:.1f} tons"
    yield "cooling", f"{watts(site.cooling_w)}; {cooling}, {site.airflow_m3_per_hour:,.0f} m³/h of air"


def outage_block(document: CostDocument, columns: int) -> str:
    """What still runs."""
    kept = {True: "all users held, promises kept", False: "users or promises lost", None: "no promise was stated"}
    rows = [
        (f"{one.missing} down", f"{one.copies} copies, {human_whole(one.users)} users in memory, {kept[one.holds]}")
        for one in document.outages
    ]
    return "when something is down\n" + pairs_within(rows, columns) if rows else ""


def watts_of(value: float) -> str:
    """One number of watts."""
    return f"{value / KILO:,.1f} kW" if value >= KILO else f"{value:,.0f} W"
