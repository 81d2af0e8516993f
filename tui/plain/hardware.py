"""The first questions: which hardware, and what for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from planner.errors import PlannerError
from tui import hardware_text
from tui.plain.ask import Choice, choose, line
from tui.plain.journey import Journey
from tui.plain.talk import Back

if TYPE_CHECKING:
    from planner.documents.inventory import Inventory, Node
    from planner.sites import Site

ABOUT = (
    "The hardware is what is planned with. Write a name as 8xH200, 2x8xH100-SXM (machines x cards), 4xRTX-4090 or cpu, "
    "or the path of a file: an inventory, or saved output of a vendor's tool."
)
GOALS = (
    Choice("serve", "Serve a model", "which model, engine and settings answer your users, and the files that start it"),
    Choice("tune", "Fine-tune a model", "which method and trainer fit this hardware, how long it takes"),
    Choice("buy", "Find out what to buy", "the smallest fleets that serve a model to a number of users, with prices"),
)


def hardware(journey: Journey) -> str:
    """What there is to plan with."""
    talk = journey.talk
    if journey.hardware is not None:
        spec, journey.hardware = journey.hardware, None
        _take(journey, spec)
    if journey.draft.inventory is None:
        talk.say("Looking at this machine.")
        _detect(journey)
    while True:
        _describe(journey)
        saved = {f"site {site.name}": site for site in _saved()}
        choices = [
            Choice("take", "Plan with this hardware"),
            Choice("name", "Name other hardware, or a file", ABOUT),
            Choice("detect", "Look at this machine again"),
            *(Choice(key, f"Saved {key}", str(site.path)) for key, site in saved.items()),
        ]
        key = choose(talk, "Step 1, hardware", choices, default="take", about=ABOUT)
        if key == "take":
            _ask_fabric(journey)
            return "goal"
        if key in saved:
            _take(journey, str(saved[key].path))
        elif key == "detect":
            _detect(journey)
        else:
            _name(journey)


def goal(journey: Journey) -> str:
    """What it is for."""
    about = "What you want to do decides what is asked next."
    purpose = choose(journey.talk, "Step 2, goal", GOALS, default=journey.draft.purpose, about=about)
    journey.draft = replace(journey.draft, purpose=purpose)
    return "model"


def _saved() -> tuple[Site, ...]:
    """Sites that were kept under a name."""
    from planner.errors import BadInput
    from planner.sites import saved_sites, sites_folder

    try:
        return saved_sites(sites_folder())
    except BadInput:
        return ()


def _name(journey: Journey) -> None:
    try:
        spec = line(journey.talk, "Hardware or file:", about=ABOUT)
    except Back:
        return
    if spec:
        _take(journey, str(Path(spec).expanduser()) if spec.startswith("~") else spec)


def _take(journey: Journey, spec: str) -> None:
    """Hardware by name; what is wrong with a name is said, and the hardware stays as it was."""
    try:
        inventory = journey.services.load(spec, journey.library)
    except (PlannerError, OSError, ValueError, RuntimeError) as error:
        journey.talk.say(f"Not taken: {error}")
    else:
        journey.draft = replace(journey.draft, inventory=inventory, site=f"{spec[:60]} ({inventory.origin})")


def _detect(journey: Journey) -> None:
    inventory = journey.services.detect(journey.library)
    host = next((node.host.hostname for node in inventory.nodes if node.host.hostname), "this machine")
    journey.draft = replace(journey.draft, inventory=inventory, site=f"{host} ({inventory.origin})")


def _describe(journey: Journey) -> None:
    inventory = journey.draft.inventory
    if inventory is not None:
        journey.talk.heading(f"Hardware: {journey.draft.site}")
        journey.talk.say("\n".join(lines(inventory)))


def lines(inventory: Inventory) -> Iterator[str]:
    """The hardware in sentences: equal devices once, then the host, then what needs attention."""
    yield hardware_text.summary(inventory)
    for node in inventory.nodes[: hardware_text.MOST_NODES]:
        yield from _devices(node)
        yield from (" ".join(words.split()) for words in hardware_text.host_lines(node))
        if node.link and len(node.devices) > 1:
            yield f"Links between them: {node.link}."
    warnings = [words.removeprefix("! ") for words in hardware_text.warning_lines(inventory)]
    yield from (f"Warning: {words}" for words in warnings)


def _devices(node: Node) -> Iterator[str]:
    """Devices that are alike in one line."""
    groups: dict[str, list[str]] = {}
    for device in node.devices:
        total, free = (hardware_text.amount(count) for count in (device.total_bytes, device.free_bytes))
        state = hardware_text.device_state(device)[2:].capitalize()
        said = f"{device.name or device.vendor}: {total} of memory, {free} free. {state}."
        groups.setdefault(said, []).append(str(device.index))
    for said, numbers in groups.items():
        alike = f"{len(numbers)} devices, each " if len(numbers) > 1 else ""
        yield f"Number {', '.join(numbers)}: {alike}{said}"


def _ask_fabric(journey: Journey) -> None:
    """The network between machines, where there are several and nobody said."""
    inventory = journey.draft.inventory
    if inventory is None or inventory.fabric or sum(node.count for node in inventory.nodes) < 2:
        return
    rows = journey.library.database.fabrics()
    choices = (Choice("", "Not known"), *(Choice(row.id, f"{row.id}: {row.name}") for row in rows))
    about = "The network between the machines. Without one only pipeline stages cross it."
    fabric = choose(journey.talk, "Network between the machines", choices, default="", about=about)
    journey.draft = replace(journey.draft, inventory=replace(inventory, fabric=fabric or None))
