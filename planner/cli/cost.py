"""``deploy-planner cost``: what a deployment draws and costs, owned, rented, and against an API."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.cli.options import add_overlay_option, library_of
from planner.cli.values import positive, share, tokens
from planner.documents.encode import to_json
from planner.documents.files import read_deployment
from planner.errors import Exit

if TYPE_CHECKING:
    from planner.cost.prices_loader import Price
    from planner.cost_report import CostRequest

EXAMPLES = """examples:
  deploy-planner cost r1.toml --utilisation 0.3 --api openai/o1
  deploy-planner cost r1.toml --region "Germany industrial" --exchange EUR=1.1 --json
  deploy-planner cost r1.toml --purchase 27000 --kwh 0.18 --years 4 --growth 3 --api-decline 0.4

Prices are dated facts, none of them is current. Your own go into DIR/prices/*.toml with --data DIR (docs/cost.md)."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("deployment", help="a deployment document (TOML)")
    parser.add_argument("--json", action="store_true", help="the account as JSON instead of a table")
    _load_options(parser)
    add_term_options(parser)
    _api_options(parser)
    add_overlay_option(parser)


def _load_options(parser: argparse.ArgumentParser) -> None:
    load = parser.add_argument_group("load (replaces that of the document)")
    load.add_argument("--isl", type=tokens, metavar="TOKENS", help="mean prompt length")
    load.add_argument("--osl", type=tokens, metavar="TOKENS", help="mean answer length")
    load.add_argument("--users", type=positive, metavar="N", help="requests in flight at full load")
    load.add_argument("--prefix-hit-rate", type=share, metavar="SHARE", help="prompt tokens found in the cache, 0-1")
    use = load.add_mutually_exclusive_group()
    use.add_argument("--utilisation", type=share, metavar="SHARE", help="hours at full load, 0-1 (0.4)")
    use.add_argument("--by-hour", type=day, metavar="A,B,…", help="24 shares, one for each hour of the day")


def add_term_options(parser: argparse.ArgumentParser) -> None:
    """Options of ownership, shared by the verbs that buy and that account."""
    group = parser.add_argument_group("owning")
    group.add_argument("--purchase", type=positive, metavar="PRICE", help="of one device")
    group.add_argument("--rent", type=positive, metavar="PRICE", help="of one device for an hour")
    group.add_argument("--currency", default="USD", type=currency, help="of the prices given as options (USD)")
    group.add_argument("--kwh", type=positive, metavar="PRICE", help="of a kWh")
    group.add_argument("--region", metavar="NAME", help="electricity of a region in the data: Germany, US-Texas …")
    group.add_argument("--exchange", type=worth, action="append", default=[], metavar="EUR=1.1",
                       help="what one unit is worth in the prices' currency (repeatable)")  # fmt: skip
    group.add_argument("--years", type=positive, metavar="N", help="until written off (3)")
    group.add_argument("--residual", type=share, metavar="SHARE", help="left of the price after that (0.15)")
    group.add_argument("--interest", type=share, metavar="SHARE", help="per year (0.07)")
    group.add_argument("--hosting", type=free, metavar="PRICE", help="of a kW for a month, power apart")
    group.add_argument("--salary", type=free, metavar="PRICE", help="of a person for a month; 0 leaves people out")


def _api_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("against an API, and over the years")
    group.add_argument(
        "--api", nargs="+", action="extend", default=[], metavar="NAME", help="o1, deepseek/deepseek-r1 …"
    )
    group.add_argument("--batch", action="store_true", help="the API's batch prices")
    group.add_argument("--growth", type=factor, metavar="F", help="demand after a year, 2 is the double")
    group.add_argument("--api-decline", type=factor, metavar="F", help="API price after a year, 0.5 is half")
    group.add_argument("--efficiency", type=factor, metavar="F", help="capacity after a year by better software")
    group.add_argument("--horizon", type=duration_years, metavar="YEARS", help="how far to look (3)")


def run(args: argparse.Namespace) -> int:
    from planner.cost_report import cost_report, with_workload

    library = library_of(args)
    deployment = with_workload(
        read_deployment(Path(args.deployment)),
        isl=args.isl,
        osl=args.osl,
        concurrency=args.users,
        saturated=False if args.users is not None else None,
        prefix_hit_rate=args.prefix_hit_rate,
    )
    document = cost_report(deployment, library, request_of(args))
    if args.json:
        print(to_json(document))
    else:
        from planner.cli.cost_table import cost_table

        print(cost_table(document))
    return Exit.NOTHING_FITS if document.verdict in ("does-not-fit", "illegal") else Exit.OK


def request_of(args: argparse.Namespace) -> CostRequest:
    """The question that the options ask."""
    from planner.cost_report import CostRequest

    return CostRequest(
        terms=terms_of(args),
        purchase=_price(args.purchase, args.currency),
        rental=_price(args.rent, args.currency),
        kwh=_price(args.kwh, args.currency),
        region=args.region,
        exchange=dict(args.exchange),
        apis=tuple(args.api),
        batch=args.batch,
        factors={"demand": args.growth, "api_price": args.api_decline, "efficiency": args.efficiency},
        horizon=args.horizon,
    )


def terms_of(args: argparse.Namespace) -> dict[str, Any]:
    """The terms of ownership that were given; None for those that were not."""
    from planner.cost.money import Money
    from planner.estimate import exact

    hours = getattr(args, "by_hour", None)
    said = {
        "years": args.years,
        "utilisation": sum(hours) / len(hours) if hours else args.utilisation,
        "residual": exact(args.residual, "assumed") if args.residual is not None else None,
        "interest": exact(args.interest, "assumed") if args.interest is not None else None,
        "hosting": Money(exact(args.hosting, "published"), args.currency) if args.hosting is not None else None,
        "salary": Money(exact(args.salary, "published"), args.currency) if args.salary is not None else None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _price(amount: float | None, unit: str) -> Price | None:
    if amount is None:
        return None
    from planner.cost.prices_loader import Price
    from planner.estimate import exact

    return Price(exact(amount, "published"), unit, "given", "an option of the command")


def currency(text: str) -> str:
    """Three capital letters."""
    if len(text) == 3 and text.isascii() and text.isalpha():
        return text.upper()
    raise argparse.ArgumentTypeError(f"{text[:20]!r} is no currency such as USD or EUR")


def worth(text: str) -> tuple[str, float]:
    """ "EUR=1.1": what one of it is worth in the currency of the devices."""
    name, equals, amount = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not like EUR=1.1")
    return currency(name.strip()), positive(amount.strip(), 1e6)


def free(text: str) -> float:
    """An amount that may be nothing."""
    return 0.0 if text.strip() in ("0", "0.0") else positive(text)


def factor(text: str) -> float:
    """What something becomes in a year, as a multiple."""
    return positive(text, 1000.0)


def duration_years(text: str) -> float:
    """A number of years, 20 at most."""
    return positive(text, 20.0)


def day(text: str) -> tuple[float, ...]:
    """24 shares, separated by commas."""
    parts = text.split(",")
    if len(parts) != 24:
        raise argparse.ArgumentTypeError(f"{len(parts)} shares, a day has 24 hours")
    return tuple(share(part) for part in parts)
