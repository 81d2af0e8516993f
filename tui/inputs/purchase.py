"""Of a purchase: what may be bought, and what comes first."""

from __future__ import annotations

from tui.inputs.kinds import Kind, Number, OneOf

NUMBERS = (
    Number("budget_k", "Budget", "k", 1, 100_000, True,
     "thousands, in the currency of the prices, for devices, servers and network; empty: no limit. Rules fleets out."),
    Number("power_kw", "Room power", "kW", 1, 10_000, True,
     "that the room gives at its plugs, under full load; empty: no limit. Rules fleets out."),
    Number("max_nodes", "Servers at most", "", 1, 1000, False, "more are not looked at."),
)  # fmt: skip
SPARE = (
    Kind("", "No", "the load breaks when a server is down"),
    Kind("yes", "Yes", "one set of servers more than needed (N+1)"),
)
VENDORS = (
    Kind("", "Any"),
    Kind("nvidia", "NVIDIA"),
    Kind("amd", "AMD"),
    Kind("intel", "Intel"),
    Kind("huawei", "Huawei"),
    Kind("apple", "Apple"),
)
RANKS = (
    Kind("purchase", "Purchase", "the cheapest to buy"),
    Kind("tco", "A month", "the cheapest to own, everything in"),
    Kind("power", "Power", "the least power"),
    Kind("devices", "Devices", "the fewest devices"),
)
CHOICES = (
    OneOf("rank_by", "Best is", "what comes first.", RANKS),
    OneOf("spare", "Spare servers", "whether the load must hold with a server down.", SPARE),
    OneOf("vendor", "Maker", "only accelerators of this maker.", VENDORS),
)
