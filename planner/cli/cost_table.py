"""The account of a deployment as plain text."""

from __future__ import annotations

from collections.abc import Iterator

from planner.cli.money_text import amount, plain, shown, watts
from planner.cli.tables import align, finding_line
from planner.cost.against import Comparison
from planner.cost.caps import CapStep
from planner.cost.document import CostDocument
from planner.cost.ownership import Account, Load, Rent
from planner.cost.scenarios import Course
from planner.units import KILO, MEGA, human_count


def cost_table(document: CostDocument) -> str:
    """The whole account for a terminal or a pipe."""
    return "\n\n".join(block for block in _blocks(document) if block)


def _blocks(document: CostDocument) -> Iterator[str]:
    title = document.fleet.title if document.fleet else "no accelerators"
    yield f"cost of {title}: {document.verdict}\nprices are dated facts (below), none of them is current"
    yield _power(document)
    if document.outages:
        yield _outages(document)
    if document.owned:
        yield _owned(document.owned)
    if document.rented:
        yield _rented(document.rented)
    if document.sensitivity:
        yield _ladder(document)
    if document.apis:
        yield _apis(document.apis)
    if document.scenarios:
        yield _scenarios(document.scenarios)
    if document.problems:
        yield "problems\n" + "\n".join(finding_line(f) for f in document.problems)
    if document.assumed:
        yield "assumed\n" + align([(k, str(v)) for k, v in sorted(document.assumed.items())], indent="  ")
    if document.as_of:
        yield "as of\n" + align([(name, text) for name, text in document.as_of.items()], indent="  ")


def _power(document: CostDocument) -> str:
    power, site = document.power, document.site
    if power is None:
        return ""
    rows = [
        ("at load, at the meter", watts(power.load.total)),
        ("  of which devices", watts(power.load.devices)),
        ("  host, fans, network", watts_of(power.load.host.value + power.load.fans.value + power.load.network.value)),
        ("  building", watts(power.load.facility)),
        (
            "idle / prefill / decode",
            " / ".join(watts_of(d.total.value) for d in (power.idle, power.prefill, power.decode)),
        ),
    ]
    if document.energy:
        rows.append(("per million tokens", plain(document.energy.per_mtok, "Wh")))
        rows.append(("per million output", plain(document.energy.per_mtok_output_only, "Wh")))
    for step in document.caps:
        text = (
            f"{watts_of(step.power.total.value)}, {_slower(document, step)}, prompts at {step.prefill_speed.value:.0%}"
        )
        rows.append((f"capped to {step.cap_w:,.0f} W each", text))
    if site:
        rows.append(
            ("room", f"{site.rack_units} rack units, {plain(site.racks)} racks, {watts(site.cooling_w)} of cooling")
        )
        rows.append(
            ("all ramping at once", f"{watts(site.peak_w)}; {watts_of(site.supply_w_per_node.high)} per server")
        )
        rows.append(("circuits", ", ".join(f"{n} × {name}" for name, n in site.circuits.items())))
    return "power\n" + align(rows, indent="  ")


def _slower(document: CostDocument, step: CapStep) -> str:
    before, after = document.output_tok_s, step.output_tok_s
    return f"{1 - after.value / before.value:.0%} fewer tokens" if before and after else "tokens unknown"


def watts_of(value: float) -> str:
    """One number of watts."""
    return f"{value / KILO:,.1f} kW" if value >= KILO else f"{value:,.0f} W"


def _outages(document: CostDocument) -> str:
    rows = []
    for one in document.outages:
        kept = {True: "all users held, promises kept", False: "users or promises lost", None: ""}[one.holds]
        rows.append((f"{one.missing} down", f"{one.copies} copies", f"{human_count(one.users)} users in memory", kept))
    return "when something is down\n" + align(rows, indent="  ")


def _owned(account: Account) -> str:
    rows = [(f"buy {name}", shown(money)) for name, money in account.purchase.items()]
    rows.append(("buy, together", shown(account.purchase_total)))
    rows += [(f"a month: {name}", shown(money)) for name, money in account.monthly.items()]
    for load in (account.real, account.full):
        rows += _load(load, f"at {load.utilisation:.0%}")
    return f"owned over {account.years:g} years\n" + align(rows, indent="  ")


def _load(load: Load, label: str) -> list[tuple[str, str]]:
    return [
        (f"{label}: a month", shown(load.month)),
        (f"{label}: a million tokens", shown(load.per_mtok)),
        ("  input / output", f"{shown(load.per_mtok_input)} / {shown(load.per_mtok_output)}"),
        ("  all laid on output", shown(load.per_mtok_output_only)),
    ]


def _rented(rent: Rent) -> str:
    rows = [("an hour", shown(rent.per_hour)), ("kept all month", shown(rent.reserved.month))]
    rows.append(("  a million tokens", shown(rent.reserved.per_mtok)))
    rows.append((f"by the hour, {rent.by_the_hour.utilisation:.0%}", shown(rent.by_the_hour.month)))
    rows.append(("  a million tokens", shown(rent.by_the_hour.per_mtok)))
    return "rented\n" + align(rows, indent="  ")


def _ladder(document: CostDocument) -> str:
    rows = [("utilisation", "a month", "a million tokens", *(c.api.title for c in document.apis[:3]))]
    for load in document.sensitivity:
        cells = [f"{load.utilisation:.0%}", amount(load.month.value, load.month.currency), shown(load.per_mtok)]
        rows.append((*cells, *(_verdict(load, c) for c in document.apis[:3])))
    return "owned, by utilisation, against an API\n" + align(rows, indent="  ")


def _verdict(load: Load, api: Comparison) -> str:
    if load.per_mtok is None:
        return "unknown"
    price = amount(api.per_mtok.value, api.per_mtok.currency)
    return f"{price}: {'own' if load.per_mtok.value < api.per_mtok.value else 'API'} is cheaper"


def _apis(apis: tuple[Comparison, ...]) -> str:
    rows = [("API", "in / cached / out", "a million", "same month", "break-even tokens a day", "payback", "as of")]
    for one in apis:
        api = one.api
        cached = "–" if api.cached is None else f"{api.cached:g}"
        even = one.break_even_tokens_day
        share = one.break_even_utilisation
        payback = one.payback_months
        rows.append(
            (
                api.title,
                f"{api.input:g} / {cached} / {api.output:g} {api.currency}",
                amount(one.per_mtok.value, one.per_mtok.currency),
                amount(one.month.value, one.month.currency),
                f"{even.value / MEGA:,.0f} M = {share.value:.0%} of full load" if even and share else "never",
                f"{payback.value:,.0f} months ({payback.low:,.0f} – {payback.high:,.0f})" if payback else "never",
                api.date,
            )
        )
    return "against APIs, for the same tokens\n" + align(rows, indent="  ")


def _scenarios(courses: tuple[Course, ...]) -> str:
    head = f"over the years, against {courses[0].api}"
    rows = [("scenario", "demand", "API price", "efficiency", "full", "cheaper from", "dearer from", "own", "API")]
    for one in courses:
        s = one.scenario
        rows.append(
            (
                s.id,
                f"×{s.demand:g}",
                f"×{s.api_price:g}",
                f"×{s.efficiency:g}",
                _month(one.full_month),
                _month(one.cheaper_month),
                _month(one.dearer_month),
                amount(one.owned_total, one.currency),
                amount(one.api_total, one.currency),
            )
        )
    return head + " (factors per year)\n" + align(rows, indent="  ")


def _month(month: int | None) -> str:
    return "–" if month is None else "now" if month == 0 else f"month {month}"
