"""The scheduler by itself: what no schedule may break, and what each rule does."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.performance.simulation.group import Group, Job, Rules
from planner.performance.simulation.requests import Lengths, Request, endless, open_loop
from planner.performance.simulation.run import Course, Run, run
from planner.performance.simulation.times import StepTimes, rounded
from planner.performance.simulation.worker import Plant
from planner.performance.step import Load, StepModel
from tests.simulation.loads import bench

RULES = Rules(seats=16, budget=2048.0, pool=1e6)


class Flat(StepTimes):
    """Every step takes 10 ms, a prompt token 10 µs more."""

    def __init__(self) -> None:
        super().__init__(_no_model())

    def decode(self, requests: float, context: float) -> float:
        return 0.01

    def mixed(self, requests: float, context: float, prompts: tuple[float, float, float, float]) -> float:
        return 0.01 + 1e-5 * prompts[0]


def _no_model() -> StepModel:
    _, ready = bench()
    return ready.batching.model


def alike(count: int, isl: float = 1000.0, osl: float = 100.0, gap: float = 0.0) -> Iterator[Request]:
    return iter([Request(i * gap, isl, osl) for i in range(count)])


def finite(rules: Rules, count: int, isl: float = 1000.0, osl: float = 100.0, **plant: float) -> Run:
    course = Course(count, concurrency=count, forever=False, staggered=False)
    return run(Plant(rules, **plant), Flat(), alike(count, isl, osl), course)  # type: ignore[arg-type]


def test_one_request_takes_its_prompt_and_its_steps() -> None:
    found = finite(RULES, 1).record
    assert found.ttft == [pytest.approx(0.01 + 0.01)]
    assert found.e2e == [pytest.approx(0.02 + 99 * 0.01)]
    assert found.tpot == [pytest.approx(0.01)]


def test_a_long_prompt_passes_in_chunks() -> None:
    """5000 tokens at 2048 a step: three steps."""
    assert finite(RULES, 1, isl=5000.0).record.ttft == [pytest.approx(3 * 0.01 + 5000e-5)]


def test_prompts_share_a_step_up_to_its_budget() -> None:
    """Two of 1000 tokens fit in 2048 and part of the third: all four are through in the second step."""
    found = finite(RULES, 4).record
    assert sorted(found.ttft)[:2] == [pytest.approx(0.01 + 2048e-5)] * 2
    assert sorted(found.ttft)[2:] == [pytest.approx(0.02 + 4000e-5)] * 2


def test_where_prompts_go_first_nobody_decodes_meanwhile() -> None:
    """The first request's second token comes after the prompt of one that arrives later, and in no step with it."""
    shared, first = (
        run(Plant(replace(RULES, prefill_first=flag)), Flat(), iter([Request(0, 1000, 100), Request(0.05, 2000, 2)]),
            Course(2, forever=False)).record for flag in (False, True)
    )  # fmt: skip
    assert max(first.e2e) == pytest.approx(max(shared.e2e) + 0.01, abs=1e-6)


def test_seats_bound_what_runs() -> None:
    found = finite(replace(RULES, seats=4), 12).record
    assert found.peak_running == 4
    assert len(found.ttft) == 12


def test_a_full_pool_evicts_the_last_and_recomputes_it() -> None:
    """Three requests of 1100 tokens in a pool of 3100: the third is sent back as answers grow."""
    tight = finite(replace(RULES, pool=3100.0), 3)
    assert tight.preemptions >= 1
    assert tight.recomputed >= 1000
    assert len(tight.record.ttft) == 3
    assert max(tight.record.e2e) > max(finite(RULES, 3).record.e2e)


def test_whole_answers_in_admission_need_no_eviction() -> None:
    found = finite(replace(RULES, pool=3100.0, reserve=1.0), 6)
    assert found.preemptions == 0
    assert found.record.peak_running == 2
    assert found.record.peak_pool <= 3100


def test_a_request_larger_than_the_pool_still_ends() -> None:
    """Memory's verdict is elsewhere; the simulation must not hang."""
    assert len(finite(replace(RULES, pool=10.0), 3).record.ttft) == 3


def test_speculation_takes_fewer_steps() -> None:
    plain, drafted = finite(RULES, 1).record, finite(replace(RULES, accepted=2.0, draft=2.0), 1).record
    assert drafted.tpot[0] == pytest.approx(plain.tpot[0] / 2, rel=0.02)


def test_hits_shorten_prompts_and_spare_the_pool() -> None:
    cold, warm = finite(RULES, 8), finite(RULES, 8, hit_rate=0.9)
    assert sum(warm.record.ttft) < 0.5 * sum(cold.record.ttft)
    assert warm.record.peak_pool < 0.5 * cold.record.peak_pool


def test_lanes_share_the_device() -> None:
    """Two stages: one request alone is no faster, two batches overlap."""
    one, two = (finite(RULES, 1, lanes=lanes).record for lanes in (1, 2))
    assert two.tpot[0] == pytest.approx(one.tpot[0])
    crowd = [finite(replace(RULES, seats=8 // lanes), 8, lanes=lanes).record for lanes in (1, 2)]
    assert crowd[1].busy_s < 1.05 * crowd[1].clock_s
    assert max(crowd[1].e2e) < 1.3 * max(crowd[0].e2e)


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 40),
    isl=st.floats(1, 5000),
    osl=st.floats(1, 400),
    cv=st.floats(0, 2),
    seats=st.integers(1, 20),
    pool=st.floats(100, 20000),
    reserve=st.sampled_from([0.0, 0.1, 1.0]),
    first=st.booleans(),
    groups=st.integers(1, 3),
    lanes=st.integers(1, 3),
    seed=st.integers(0, 5),
)
def test_nothing_is_lost(
    count: int, isl: float, osl: float, cv: float, seats: int, pool: float, reserve: float, first: bool, groups: int,
    lanes: int, seed: int,
) -> None:  # fmt: skip
    """Every request ends once, in order of causality, and the books are empty afterwards."""
    rules = Rules(seats, 512.0, pool, reserve, first, accepted=1.5, draft=2.0, block=16.0)
    course = Course(count, forever=False)
    arrivals = open_loop(50.0, Lengths(isl, osl, cv, cv, 8000.0), seed)
    from planner.performance.simulation.run import Simulation

    simulation = Simulation(Plant(rules, groups, lanes), Flat(), arrivals, course)
    record = simulation.run()
    assert len(record.ttft) == len(record.e2e) == count
    assert all(0 < first_s <= whole for first_s, whole in zip(record.ttft, record.e2e, strict=True))
    assert record.busy_s <= record.clock_s * 1.0001
    for group in simulation.groups:
        assert group.running == 0
        assert not group.filling
        assert not group.waiting
        assert group.used == pytest.approx(0, abs=1e-3)
        assert group.context == pytest.approx(0, abs=1e-3)
        assert group.to_say == pytest.approx(0, abs=1e-3)


def test_the_same_seed_gives_the_same_run() -> None:
    def once(seed: int) -> list[float]:
        lengths = Lengths(500, 50, 1.0, 1.0)
        return run(Plant(RULES), Flat(), open_loop(20, lengths, seed), Course(200)).record.ttft

    assert once(3) == once(3)
    assert once(3) != once(4)


def test_lengths_have_their_mean_and_spread() -> None:
    drawn = [next(endless(Lengths(1000, 200, 0.7, 0.3), seed)) for seed in range(4000)]
    for values, mean, cv in (([r.isl for r in drawn], 1000, 0.7), ([r.osl for r in drawn], 200, 0.3)):
        found = sum(values) / len(values)
        spread = math.sqrt(sum((v - found) ** 2 for v in values) / len(values)) / found
        assert found == pytest.approx(mean, rel=0.05)
        assert spread == pytest.approx(cv, rel=0.1)


def test_step_times_are_those_of_the_model() -> None:
    """Rounding of loads keeps the time within 3 %."""
    _, ready = bench()
    model, times = ready.batching.model, ready.times
    for requests, context in ((1, 100), (7, 1900), (100, 3000), (333, 901)):
        assert times.decode(requests, context) == pytest.approx(model.step(Load(requests, context)).seconds, rel=0.03)
        exact = model.step(Load(requests, context, 3001, 50, 777)).seconds
        assert times.mixed(requests, context, (3001.0, 50.0, 777.0, 1.0)) == pytest.approx(exact, rel=0.03)
    assert all(abs(rounded(x) / x - 1) <= 0.035 for x in (33, 47.7, 1000, 123456.7))


def test_an_evicted_request_waits_before_others() -> None:
    group = Group(replace(RULES, pool=2150.0))
    for number in range(3):
        group.waiting.append(Job(number, 0.0, 0.0, 1000.0, 500.0, 0.0))
    group.computed(group.plan())
    assert group.running == 2
    while not group.preemptions:
        group.decoded(1)
        group.make_room(1.0)
    assert [job.number for job in group.waiting] == [1, 2]
