"""``deploy-planner simulate``: a deployment's scheduler under a load, step by step."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from planner.cli.options import add_overlay_option, library_of
from planner.cli.trace_option import add_trace_option, trace_rows
from planner.cli.values import count, positive
from planner.errors import BadInput, Exit

if TYPE_CHECKING:
    from planner.documents.simulation import SimulationDocument
    from planner.simulate import Asked

_MOST_REQUESTS = 100_000
EXAMPLES = """A discrete-event simulation of continuous batching: chunked prefill,
admission by the KV pool, preemption, prefix hits, speculation, attention
groups, pipeline stages, prefill and decode workers, the slots of llama.cpp;
step times are those of estimate. Without --rate,
--users or --trace the load is the document's [workload]: concurrency (clients
that always wait for an answer), request_rate (arrivals; arrival_cv 1 is
Poisson), or saturated (all at once). isl_cv and osl_cv there spread lengths.

A trace is a CSV file with a header, or JSON lines: a time (seconds,
--time-unit ms, or ISO dates), input_tokens and output_tokens; the column names
of the public Azure, Mooncake and Vidur traces are known too.

examples:
  deploy-planner simulate deployment.toml --rate 8
  deploy-planner simulate deployment.toml --users 200 --requests 5000 --json
  deploy-planner simulate deployment.toml --trace monday.csv
  deploy-planner simulate deployment.toml --trace monday.csv --rate 20      the same day at another mean rate

The same seed gives the same answer.
exit codes: 0 the load is carried · 3 it does not fit, is illegal, or the queue grows without bound · 2 bad input
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("deployment", help="a deployment document (TOML)")
    load = parser.add_argument_group("load")
    add_trace_option(load, "requests with times and lengths, CSV or JSON lines")
    load.add_argument("--rate", type=positive, metavar="R", help="requests per second, whole deployment")
    load.add_argument("--users", type=count(1, 10**6), metavar="N", help="requests in flight at all times")
    load.add_argument(
        "--requests", type=count(10, _MOST_REQUESTS), metavar="N", help="to measure, after a warm-up (1000)"
    )
    load.add_argument("--seed", type=count(0, 2**32), default=0, metavar="S", help="of arrivals and lengths (0)")
    parser.add_argument("--json", action="store_true", help="the simulation as JSON instead of a table")
    add_overlay_option(parser)


def run(args: argparse.Namespace) -> int:
    from planner.documents.files import read_deployment
    from planner.simulate import simulate

    deployment = read_deployment(Path(args.deployment))
    answer = simulate(deployment, library_of(args), _asked(args))
    if args.json:
        from planner.documents.encode import to_json

        print(to_json(answer))
    else:
        from planner.cli.simulate_table import simulation_table

        print(simulation_table(deployment, answer))
    return exit_code(answer)


def exit_code(answer: SimulationDocument) -> int:
    """0 when the load is carried, or nobody knows."""
    stopped = answer.verdict in ("does-not-fit", "illegal")
    return Exit.NOTHING_FITS if stopped or any(p.rule == "queue-grows" for p in answer.problems) else Exit.OK


def _asked(args: argparse.Namespace) -> Asked:
    from planner.simulate import REQUESTS, Asked

    if args.users is not None and (args.rate is not None or args.trace is not None):
        raise BadInput("--users", "is a closed loop, --rate and --trace are open ones", "give one of them")
    if args.trace is not None and args.requests is not None:
        raise BadInput("--requests", "a trace brings its own requests", "leave it out")
    return Asked(
        requests=args.requests or REQUESTS,
        seed=args.seed,
        rate=args.rate,
        concurrency=float(args.users) if args.users is not None else None,
        trace=trace_rows(args),
        trace_name=args.trace,
    )
