"""What to buy, as plain text."""

from __future__ import annotations

from collections.abc import Iterator

from planner.buy_document import BuyDocument, Offer
from planner.cli.money_text import amount, shown
from planner.cli.tables import align, finding_line
from planner.units import KILO, human_bytes, human_count, human_seconds

HEAD = (
    "#", "fleet", "weights", "layout", "copies", "users", "first token", "per token", "tok/s", "buy", "a month",
    "kW", "RU", "one device down",
)  # fmt: skip
_MOST_REJECTED = 8


def buy_table(document: BuyDocument) -> str:
    """The whole answer for a terminal or a pipe."""
    return "\n\n".join(block for block in _blocks(document) if block)


def _blocks(document: BuyDocument) -> Iterator[str]:
    title = f"to serve {document.model}: {len(document.offers)} fleets of {document.considered} kinds of accelerators"
    yield f"{title}\nprices are dated facts (below), none of them is current"
    if document.offers:
        yield align([HEAD, *(_row(offer) for offer in document.offers)])
        yield _first(document.offers[0])
    if document.next_model:
        one = document.next_model
        need = f"{human_bytes(one.least_bytes)}, {one.devices} such devices or more"
        yield f"the next model up, {one.model}, would need {need}"
    if document.problems:
        yield "problems\n" + "\n".join(finding_line(f) for f in document.problems)
    if document.rejected:
        lines = (f"  {r.count} × {r.rule}: {r.message}" for r in document.rejected[:_MOST_REJECTED])
        yield "ruled out\n" + "\n".join(lines)
    if document.assumed:
        yield "assumed\n" + align([(k, str(v)) for k, v in sorted(document.assumed.items())], indent="  ")


def _row(offer: Offer) -> tuple[str, ...]:
    serving = offer.deployment["serving"]
    names = (("tp", "TP"), ("attention_dp", "DPA"), ("pp", "PP"), ("ep", "EP"))
    layout = " ".join(f"{short}{serving[key]}" for key, short in names if serving.get(key, 1) > 1) or "one device"
    return (
        str(offer.rank),
        offer.fleet.title,
        str(offer.deployment["model"].get("weights", "")),
        layout,
        str(offer.copies),
        human_count(offer.users),
        human_seconds(offer.ttft_s.value) if offer.ttft_s else "?",
        human_seconds(offer.tpot_s.value) if offer.tpot_s else "?",
        human_count(offer.output_tok_s.value) if offer.output_tok_s else "?",
        amount(offer.purchase.value, offer.purchase.currency) if offer.purchase else "?",
        amount(offer.month.value, offer.month.currency) if offer.month else "?",
        f"{offer.plug_w.value / KILO:.1f}" if offer.plug_w else "?",
        str(offer.rack_units),
        _outage(offer),
    )


def _outage(offer: Offer) -> str:
    one = offer.outages[0]
    if one.copies <= 0:
        return "nothing runs"
    return "all holds" if one.holds else f"{human_count(one.users)} users"


def _first(offer: Offer) -> str:
    machine = offer.machine
    rows = [
        ("buy", shown(offer.purchase)),
        ("a month, owned", shown(offer.month)),
        ("a month, rented", shown(offer.rent_month)),
        ("headroom", f"{offer.headroom:.0%} more users in memory, {offer.idle_devices} idle devices"),
    ]
    rows += [
        (f"{one.missing} down", f"{one.copies} copies, {human_count(one.users)} users, promises {_kept(one.holds)}")
        for one in offer.outages
    ]
    rows += [
        ("each server", f"{human_bytes(machine.ram_bytes)} RAM, {machine.sockets} sockets, {machine.memory_channels}"),
        ("disk, network", f"{human_bytes(machine.disk_bytes)}; {machine.network}"),
    ]
    rows += [(f"as of: {name}", text) for name, text in offer.as_of.items()]
    return f"the first, {offer.fleet.title}\n" + align(rows, indent="  ")


def _kept(holds: bool | None) -> str:
    return "kept" if holds else "broken"
