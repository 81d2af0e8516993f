"""``deploy-planner buy``: what to buy for a model and a load."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from planner.cli.asked import floor_of
from planner.cli.cost import add_term_options, assumptions_of
from planner.cli.options import PRESETS_HELP, add_overlay_option, add_request_options, library_of
from planner.cli.values import count, positive, share
from planner.documents.deployment import ServiceLevelTable, WorkloadTable
from planner.documents.encode import to_json
from planner.errors import Exit

if TYPE_CHECKING:
    from planner.buy_document import BuyRequest
    from planner.documents.inventory import Inventory
    from planner.library import Library

THIS = "this"
RANKS = ("purchase", "tco", "power", "devices")
EXAMPLES = """examples:
  deploy-planner buy --model deepseek-r1 --users 100
  deploy-planner buy --model deepseek-r1 --users 100 --tpot 50ms --quality-floor fp8 --spare --rank-by tco
  deploy-planner buy --model qwen3-32b --users 20 --budget 20000 --power 3000 --hardware rtx-4090 rtx-5090 l40s
  deploy-planner buy --model deepseek-r1 --users 400 --have 8xH200-SXM --spare

Prices are dated facts, none of them is current; fleets without a known price stand behind the others."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    _load_options(parser)
    _limit_options(parser)
    add_term_options(parser)
    parser.add_argument("--json", action="store_true", help="the answer as JSON instead of a table")
    add_overlay_option(parser)


def _load_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("model and load")
    group.add_argument("--model", required=True, metavar="ID|PATH", help="a catalogue id or a local path")
    group.add_argument("--users", type=count(1, 10**6), required=True, metavar="N", help="requests in flight at once")
    group.add_argument("--preset", metavar="NAME", help=PRESETS_HELP)
    add_request_options(group)
    group.add_argument("--weights", nargs="+", action="extend", default=[], metavar="FORMAT",
                       help="allowed formats: fp8 awq-int4 … (all from the floor up)")  # fmt: skip
    group.add_argument("--quality-floor", metavar="LEVEL", help="lowest precision: bf16 fp8 int8 int4 … (int4)")
    group.add_argument("--engine", nargs="+", action="extend", default=[], metavar="NAME[==VERSION]",
                       help="allowed engines: vllm sglang … (the usual one of each chip)")  # fmt: skip


def _limit_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("limits and order")
    group.add_argument(
        "--hardware", nargs="+", action="extend", default=[], metavar="ID", help="accelerators to choose from (all)"
    )
    group.add_argument(
        "--have",
        metavar="SPEC|FILE",
        help="what is there (2x8xH100-SXM, a file, or this for this machine): only the rest is bought",
    )
    group.add_argument("--no-mixed", action="store_true", help="no fleets of two kinds of accelerator")
    group.add_argument("--budget", type=positive, metavar="AMOUNT", help="for the purchase")
    group.add_argument("--power", type=positive, metavar="WATTS", help="that the room gives at its plugs")
    group.add_argument("--spare", action="store_true", help="one set of servers more (N+1)")
    group.add_argument("--max-nodes", type=count(1, 1000), default=16, metavar="N", help="servers at most (16)")
    group.add_argument("--fabric", metavar="ID", help="network where a copy needs several servers (infiniband-ndr)")
    group.add_argument("--rank-by", choices=RANKS, default="purchase", help="what comes first (purchase)")
    group.add_argument("--limit", type=count(1, 500), default=10, metavar="N", help="fleets to return (10)")
    group.add_argument("--utilisation", type=share, metavar="SHARE", help="hours at full load, 0-1 (0.4)")


def run(args: argparse.Namespace) -> int:
    from planner.buy import buy

    library = library_of(args)
    document = buy(request_of(args, library), library)
    if args.json:
        print(to_json(document))
    else:
        from planner.cli.buy_table import buy_table

        print(buy_table(document))
    return Exit.OK if document.offers or document.enough else Exit.NOTHING_FITS


def request_of(args: argparse.Namespace, library: Library) -> BuyRequest:
    """The question that the options ask."""
    from planner.buy_document import BuyRequest

    return BuyRequest(
        model=args.model,
        workload=_workload(args),
        max_model_len=args.max_model_len,
        weights=tuple(args.weights),
        engines=tuple(args.engine),
        quality_floor=floor_of(args.quality_floor),
        hardware=tuple(args.hardware),
        budget=args.budget,
        max_power_w=args.power,
        spare=args.spare,
        max_nodes=args.max_nodes,
        fabric=args.fabric,
        rank_by=args.rank_by,
        limit=args.limit,
        assumptions=assumptions_of(args),
        have=_have(args, library),
        mixed=not args.no_mixed,
    )


def _have(args: argparse.Namespace, library: Library) -> Inventory | None:
    if args.have is None:
        return None
    if args.have.strip().lower() == THIS:
        from planner.detect.machine import detect_machine

        return detect_machine(library.database)
    from planner.detect.spec import load_hardware

    return load_hardware(args.have, library.database)


def _workload(args: argparse.Namespace) -> WorkloadTable:
    from planner.presets import preset

    base = preset(args.preset).workload if args.preset else WorkloadTable()
    names = ("isl", "osl", "images", "image_tokens", "prefix_hit_rate")
    said: dict[str, Any] = {name: getattr(args, name) for name in names}
    said = {key: value for key, value in said.items() if value is not None}
    said |= {"concurrency": float(args.users), "request_rate": None, "saturated": False}
    if args.ttft is not None or args.tpot is not None:
        said["service_level"] = ServiceLevelTable(ttft_s=args.ttft, tpot_s=args.tpot)
    return base.model_copy(update=said)
