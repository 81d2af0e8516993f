"""Shows what ``planner/performance/curves/training.toml`` should say: ``python -m benchmarks.fit_training``.

For every measured training speed: the share of the dense peak that would predict it exactly, all factors apart,
beside the share that is predicted. Rows are grouped as the curves are (precision, generation, dense or experts); the
last lines give the median of each group, which is what its ``dense`` or ``moe`` was set to by hand, with the slope by
the experts' size and the half-rate tokens read off the rows.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.truth import Case, cases, deployment
from planner.errors import UnknownFact
from planner.library import Library
from planner.memory.finetune_job import job_of
from planner.performance.finetune import MOST_SHARE, attention_flop_s, compute_share, peak_of, share_factors, step_of
from planner.performance.finetune_work import expert_size
from planner.resolve import resolve


@dataclass(frozen=True)
class Point:
    """One measured speed."""

    case: Case
    group: str
    expert_size: float | None
    tokens: float
    """Of a micro-batch."""
    predicted: float
    needed: float
    """Shares of the peak in executed FLOPs."""
    factors: float = 1.0
    """What method, sharding and kernels make of the chip's share."""
    compute: float = 0.0
    """Seconds of the step's products at the whole peak."""
    rest: float = 0.0
    """Seconds of the step beside them."""

    @property
    def base_needed(self) -> float:
        """The chip's own share."""
        return self.needed / self.factors

    def error(self, base: float) -> float:
        """Relative error in tokens/s where the chip's own share is ``base``."""
        share = min(base * self.factors, MOST_SHARE)
        measured = self.compute / self.needed + self.rest
        return measured / (self.compute / share + self.rest) - 1


def points(library: Library) -> Iterator[Point]:
    """Every speed case whose chip and peak are known."""
    for case in cases("finetune"):
        measured = case.measured.get("tok_s_gpu")
        if not measured:
            continue
        resolved = resolve(deployment(case), library)
        row = resolved.cluster.device.accelerator
        job = job_of(resolved)
        try:
            if row is None or row.id == "unnamed":
                continue
            precision, peak = peak_of(row, job.table.precision)
        except UnknownFact:
            continue
        share, _ = compute_share(job, row, precision, library.training_curves)
        attention = attention_flop_s(job, row, library.training_curves)
        step = step_of(job, row, peak * share, attention)
        size = expert_size(job.architecture)
        rest = step.seconds - step.compute
        seconds = step.tokens / (measured * job.gpus) - rest
        needed = share * step.compute / seconds if seconds > 0 else float("nan")
        kind = "dense" if size is None else "experts"
        factors = share_factors(job, library.training_curves, size is not None)
        group = f"{precision} {row.architecture} {kind}"
        yield Point(case, group, size, job.tokens, share, needed, factors, share * step.compute, rest)


def main() -> None:
    """Prints the points and the medians."""
    found = sorted(points(Library()), key=lambda p: (p.group, p.expert_size or 0.0, p.tokens))
    for p in found:
        size = f"{p.expert_size:6.0f}" if p.expert_size else "     -"
        print(f"{p.group:26} {size} {p.tokens:8.0f}  needed {p.needed:.3f}  predicted {p.predicted:.3f}  {p.case.id}")
    for group in sorted({p.group for p in found}):
        ratios = [p.needed / p.predicted for p in found if p.group == group]
        print(f"{group:26} {len(ratios):3} cases, needed / predicted {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
