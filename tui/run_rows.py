"""Training runs as rows: the ranking, the memory of a step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from planner.units import human_count
from tui import text
from tui.answers import over
from tui.bars import around, names_of_training, training_parts
from tui.rows import Column, Row

if TYPE_CHECKING:
    from planner.documents.result import FinetuneResult, PlannedDeployment
    from tui.session import Session

STACKED = (
    Column("mark", "  #", 5),
    Column("plan", "Run", 24, elastic=True),
    Column("driver", "Peak", 9, right=True),
    Column("hours", "Time", 7, right=True),
    Column("tok_s", "tok/s", 6, right=True),
    Column("verdict", "", 1),
)
WIDE = (
    Column("mark", "  #", 6),
    Column("weights", "Method", 18, elastic=True),
    Column("engine", "Trainer", 13),
    Column("layout", "GPUs and sharding", 24),
    Column("batch", "Batch", 7, need=4, right=True),
    Column("driver", "Peak", 9, right=True),
    Column("hours", "Time", 7, right=True),
    Column("tok_s", "tok/s", 6, right=True),
    Column("energy_wh", "Energy", 9, need=2, right=True),
    Column("longest", "Longest", 7, need=3, right=True),
    Column("verdict", "", 1),
)


def ranking_rows(session: Session) -> Iterator[Row]:
    """The runs, best first."""
    for index, run in enumerate(session.plan.candidates if session.plan else ()):
        yield _row(index, run, session)


def _row(index: int, run: PlannedDeployment, session: Session) -> Row:
    result, table = run.estimate.finetune, run.deployment["finetune"]
    late = over(run, session.draft.training.hours)
    cells = {
        "mark": f"{run.rank}{'*' if run.pareto else ' '}{'x' if index in session.marked else ''}",
        "plan": f"{text.method_of(run)} · {text.engine_of(run)}\n{text.sharding_of(run)}",
        "weights": text.method_of(run),
        "engine": text.engine_of(run),
        "layout": text.sharding_of(run),
        "batch": f"{table.get('micro_batch')}×{table.get('grad_accum')}",
        "verdict": "!" if late else text.VERDICTS[run.estimate.verdict],
        **(_figures(result) if result is not None else {}),
    }
    about = run.reasons[0] if run.reasons else "the only run that fits"
    return Row(str(index), cells, f"{run.rank}. {text.method_of(run)}, {text.sharding_of(run)}: {about}", dim=late)


def _figures(result: FinetuneResult) -> dict[str, str]:
    return {
        "driver": text.shown(result.driver.value, "B"),
        "hours": text.figure(result.hours, "h"),
        "tok_s": human_count(result.tok_s.value) if result.tok_s else text.UNKNOWN,
        "energy_wh": text.figure(result.energy_wh, "Wh"),
        "longest": text.tokens(result.max_seq_len),
    }


def memory_rows(run: PlannedDeployment) -> Iterator[Row]:
    """The parts of the fullest moment of a step, with the letters of the bar, then what the driver shows."""
    result = run.estimate.finetune
    if result is None:
        return
    names, capacity = names_of_training(), result.capacity or 0.0
    sizes = {**training_parts(result), "N": around(result)}
    named = {letter: name[:1].upper() + name[1:] for letter, name in names.items()}
    for letter, size in sizes.items():
        yield _part(
            letter, f"{letter} {named[letter]}", size, capacity, f"{named[letter]}, at the {result.moment} of a step"
        )
    whole = result.driver
    cells = {"part": "Peak", "range": text.span(whole, "B") or "exact", "origin": whole.origin}
    row = _part("driver", "Peak", whole.value, capacity, "What nvidia-smi shows at the fullest moment")
    yield Row("driver", {**row.cells, **cells}, row.about)


def _part(key: str, name: str, size: float, capacity: float, about: str) -> Row:
    share = f"{size / capacity:.1%}" if capacity else ""
    return Row(key, {"part": name, "value": text.shown(size, "B"), "share": share, "origin": "formula"}, about)
