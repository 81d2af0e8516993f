"""``deploy-planner plan``: ranked deployments for this machine, or for hardware that is named."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

from planner.cli.answer import add_answer_options, give, refuse_existing
from planner.cli.asked import HARDWARE_HELP, floor_of, hardware_of
from planner.cli.options import PRESETS_HELP, add_overlay_option, add_request_options, library_of
from planner.cli.report_option import report_path, write_report_of
from planner.cli.trace_option import add_trace_option, traced
from planner.cli.values import count, percentile, rate
from planner.documents.deployment import ServiceLevelTable, WorkloadTable
from planner.documents.request import Goal, PlanRequest
from planner.errors import BadInput

if TYPE_CHECKING:
    from planner.library import Library

KV_CACHES = ("fp8", "bf16", "fp16", "q8_0")
EXAMPLES = """examples:
  deploy-planner plan                                                   the best for this machine
  deploy-planner plan --hardware 8xH200-SXM --model deepseek-r1 --users 64
  deploy-planner plan --hardware 2x8xH100-SXM --fabric infiniband-ndr --model deepseek-r1 --json
  deploy-planner plan --hardware rtx-4090 --model qwen3-32b --preset code --markdown -o plan.md
  deploy-planner plan --hardware 8xH200-SXM --model deepseek-r1 --users 64 --report plan.html"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    _question_options(parser)
    _load_options(parser)
    add_answer_options(parser).add_argument(
        "--sensitivity", action="store_true", help="also which load flips the choice: users, rate, lengths up and down"
    )
    add_overlay_option(parser)


def _question_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("hardware and model")
    group.add_argument("--hardware", metavar="SPEC|FILE", help=HARDWARE_HELP)
    group.add_argument("--fabric", metavar="ID", help="network between nodes: infiniband-ndr, roce-400g …")
    group.add_argument(
        "--model", nargs="+", action="extend", default=[], metavar="ID|PATH", help="catalogue ids or local paths"
    )
    group.add_argument("--goal", choices=get_args(Goal), default="balanced", metavar="GOAL",
                       help=f"what to rank by: {' '.join(get_args(Goal))} (balanced)")  # fmt: skip
    group.add_argument("--engine", nargs="+", action="extend", default=[], metavar="NAME[==VERSION]",
                       help="allowed engines: vllm sglang==0.5.16 llama.cpp … (those usual on the chip)")  # fmt: skip
    group.add_argument(
        "--weights",
        nargs="+",
        action="extend",
        default=[],
        metavar="FORMAT",
        help="allowed formats: fp8 awq-int4 gguf …",
    )
    group.add_argument("--kv-cache", choices=KV_CACHES, metavar="FORMAT",
                       help=f"of the KV cache: {' '.join(KV_CACHES)} (the engine's own)")  # fmt: skip
    group.add_argument("--quality-floor", metavar="LEVEL", help="lowest precision: bf16 fp8 int8 int4 … (int4)")


def _load_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("load and service level")
    group.add_argument("--preset", metavar="NAME", help=PRESETS_HELP)
    load = group.add_mutually_exclusive_group()
    load.add_argument("--users", type=count(1, 10**9), metavar="N", help="requests in flight at once")
    load.add_argument("--request-rate", type=rate, metavar="R", help="requests that arrive per second")
    add_trace_option(group, "rate and lengths of recorded requests: CSV with times, input_tokens, output_tokens")
    add_request_options(group)
    group.add_argument("--percentile", type=percentile, metavar="P", help="of requests that must keep both (95)")


def run(args: argparse.Namespace) -> int:
    from planner.cli.plan_table import plan_markdown, plan_table
    from planner.plan import plan

    library = library_of(args)
    refuse_existing(args)
    report = report_path(args)
    request = request_of(args, library)
    document = plan(request, library)
    if args.sensitivity:
        from planner.sensitivity import sensitivity

        document = replace(document, sensitivity=sensitivity(request, document, library))
    write_report_of(report, document, library, args)
    return give(document, args, table=plan_table, markdown=plan_markdown)


def request_of(args: argparse.Namespace, library: Library) -> PlanRequest:
    """The question that the options ask."""
    workload, longest = _workload(args)
    return PlanRequest(
        inventory=hardware_of(args, library, host=True),
        models=tuple(args.model),
        workload=workload,
        goal=args.goal,
        max_model_len=args.max_model_len or longest,
        weights=tuple(args.weights),
        engines=tuple(args.engine),
        kv_cache=args.kv_cache,
        quality_floor=floor_of(args.quality_floor),
        limit=args.limit,
    )


def _workload(args: argparse.Namespace) -> tuple[WorkloadTable, int | None]:
    """The preset or the trace, what is said beside it, and the trace's longest request."""
    from planner.presets import preset

    base, longest = traced(preset(args.preset).workload if args.preset else WorkloadTable(), args)
    said: dict[str, Any] = {
        "isl": args.isl,
        "osl": args.osl,
        "images": args.images,
        "image_tokens": args.image_tokens,
        "prefix_hit_rate": args.prefix_hit_rate,
        "concurrency": args.users,
        "request_rate": args.request_rate,
    }
    said = {key: float(value) for key, value in said.items() if value is not None}
    if "concurrency" in said or "request_rate" in said:
        said["saturated"] = False
    if args.ttft is not None or args.tpot is not None:
        said["service_level"] = ServiceLevelTable(ttft_s=args.ttft, tpot_s=args.tpot)
    level = said.get("service_level", base.service_level)
    if args.percentile is not None:
        if level is None:
            raise BadInput("--percentile", "there is no service level to keep", "give --ttft or --tpot")
        said["service_level"] = replace(level, percentile=args.percentile)
    return replace(base, **said), longest
