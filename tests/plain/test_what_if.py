"""What if in plain mode, and the two kinds of servers of a mixed fleet."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.documents.files import read_deployment
from tests.plain.conftest import SERVE, held
from tests.tui.conftest import FakePlanner
from tui.draft import Draft
from tui.plain.files import _pool
from tui.plain.journey import Journey


def test_a_change_is_said_against_the_first_proposal_and_left() -> None:
    planner = FakePlanner()
    done = held(*SERVE[:5], "what if", "1", "no", "b", "q", planner=planner)
    said = done.block("Users ×2: 128: ")
    assert "First token" in said and "worse +" in said and "All users" in said and "better +" in said
    assert "▲" not in done.text and "▼" not in done.text
    assert done.journey.draft.users is None and planner.asked[-1].workload.concurrency == 128
    assert "Step 5, proposals" in said


def test_a_change_that_is_taken_is_planned_once_and_its_proposals_listed() -> None:
    planner = FakePlanner()
    done = held(*SERVE[:5], "what if", "KV cache fp8", "yes", "", "q", planner=planner)
    assert done.journey.draft.kv_cache == "fp8" and len(planner.asked) == 2
    assert done.journey.plan is not None
    serving = [plan.deployment["serving"] for plan in done.journey.plan.candidates]
    assert serving and all(table["kv_cache_dtype"].startswith("fp8") for table in serving)


def test_where_nothing_fits_nothing_is_asked() -> None:
    done = held("", "", "llama-3.3-70b-instruct", "", "weights", "bf16", "", "what if", "One GPU fewer: 1", "b", "q",
                hardware="2xH100")  # fmt: skip
    assert "nothing fits with it. more than" in done.text
    assert "Take this change?" not in done.text


@pytest.fixture
def mixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_each_kind_of_servers_of_a_mixed_fleet_is_written(mixed: Path) -> None:
    asked = ("1", "3", "qwen3-32b", "", "users", "500", "")
    done = held(*asked, "", "", "", "", "", "", "", "export", "", "", "", "", "q", hardware="cpu")
    assert done.journey.offers is not None
    pools = done.journey.offers.offers[0].pools
    assert len(pools) == 2, "the first fleet for this load has two kinds"
    files = sorted(mixed.glob("deployment-*.toml"))
    assert [path.name for path in files] == sorted(f"deployment-{pool.fleet.accelerator}.toml" for pool in pools)
    loads = {path.name: read_deployment(path).workload for path in files}
    for pool in pools:
        load = loads[f"deployment-{pool.fleet.accelerator}.toml"]
        assert load is not None and load.concurrency == pytest.approx(500 * pool.share)
    assert "% of the load" in done.text


def test_a_fleet_of_one_kind_asks_for_none() -> None:
    assert _pool(Journey(talk=None, draft=Draft())) == ""  # type: ignore[arg-type]


def test_a_training_job_is_tried_with_longer_samples() -> None:
    done = held("1", "2", "qwen3-8b", "", "", "what if", "1", "yes", "q", hardware="2xRTX-4090")
    said = done.block("Sequence ×2: 8,192: ")
    assert "Time" in said and "Peak" in said
    assert done.journey.draft.training.seq_len == 8192 and done.journey.plan is not None
    tables = [plan.deployment["finetune"] for plan in done.journey.plan.candidates]
    assert tables and {table["seq_len"] for table in tables} == {8192}
    assert "Working it out" in done.text and done.text.count("Planning. ") == 1


def test_a_purchase_is_tried_with_a_spare_set() -> None:
    done = held("1", "3", "qwen3-32b", "", "", "", "what if", "Spare servers (N+1)", "no", "b", "q", hardware="cpu")
    said = done.block("Spare servers (N+1): ")
    assert "Purchase" in said and "worse +" in said
    assert done.journey.draft.purchase.spare == ""
