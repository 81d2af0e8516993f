"""What to buy, as plain text, as wide as the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from planner.buy_document import BuyDocument, NextModel, Offer, Pool
from planner.cli.layout import columns_within, pairs_within, width, wrapped
from planner.cli.tables import finding_line
from planner.units import KILO, human_bytes, human_count, human_seconds, human_whole
from planner.words.layout import layout_words
from planner.words.money import amount, shown, watts

HEAD = (
    "#", "fleet", "weights", "layout", "copies", "carries", "first token", "per token", "tok/s", "buy", "a month",
    "a million", "kW", "RU", "one device down",
)  # fmt: skip
_MOST_REJECTED = 8


def buy_table(document: BuyDocument, columns: int | None = None) -> str:
    """The whole answer for a terminal or a pipe."""
    return "\n\n".join(block for block in _blocks(document, columns or width()) if block)


def _blocks(document: BuyDocument, columns: int) -> Iterator[str]:
    yield _title(document)
    if document.have:
        yield f"{document.have.title}\n" + pairs_within(list(_details(document.have)), columns)
    if document.offers:
        yield columns_within([HEAD, *(_row(offer) for offer in document.offers)], columns)
        first = document.offers[0]
        yield f"the first, {first.title}\n" + pairs_within(list(_details(first)), columns)
    if document.next_models:
        rows = [(one.model, _larger(one)) for one in document.next_models]
        yield "the next models up, for the same load on the first kind of device\n" + pairs_within(rows, columns)
    if document.problems:
        lines = (wrapped(finding_line(f).strip(), columns, indent="  ") for f in document.problems)
        yield "problems\n" + "\n".join(lines)
    if document.rejected:
        lines = (
            wrapped(f"{r.count} × {r.rule}: {r.message}" + (f" → {r.fix}" if r.fix else ""), columns, indent="  ")
            for r in document.rejected[:_MOST_REJECTED]
        )
        yield "ruled out\n" + "\n".join(lines)
    if document.assumed:
        yield "assumed\n" + pairs_within([(k, str(v)) for k, v in sorted(document.assumed.items())], columns)


def _title(document: BuyDocument) -> str:
    if document.enough:
        return f"to serve {document.model}: what is there carries the load, nothing is to be bought"
    count = len(document.offers)
    found = f"{count} fleet{'s' if count != 1 else ''} of {document.considered} kinds of accelerators"
    return f"to serve {document.model}: {found}\nprices are dated facts (below), none of them is current"


def _row(offer: Offer) -> tuple[str, ...]:
    return (
        str(offer.rank),
        offer.title,
        " + ".join(dict.fromkeys(str(pool.deployment["model"].get("weights", "")) for pool in offer.pools)),
        " + ".join(dict.fromkeys(_layout(pool) for pool in offer.pools)),
        str(offer.copies),
        human_whole(offer.carries.value) if offer.carries else "?",
        human_seconds(offer.ttft_s.value) if offer.ttft_s else "?",
        human_seconds(offer.tpot_s.value) if offer.tpot_s else "?",
        human_count(offer.output_tok_s.value) if offer.output_tok_s else "?",
        amount(offer.purchase.value, offer.purchase.currency) if offer.purchase else "?",
        amount(offer.month.value, offer.month.currency) if offer.month else "?",
        amount(offer.per_mtok.value, offer.per_mtok.currency) if offer.per_mtok else "?",
        f"{offer.plug_w.value / KILO:.1f}" if offer.plug_w else "?",
        str(offer.rack_units),
        _outage(offer),
    )


def _outage(offer: Offer) -> str:
    one = offer.outages[0]
    if one.copies <= 0:
        return "nothing runs"
    return "all holds" if one.holds else "promises break"


def _details(offer: Offer) -> Iterator[tuple[str, str]]:
    """Everything about one fleet."""
    if not all(pool.owned for pool in offer.pools):
        yield "buy", shown(offer.purchase)
    yield "a month", shown(offer.month)
    yield "a million tokens", shown(offer.per_mtok)
    yield "a month, rented", shown(offer.rent_month)
    yield "at the plugs", f"{watts(offer.plug_w)}, {offer.rack_units} rack units"
    if offer.carries:
        users = f"{human_whole(offer.carries.low)} – {human_whole(offer.carries.high)}"
        yield "carries", f"{human_whole(offer.carries.value)} users within the promises  ({users})"
    yield "headroom", _headroom(offer)
    for one in offer.outages:
        kept = "promises kept" if one.holds else "promises broken"
        yield f"{one.missing} down", f"{one.copies} copies, {human_whole(one.users)} users in memory, {kept}"
    for pool in offer.pools:
        yield from _pool(pool, several=len(offer.pools) > 1)
    for remark in offer.remarks:
        yield "note", remark
    for name, text in offer.as_of.items():
        yield f"as of: {name}", text


def _headroom(offer: Offer) -> str:
    load = f"{offer.headroom_load:+.0%} users within the promises, {offer.headroom:+.0%} in memory"
    return f"{load}, {offer.idle_devices} idle devices"


def _pool(pool: Pool, *, several: bool) -> Iterator[tuple[str, str]]:
    machine = pool.machine
    if several:
        text = f"{pool.share:.0%} of the load, {pool.copies} copies, carries {human_whole(pool.carries)} users"
        yield pool.fleet.title, text + (", there already" if pool.owned else "")
    if pool.owned:
        return
    yield "each server", f"{human_bytes(machine.ram_bytes)} RAM at least: {machine.modules}"
    yield "memory channels", machine.memory_channels
    yield "disk, network", f"{human_bytes(machine.disk_bytes)}; {machine.network}"


def _larger(one: NextModel) -> str:
    least = f"{human_bytes(one.least_bytes)} at least"
    if not one.fleet:
        return f"{least}, {one.devices} devices or more; no fleet of that kind carries the load"
    price = f", {shown(one.purchase)}" if one.purchase else ""
    return f"{one.fleet} in {one.weights}{price}"


def _layout(pool: Pool) -> str:
    """Of one copy: how many there are has a column of its own."""
    serving = pool.deployment["serving"]
    return layout_words({**serving, "dp": 1}, pool.fleet.used // serving.get("dp", 1))
