"""Speed of the llama.cpp family: one request alone, and several in its slots."""

from __future__ import annotations

from typing import NamedTuple

from planner.documents.result import Performance, ServingMemory
from planner.estimate import Estimate, Origin
from planner.performance.local_curves import LocalCurves
from planner.performance.local_load import LocalLoad, at_rate
from planner.performance.local_steps import Machine, decode_step, machine, prompt_seconds
from planner.resolved import Resolved

_DEFAULT_PROMPT, _DEFAULT_ANSWER = 512.0, 128.0


def local_performance(resolved: Resolved, memory: ServingMemory, curves: LocalCurves) -> Performance:
    """Speed of a llama.cpp deployment.

    ``decode_tok_s`` is one request's mean speed while it generates ``osl`` tokens after ``context`` (or ``isl``)
    tokens, ``prefill_tok_s`` the speed of its prompt; the rest is the closed loop at the stated concurrency.
    Raises ``UnknownFact`` where a device's bandwidth is not known.
    """
    load, m = resolved.workload, machine(resolved, curves)
    prompt, answer = load.isl or _DEFAULT_PROMPT, load.osl or _DEFAULT_ANSWER
    depth = (load.context or prompt) + answer / 2
    step = decode_step(m, depth)
    alone = sum(step.values())
    fresh = max(1.0, prompt * (1 - load.prefix_hit_rate))
    prefill = prompt_seconds(m, fresh, load.context + prompt - fresh)
    ttft = sum(prefill.values())

    met, tpot = _met(resolved, _Shared(m, depth, answer, ttft, alone))
    output = met.request_s * answer
    down, up = spreads(m)
    return Performance(
        ttft_s=_estimate(ttft + alone + met.wait_s, up, prefill),
        tpot_s=_estimate(tpot, down, step),
        decode_tok_s=_estimate(1 / alone, down, step),
        prefill_tok_s=_estimate(fresh / ttft, up, prefill),
        output_tok_s=_estimate(output, down),
        total_tok_s=_estimate(output * (prompt + answer) / answer, down),
        request_s=_estimate(met.request_s, down),
        stable_request_s=_estimate(met.stable_request_s, down) if met.stable_request_s else None,
        utilisation=_estimate(met.load, down) if met.stable_request_s else None,
        bound={"decode": max(step, key=lambda k: step[k]), "prefill": max(prefill, key=lambda k: prefill[k])},
    )


def speeds(m: Machine) -> tuple[float, float]:
    """Decode and prompt speed of one request alone, tokens per second."""
    load = m.resolved.workload
    prompt, answer = load.isl or _DEFAULT_PROMPT, load.osl or _DEFAULT_ANSWER
    depth = (load.context or prompt) + answer / 2
    fresh = max(1.0, prompt * (1 - load.prefix_hit_rate))
    prefill = prompt_seconds(m, fresh, load.context + prompt - fresh)
    return 1 / sum(decode_step(m, depth).values()), fresh / sum(prefill.values())


class _Shared(NamedTuple):
    """Equal requests in the slots of one engine."""

    machine: Machine
    depth: float
    answer: float
    ttft: float
    step: float
    """Of one request alone."""

    def gap(self, users: float) -> float:
        """Mean seconds between a request's tokens: the step of the whole batch, and prompts of the others."""
        if users <= 1:
            return self.step
        step = sum(decode_step(self.machine, self.depth, users).values())
        return step + (users - 1) * self.ttft / self.answer

    def duration(self, users: float, gap: float) -> float:
        """Seconds of a request with so many at the same time."""
        return self.ttft * (1 + (users - 1) / 2) + gap * self.answer


def _met(resolved: Resolved, shared: _Shared) -> tuple[LocalLoad, float]:
    """The load on the engine, a rate or so many at a time, and the gap between tokens under it."""
    rate = resolved.workload.request_rate
    if rate is not None:
        slots = float(max(1, resolved.serving.parallel))
        met = at_rate(rate, slots, lambda users: shared.duration(users, shared.gap(users)))
        return met, shared.gap(met.users)
    users = _users(resolved)
    gap = shared.gap(users)
    return LocalLoad(users, users / shared.duration(users, gap)), gap


def _users(resolved: Resolved) -> float:
    """Requests that run at the same time: what comes in, up to the slots."""
    load, slots = resolved.workload, float(max(1, resolved.serving.parallel))
    wanted = slots if load.saturated or load.concurrency is None else load.concurrency
    return max(1.0, min(wanted, slots))


def spreads(m: Machine) -> tuple[float, float]:
    """Factors within which decode and prompt speeds lie: the widest of the devices that work."""
    spreads = [m.device.spread if device >= 0 else m.curves.host.spread for device in m.work]
    decode, prefill = max(s[0] for s in spreads), max(s[1] for s in spreads)
    if -1 in m.work and len(m.work[-1].dense) + len(m.work[-1].experts) and not m.host.known:
        factor = m.curves.host.unknown_spread
        return decode * factor, prefill * factor
    return decode, prefill


def _estimate(value: float, factor: float, terms: dict[str, float] | None = None) -> Estimate:
    origin: Origin = "formula" if factor < 2.5 else "assumed"
    return Estimate(value / factor, value, value * factor, origin, terms or {})
