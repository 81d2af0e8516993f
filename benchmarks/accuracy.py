"""Predicts every measured case and prints how far off: ``python -m benchmarks.accuracy [FILE ...] [--markdown]``.

One table per truth file: by figure over all cases, then by figure and family of engine, release and vendor; then the
verdicts, the worst cases, and the cases left out with their reasons.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache

from benchmarks.scoring import Score, Summary, scores, summaries, verdict_right
from benchmarks.truth import TRUTH, Case, cases, config, deployment, excluded, files
from planner.documents.result import EstimateDocument
from planner.errors import PlannerError
from planner.library import Library
from planner.models.hf_config import architecture_from_config
from planner.models.parameters import count_parameters
from planner.predict import predict

_HEAD = ("figure", "combinations", "unanswered", "median", "p90", "bias", "inside")


@dataclass
class Outcome:
    """All predictions of one truth file."""

    name: str
    count: int = 0
    scores: list[Score] = field(default_factory=list)
    verdicts: list[tuple[Case, bool]] = field(default_factory=list)

    @property
    def wrong_verdicts(self) -> float:
        """Share of verdicts that were wrong."""
        return sum(not right for _, right in self.verdicts) / len(self.verdicts) if self.verdicts else 0.0


def answer(case: Case, library: Library) -> EstimateDocument | None:
    """The prediction; None where the planner refuses the document."""
    try:
        return predict(deployment(case), library)
    except PlannerError:
        return None


def evaluate(name: str, library: Library) -> Outcome:
    """Predicts all cases of a truth file."""
    outcome = Outcome(name)
    for case in cases(name):
        said = answer(case, library)
        outcome.count += 1
        outcome.scores.extend(scores(case, said))
        right = verdict_right(case, said)
        if right is not None:
            outcome.verdicts.append((case, right))
    return outcome


def family(score: Score) -> str:
    """Engine and release of a case, with the vendor where the accelerator's name tells it."""
    engine = score.case.deployment.get("engine") or {}
    release = ".".join(str(engine.get("version") or "unversioned").split(".")[:2])
    trainer = (score.case.deployment.get("finetune") or {}).get("trainer")
    return str(trainer or f"{engine.get('name', '?')} {release}")


def table(rows: Iterable[tuple[str, Summary]], markdown: bool) -> list[str]:
    """Lines of one table."""
    cells = [_HEAD, *(_cells(name, summary) for name, summary in rows)]
    if markdown:
        lines = ["| " + " | ".join(row) + " |" for row in cells]
        return [lines[0], "|" + "---|" * len(_HEAD), *lines[1:]]
    width = [max(len(row[i]) for row in cells) for i in range(len(_HEAD))]
    return [
        "  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(r, width, strict=True)))
        for r in cells
    ]


def _cells(name: str, summary: Summary) -> tuple[str, ...]:
    inside = "-" if summary.inside is None else f"{summary.inside:.0%}"
    shares = (f"{summary.median:.1%}", f"{summary.p90:.1%}", f"{summary.bias:+.1%}", inside)
    return (name, str(summary.groups), str(summary.unanswered), *shares)


def parameters() -> list[str]:
    """Exact parameter counts against those of the reference implementations."""
    rows = [json.loads(line) for line in (TRUTH / "parameters.jsonl").read_text(encoding="utf-8").splitlines()]
    off = [
        f"- {r['config']}: {_count(r['config']):,}, not {r['total']:,}"
        for r in rows
        if _count(r["config"]) != r["total"]
    ]
    near = sum(abs(_count(row["config"]) - row["total"]) <= 1e-3 * row["total"] for row in rows)
    lines = [f"## parameters: {len(rows)} configs", "", f"within 0.1 %: {near} · exact: {len(rows) - len(off)}"]
    return [*lines, *off, ""]


@cache
def _count(name: str) -> int:
    """Total parameters by config; 0 where the architecture is unknown."""
    values = {k: v for k, v in config(name).items() if k != "quantization_config"}
    try:
        return count_parameters(architecture_from_config(values)).total
    except PlannerError:
        return 0


def report(outcome: Outcome, *, markdown: bool, worst: int) -> list[str]:
    """The lines of one truth file."""
    lines = [f"## {outcome.name}: {outcome.count} cases", ""]
    lines += table(summaries(outcome.scores, lambda s: s.metric).items(), markdown)
    by_family = summaries(outcome.scores, lambda s: (s.metric, family(s)))
    lines += ["", *table(((f"{m} · {f}", s) for (m, f), s in by_family.items()), markdown)]
    if outcome.verdicts:
        wrong = [case.id for case, right in outcome.verdicts if not right]
        share = f"{outcome.wrong_verdicts:.1%}"
        lines += ["", f"verdicts: {len(outcome.verdicts)}, wrong {len(wrong)} ({share})", *(f"- {w}" for w in wrong)]
    known = [s for s in outcome.scores if s.error is not None]
    far = sorted(known, key=lambda s: (-abs(s.error or 0.0), s.case.id))[:worst]
    lines += ["", *(f"- {s.case.id} {s.metric}: {s.error:+.1%}" for s in far)] if far else []
    return [*lines, ""]


def main(argv: Sequence[str] | None = None) -> None:
    """Prints the tables of the named truth files, or of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", help="names under tests/truth, without .jsonl; all when absent")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--worst", type=int, default=10, help="worst cases to list")
    chosen = parser.parse_args(argv)
    library = Library()
    if "parameters" in (chosen.files or ["parameters"]) and (TRUTH / "parameters.jsonl").exists():
        print("\n".join(parameters()))
    for name in [n for n in chosen.files if n != "parameters"] if chosen.files else files():
        print("\n".join(report(evaluate(name, library), markdown=chosen.markdown, worst=chosen.worst)))
    if excluded():
        print("## left out\n")
        print("\n".join(f"- {name}: {reason}" for name, reason in excluded().items()))


if __name__ == "__main__":
    main()
