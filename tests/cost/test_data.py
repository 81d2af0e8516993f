"""Built-in prices: dated, sourced, ordered, and of known devices; the user's own are checked and win."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from planner.cost.api import UnknownName, api_price, bill, normal, offers_of, tokens_of
from planner.data import list_files, read_toml
from planner.errors import BadDocument
from planner.library import Library
from planner.price_files import ApiRow, DeviceRow, ElectricityRow, RentalRow
from tests.cost.build import library

DATE = re.compile(r"20\d\d|MSRP|undated")


def rows(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = read_toml(f"cost/prices/{name}.toml")["rows"]
    return found


@pytest.mark.parametrize(
    ("name", "kind"), [("rental", RentalRow), ("purchase", DeviceRow), ("electricity", ElectricityRow)]
)
def test_built_in_rows_obey_the_schema_of_own_files(name: str, kind: Any) -> None:
    for row in rows(name):
        parsed = TypeAdapter(kind).validate_python(row)
        assert parsed.source and DATE.search(parsed.date), row


def test_every_priced_device_is_in_the_hardware_database() -> None:
    known = {row.id for row in library().database.accelerators()}
    named = {device for name in ("rental", "purchase") for row in rows(name) for device in row["accelerators"]}
    assert named <= known, named - known


def test_api_prices_are_dated_and_obey_the_schema() -> None:
    prices = library().api_prices
    assert len(prices) > 1000
    parse = TypeAdapter(ApiRow)
    for name in list_files("cost/prices/api", ".toml"):
        table = read_toml(f"cost/prices/api/{name}")
        for entry in table["lists"]:
            head = {"provider": table["provider"], "currency": table["currency"], "source": entry["source"]}
            for row in entry["rows"]:
                parse.validate_python({**head, "date": entry["date"], **row})
    assert all(price.date and price.source and price.currency == "USD" for price in prices)
    assert all(price.cached is None or price.cached <= price.input + 1e-9 for price in prices if price.input > 0)


def test_the_history_has_the_fall_of_o3_and_peak_hours() -> None:
    history = library().cost_data.history
    o3 = {(p.since, p.output) for p in history if p.model == "o3"}
    assert o3 == {("", 40.0), ("2025-06-10", 8.0)}
    assert any(p.hours_utc == "00:30-16:30" for p in history if p.model == "deepseek-reasoner")


def test_names_find_the_makers_offer_and_misses_name_neighbours() -> None:
    prices = library().api_prices
    assert api_price("o1", prices).provider == "openai"
    assert api_price("deepseek/deepseek-r1", prices).output == 2.19
    with pytest.raises(UnknownName) as miss:
        api_price("deepsek-r1x", prices)
    assert miss.value.nearest
    sellers = offers_of("deepseek-ai/DeepSeek-R1", prices)
    assert len({price.provider for price in sellers}) >= 5
    assert all(normal(price.model) == "deepseek-r1" and not price.free for price in sellers)


def test_batch_long_prompts_and_cache_change_the_bill() -> None:
    prices = library().api_prices
    batched = next(p for p in prices if p.batch_output and p.batch_output < p.output)
    usage = tokens_of(10, 0, 10)
    assert bill(batched, usage, batch=True).value < bill(batched, usage).value
    cached = next(p for p in prices if p.cached and p.cached < p.input)
    assert bill(cached, tokens_of(10, 5, 1)).value < bill(cached, tokens_of(10, 0, 1)).value


OWN = """
[[purchase]]
accelerators = ["h200-sxm-141gb"]
low = 11000.0
high = 13000.0
currency = "EUR"
date = "2026-11-01"
source = "an offer"
"""


def overlay(tmp_path: Path, text: str) -> Library:
    (tmp_path / "prices").mkdir()
    (tmp_path / "prices" / "own.toml").write_text(text)
    return Library((tmp_path,))


def test_own_prices_replace_ours_of_the_same_device_only(tmp_path: Path) -> None:
    prices = overlay(tmp_path, OWN).prices
    own = prices.purchase["h200-sxm-141gb"]
    assert (own.amount.value, own.currency, own.source) == (12000, "EUR", "an offer")
    assert prices.purchase["h100-sxm-80gb"].currency == "USD"


def test_own_api_prices_and_electricity_go_first(tmp_path: Path) -> None:
    own = overlay(
        tmp_path,
        '[[api]]\nprovider = "us"\nmodel = "o1"\ninput = 1.0\noutput = 2.0\n'
        'currency = "EUR"\ndate = "2026-11-01"\nsource = "contract"\n'
        '[[electricity]]\nregion = "hall"\ncustomers = "contract"\nper_kwh = 0.19\n'
        'currency = "EUR"\ndate = "2026-01-01"\nsource = "contract"\n',
    )
    assert api_price("o1", own.api_prices).provider == "us"
    assert offers_of("o1", own.api_prices)[0].own
    assert (own.prices.electricity.amount.value, own.prices.electricity.currency) == (0.19, "EUR")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (("low = 11000.0", "low = 0.0"), "low"),
        (("low = 11000.0", "low = -1.0"), "low"),
        (("low = 11000.0", "low = nan"), "low"),
        (("low = 11000.0", "low = 20000.0"), "above"),
        (('"EUR"', '"euros"'), "currency"),
        (('date = "2026-11-01"\n', ""), "date"),
        (("high =", "hihg ="), "hihg"),
        (("[[purchase]]", "[[purchases]]"), "purchases"),
        (("low = 11000.0", "low = ["), "TOML"),
    ],
)
def test_hostile_price_files_are_refused_by_name(tmp_path: Path, change: tuple[str, str], word: str) -> None:
    with pytest.raises(BadDocument) as refused:
        _ = overlay(tmp_path, OWN.replace(*change)).prices
    assert "own.toml" in str(refused.value) and word in str(refused.value)


def test_the_example_of_the_module_is_valid() -> None:
    assert tomllib.loads(OWN)["purchase"]
