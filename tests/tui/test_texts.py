"""What is said: every figure and column is explained, ranges carry units once, bars add up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.documents.inventory import GpuDevice, HostInfo, Inventory, Node
from planner.documents.result import Rejection
from planner.estimate import Estimate
from tests.tui.conftest import answered, inventory_of
from tui import fleet_rows, plan_rows, run_rows, text
from tui import hardware_text as hardware
from tui.bars import bars_of
from tui.compare_rows import compare_rows
from tui.draft import Draft
from tui.explain import column_about, figure_text, of_figure, texts
from tui.figure_rows import FIGURE_COLUMNS, MEMORY_COLUMNS
from tui.figures import BUYING, COST, FIGURES, MEMORY, PANELS, SPEED, TRAINING, TRAINING_MEMORY
from tui.fixes import changes_of, in_words, with_nodes
from tui.load_rows import LOAD_COLUMNS, load_rows
from tui.panes import hardware as hardware_pane
from tui.panes import model
from tui.session import Session
from tui.widgets.answer_lines import answer_lines, waiting_lines

GIB = 1 << 30


@pytest.fixture(scope="module")
def session() -> Session:
    found = Session(Draft(inventory=inventory_of("8xH200")))
    found.answer(found.draft, answered(found.draft.request()))
    return found


@pytest.mark.parametrize("key", list(FIGURES))
def test_every_figure_has_its_words_and_a_formula(key: str) -> None:
    words = figure_text(key)
    assert {"label", "about", "formula", "moves"} <= set(words)
    assert len(words["label"]) <= 14, "labels have this much room in the panel"


def test_every_column_of_every_table_is_explained() -> None:
    tables = {
        "hardware": hardware_pane.COLUMNS,
        "model": model.COLUMNS,
        "plans": (*plan_rows.STACKED, *plan_rows.WIDE),
        "figures": FIGURE_COLUMNS,
        "memory": MEMORY_COLUMNS,
        "rejected": plan_rows.REJECTED_COLUMNS,
        "load": LOAD_COLUMNS,
        "runs": (*run_rows.STACKED, *run_rows.WIDE),
        "fleets": (*fleet_rows.STACKED, *fleet_rows.WIDE),
    }
    silent = [(t, c.key) for t, columns in tables.items() for c in columns if not column_about(t, c.key)]
    assert not silent


def test_explanations_name_no_figure_that_does_not_exist() -> None:
    assert set(texts()["figures"]) == set(FIGURES)
    listed = {*SPEED, *MEMORY, *COST, *TRAINING, *TRAINING_MEMORY, *BUYING}
    assert listed == set(FIGURES.values()) and all(set(panel) <= listed for panel in PANELS.values())


def test_a_number_opens_with_its_value_range_origin_and_terms() -> None:
    estimate = Estimate(0.1, 0.2, 0.4, "measured", {"prompt": 0.15, "requests": 8.0, "credit": -0.05})
    found = of_figure("ttft_s", "s", estimate, "plan 1")
    rows = dict(found.rows)
    assert rows["value"] == "200 ms" and rows["range"] == "100 ms … 400 ms" and rows["origin"] == "measured"
    assert rows["  prompt"] == "150 ms" and rows["  requests"] == "8" and rows["  credit"] == "−50 ms"
    assert "measured" in found.notes[0]
    assert dict(of_figure("ttft_s", "s", None, "x").rows) == {"value": "unknown"}


@pytest.mark.parametrize(
    ("low", "value", "high", "unit", "whole", "short"),
    [
        (0.166, 0.27, 0.439, "s", "166–439 ms", "166–439"),
        (0.9, 1.1, 1.4, "s", "900 ms–1.4 s", "900 ms–1.4 s"),
        (3, 3, 3, "B", "", ""),
        (800, 1000, 1300, "tok/s", "800–1,300 tok/s", "800–1,300"),
        (900, 1100, 1500, "W", "900 W–1.5 kW", "900 W–1.5 kW"),
    ],
)
def test_a_range_says_its_unit_once(low: float, value: float, high: float, unit: str, whole: str, short: str) -> None:
    estimate = Estimate(low, value, high)
    assert (text.span(estimate, unit), text.short_span(estimate, unit)) == (whole, short)


def test_better_and_worse_have_their_arrows() -> None:
    one, two = Estimate(1, 1, 1), Estimate(2, 2, 2)
    assert text.moved(two, one, "less") == "▼ +100%" and text.moved(two, one, "more") == "▲ +100%"
    assert text.moved(one, one, "less") == "=" and text.moved(one, None, "less") == ""


def test_bars_of_a_plan_add_up_to_its_total(session: Session) -> None:
    assert session.best is not None and session.best.estimate.memory is not None
    gpu = session.best.estimate.memory.per_gpu
    (bar,) = bars_of(session.best, session.draft.inventory)
    assert bar.name == "GPU0-7"
    assert sum(size for _, size in bar.parts) == pytest.approx(gpu.total.value, rel=1e-6)
    for width in (10, 33, 80):
        cells = bar.cells(width)
        assert len(cells) == width
        assert cells.count("·") == pytest.approx(width * (1 - bar.share), abs=1)
        assert cells.startswith("W") and "U" not in cells


def test_what_others_hold_shows_in_the_bar(session: Session) -> None:
    inventory = inventory_of("8xH200")
    busy = tuple(replace(device, used_bytes=30 * GIB) for device in inventory.nodes[0].devices)
    held = replace(inventory, nodes=(replace(inventory.nodes[0], devices=busy),))
    assert session.best is not None
    (bar,) = bars_of(session.best, held)
    assert "U" in bar.cells(60) and "U" not in bars_of(session.best, inventory)[0].cells(60)


@pytest.mark.parametrize("width", [30, 42, 70, 110])
def test_no_line_of_the_answer_is_wider_than_its_place(session: Session, width: int) -> None:
    for line in answer_lines(session, width, 0):
        assert len(line.plain) <= width, line.plain


def test_why_not_speaks_of_the_model_looked_at_alone(session: Session) -> None:
    words = "\n".join(line.plain for line in answer_lines(session, 200, None)).partition("Why not")[2]
    assert words and "less-capable" not in words and "more capable models do" not in words


def test_waiting_and_failing_are_said_with_a_next_step() -> None:
    assert "e names" in " ".join(waiting_lines(Session()))
    session = Session(Draft(inventory=inventory_of("8xH200")), failure="no such model")
    assert "e names" in " ".join(waiting_lines(Session(failure="no such card")))
    assert "u takes" in " ".join(waiting_lines(session))


def rejection(rule: str = "r", **change: object) -> Rejection:
    return Rejection(rule, "because", 1, "an example", "do this", dict(change))


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ({"serving.max_model_len": 4096}, "max_model_len", 4096),
        ({"model.weights": "awq-int4"}, "weights", "awq-int4"),
        ({"request.quality_floor": "int3"}, "quality_floor", "int3"),
        ({"request.weights": None}, "weights", None),
        ({"engine.name": "sglang", "engine.version": None}, "engine", "sglang"),
        ({"engine.name": "vllm", "engine.version": "0.30.0"}, "engine", "vllm==0.30.0"),
    ],
)
def test_the_fix_of_a_rejection_becomes_an_input(change: dict[str, object], field: str, value: object) -> None:
    draft = Draft(inventory=inventory_of("8xH200"), weights="fp8")
    assert changes_of(rejection(**change), draft) == {field: value}
    assert getattr(draft.changed(changes_of(rejection(**change), draft)), field) == value


def test_a_fix_with_more_machines_or_a_network_changes_the_hardware() -> None:
    draft = Draft(inventory=inventory_of("8xH200"), site="site")
    changes = changes_of(rejection(**{"hardware.nodes": 3, "hardware.fabric": "infiniband-ndr"}), draft)
    inventory = changes["inventory"]
    assert inventory.nodes[0].count == 3 and inventory.fabric == "infiniband-ndr" and inventory.origin == "simulated"
    assert "3 nodes" in in_words(changes) and "infiniband-ndr" in in_words(changes)
    assert with_nodes(inventory, 5).nodes[0].devices == draft.inventory.nodes[0].devices  # type: ignore[union-attr]


def test_a_fix_without_an_input_or_in_place_already_changes_nothing() -> None:
    draft = Draft(inventory=inventory_of("8xH200"), quality_floor="int3")
    assert changes_of(rejection(**{"serving.tp": 8}), draft) == {}
    assert changes_of(rejection(**{"request.quality_floor": "int3"}), draft) == {}
    assert changes_of(rejection(), draft) == {}


def odd_machine() -> Inventory:
    devices = (
        GpuDevice(0, "nvidia", "NVIDIA X", "x", "exact", total_bytes=80 * GIB, used_bytes=None, free_bytes=None),
        GpuDevice(1, "nvidia", None, error="fell off the bus"),
        GpuDevice(2, "amd", "AMD Radeon Graphics", nearest=(("rx-7900-xtx-24gb", 0.4),), visible=True),
        GpuDevice(3, "nvidia", "NVIDIA Y", "y", "exact", visible=False),
    )
    return Inventory(
        nodes=(Node(HostInfo(), devices), Node(HostInfo(cpu="CPU X", ram_bytes=GIB, ram_available_bytes=GIB // 2)))
    )


def test_devices_in_every_state_have_a_row_and_a_reason() -> None:
    rows = {row.key: row for row in hardware.device_rows(odd_machine())}
    assert [rows[key].cells["state"] for key in ("0.0", "0.1", "0.2", "0.3", "1.–")] == ["✓", "✗", "~", "~", "✓"]
    assert rows["0.0"].cells["used"] == "?", "what is withheld is no 0"
    said = "\n".join(hardware.warning_lines(odd_machine()))
    assert "fell off the bus" in said and "rx-7900-xtx-24gb" in said and "hidden" in said


def test_load_rows_promise_nothing_where_nothing_was_promised(session: Session) -> None:
    assert list(load_rows(session)) == []


def test_comparison_marks_the_best_of_each_row_and_lists_settings_that_differ(session: Session) -> None:
    assert session.plan is not None
    plans = session.plan.candidates[:3]
    rows = {row.key: row.cells for row in compare_rows(plans)}
    speeds = {
        p.rank: p.estimate.performance.tpot_s.value
        for p in plans
        if p.estimate.performance and p.estimate.performance.tpot_s
    }
    best = min(speeds, key=lambda rank: speeds[rank])
    assert rows["tpot_s"][f"plan{best}"].startswith("● ")
    settings = [p.deployment["serving"] for p in plans]
    differing = {key for table in settings for key in table if len({str(t.get(key)) for t in settings}) > 1}
    assert differing <= set(rows)
