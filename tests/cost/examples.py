"""The worked examples of docs/cost.md, computed: ``python -m tests.cost.examples`` rewrites their tables."""

from __future__ import annotations

import re
from pathlib import Path

from planner.cost.document import CostDocument
from planner.cost.published import fall_of, runs_of, serving_day, training_account
from planner.cost_report import Assumptions, CostRequest, cost_of, cost_report
from planner.data import read_toml
from planner.documents.files import read_deployment
from tests.cost.build import library

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "cost.md"
Table = list[tuple[str, ...]]


def training() -> Table:
    row = read_toml("cost/prices/published.toml")["training"]["deepseek-v3"]
    account = training_account(row)
    stages = {stage["name"]: stage["device_hours"] for stage in row["stages"]}
    rows = [(name, f"{stages[name]:,.0f}", f"{money:,.0f}") for name, money in account.amount.terms.items()]
    return [
        ("stage", "H800 hours", "USD at 2.00 an hour"),
        *rows,
        ("together", f"{sum(stages.values()):,.0f}", f"{account.value:,.0f}"),
    ]


def day() -> Table:
    row = read_toml("cost/prices/published.toml")["serving"]["deepseek-day"]
    made = serving_day(row)
    return [
        ("figure", "value"),
        ("226.75 nodes × 8 × 24 h × 2.00 USD", f"{made.cost.value:,.0f} USD"),
        ("nodes that the published speeds explain", f"{made.prefill_nodes + made.decode_nodes:.1f}"),
        ("a million tokens, in and out", f"{made.per_mtok.value:.3f} USD"),
        ("a million input tokens, 56 % of them cached", f"{made.per_mtok_input.value:.3f} USD"),
        ("a million output tokens", f"{made.per_mtok_output.value:.3f} USD"),
    ]


def _account(example: str, used: float, *apis: str) -> CostDocument:
    deployment = read_deployment(ROOT / "examples" / example)
    return cost_report(deployment, library(), CostRequest(terms={"utilisation": used}, apis=apis))


def _against(example: str, levels: tuple[float, ...], *apis: str) -> Table:
    rows: Table = [("utilisation", "a month owned", "a million tokens", "API", "its million", "its month", "cheaper")]
    for used in levels:
        document = _account(example, used, *apis)
        real = document.owned.real if document.owned else None
        for one in document.apis:
            if real is not None and real.per_mtok is not None:
                rows.append(
                    (
                        f"{used:.0%}",
                        f"{real.month.value:,.0f} USD",
                        f"{real.per_mtok.value:.2f} USD",
                        one.api.model,
                        f"{one.per_mtok.value:.2f} USD",
                        f"{one.month.value:,.0f} USD",
                        "own" if one.saving.value > 0 else "API",
                    )
                )
    return rows


def r1() -> Table:
    return _against("30-r1-owned-or-rented.toml", (0.3, 0.8), "deepseek/deepseek-r1", "o1")


def distilled() -> Table:
    return _against("31-distilled-r1-instead-of-o1.toml", (0.6,), "o1", "o3")


def generations() -> Table:
    published = read_toml("cost/prices/published.toml")
    fall = fall_of(published["fall"]["gpt-2"])
    rows: Table = [("model", "device hours", "USD")]
    rows += [(name, f"{hours:,.0f}", f"{money.value:,.0f}") for name, hours, money in runs_of(published["hours"])]
    last = f"{fall.last.value:,.0f} = a {fall.factor:,.0f}th"
    return [
        *rows,
        ("GPT-2 in 2019", "", f"{fall.first.value:,.0f}"),
        ("the same grade in 2026", "", last),
        ("that is, each year", "", f"÷ {fall.per_year:.1f}"),
    ]


def tariff() -> Table:
    """DeepSeek-V4-Flash beside the same fleet, busy in the office hours of Berlin, or at night."""
    rows: Table = [("24 local hours, UTC+1", "share at the dear price", "a million tokens", "a month")]
    office = (0.0,) * 8 + (1.0,) * 10 + (0.0,) * 6
    for name, profile in (("8 to 18 h", office), ("22 to 8 h", office[10:] + office[:10])):
        asked = Assumptions(profile=profile, utc_offset=1.0, apis=("deepseek/deepseek-v4-flash",))
        (one,) = cost_of(read_deployment(ROOT / "examples" / "30-r1-owned-or-rented.toml"), library(), asked).apis
        share = one.tariff.peak_share.value if one.tariff else 0.0
        rows.append((name, f"{share:.0%}", f"{one.per_mtok.value:.2f} USD", f"{one.month.value:,.0f} USD"))
    return rows


TABLES = {
    "training": training,
    "generations": generations,
    "day": day,
    "r1": r1,
    "distilled": distilled,
    "tariff": tariff,
}
BLOCK = r"<!-- {name} -->\n(.*?)<!-- end -->"


def markdown(rows: Table) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]]) + "\n"


def shown(name: str, text: str) -> str:
    """The table of a name as it stands in the document."""
    found = re.search(BLOCK.format(name=name), text, re.DOTALL)
    return found.group(1) if found else ""


def main() -> None:
    """Rewrite the tables."""
    text = DOCUMENT.read_text(encoding="utf-8")
    for name, table in TABLES.items():
        block = f"<!-- {name} -->\n{markdown(table())}<!-- end -->"
        text = re.sub(BLOCK.format(name=name), lambda _, block=block: block, text, flags=re.DOTALL)
    DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
