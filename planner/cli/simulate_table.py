"""A simulation as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.cli.tables import VERDICT_MARKS, align, assumed_block, deployment_title, finding_line, in_unit
from planner.units import human_count, human_seconds

if TYPE_CHECKING:
    from planner.documents.deployment import Deployment
    from planner.documents.simulation import (
        Distribution,
        Internals,
        SimulatedLoad,
        SimulatedService,
        SimulationDocument,
    )


def simulation_table(deployment: Deployment, answer: SimulationDocument) -> str:
    """The whole simulation of one deployment."""
    blocks = [f"{VERDICT_MARKS[answer.verdict]}  {answer.verdict}: {deployment_title(deployment)}"]
    if answer.load:
        blocks.append("load\n" + align(_load_rows(answer.load), indent="  "))
    if answer.service:
        blocks.append("seen by users\n" + align(_latency_rows(answer.service), indent="  "))
        blocks.append("throughput\n" + align(_rate_rows(answer.service), indent="  "))
    if answer.internals:
        blocks.append("scheduler\n" + align(_internal_rows(answer.internals), indent="  "))
    if answer.problems:
        blocks.append("problems\n" + "\n".join(finding_line(f) for f in answer.problems))
    if answer.assumed:
        blocks.append(assumed_block(answer.assumed))
    return "\n\n".join(blocks)


def _load_rows(load: SimulatedLoad) -> list[tuple[str, str]]:
    kinds = {
        "closed": f"{load.concurrency or 0:g} requests in flight",
        "open": f"{load.request_rate or 0:.4g} requests/s, random arrivals",
        "trace": f"{load.trace}, {load.request_rate or 0:.4g} requests/s on the mean",
        "offline": "all requests at once",
    }
    rows = [
        ("kind", f"{load.loop}: {kinds[load.loop]}"),
        ("measured", f"{load.requests:,} requests, seed {load.seed}"),
        ("mean lengths", f"{load.isl_mean:,.0f} in, {load.osl_mean:,.0f} out"),
    ]
    return [*rows, ("refused", f"{load.refused:,}")] if load.refused else rows


def _latency_rows(service: SimulatedService) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("", "mean", "p50", "p90", "p95", "p99")]
    named = (
        ("first token", service.ttft_s),
        ("between tokens", service.itl_s),
        ("per token, a request's mean", service.tpot_s),
        ("whole answer", service.e2e_s),
    )
    rows += [(name, *_cells(times)) for name, times in named if times is not None]
    if service.kept is not None:
        rows.append(("service level kept", f"{service.kept:.1%}"))
    return rows


def _cells(times: Distribution) -> tuple[str, ...]:
    return tuple(human_seconds(getattr(times, name).value) for name in ("mean", "p50", "p90", "p95", "p99"))


def _rate_rows(service: SimulatedService) -> list[tuple[str, str]]:
    rows = [
        ("answered", in_unit(service.request_s, "requests/s")),
        ("all users", in_unit(service.output_tok_s, "tok/s")),
        ("with prompts", in_unit(service.total_tok_s, "tok/s")),
    ]
    if service.stable_request_s and service.utilisation:
        rows.append(("largest stable rate", in_unit(service.stable_request_s, "requests/s")))
        rows.append(("utilisation", f"{service.utilisation.value:.0%}"))
    return [*rows, ("a step runs", f"{service.busy:.0%} of the time")]


def _internal_rows(inside: Internals) -> list[tuple[str, str]]:
    return [
        ("simulated", f"{human_seconds(inside.simulated_s)} in {inside.steps:,} steps"),
        ("most running, waiting", f"{inside.peak_running:,}, {inside.peak_waiting:,}"),
        ("pool at its fullest", f"{inside.peak_pool:.0%}"),
        ("preemptions", f"{inside.preemptions:,} ({human_count(inside.recomputed_tokens)} tokens computed again)"),
    ]
