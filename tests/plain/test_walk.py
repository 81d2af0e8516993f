"""The whole walk in plain mode reaches written files; every question can be explained, gone back from and left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from planner.documents.files import read_deployment
from tests.plain.conftest import SERVE, held
from tests.tui.conftest import FakePlanner


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_enter_alone_reaches_a_document(folder: Path) -> None:
    done = held(*SERVE, "", "", "", "")
    assert done.code == 0 and not done.errors
    written = read_deployment(folder / "deployment.toml")
    assert written.model.id == "deepseek-ai/DeepSeek-R1" and written.estimate
    assert f"Wrote {folder / 'deployment.toml'}" in done.text
    assert "deploy-planner verify deployment.toml --log LOGFILE" in done.text
    assert "The engine should print:" in done.text


def test_a_folder_for_two_targets_and_never_over_files_of_others(folder: Path) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / "thesis.txt").write_text("years of work")
    done = held(*SERVE, "2, bench", "mine", "yes", "2, bench", "out", "", "")
    assert "holds files that are no part of a bundle: thesis.txt" in done.text
    assert (folder / "mine" / "thesis.txt").read_text() == "years of work"
    assert {p.name for p in (folder / "out").iterdir()} >= {"bench", "MANIFEST.json", "README.md", "deployment.toml"}
    assert "Read out/README.md" in done.text and done.journey.written == [Path("out")]


def test_an_existing_document_is_replaced_only_on_a_yes(folder: Path) -> None:
    (folder / "deployment.toml").write_text("mine")
    done = held(*SERVE, "", "", "no", "", "", "yes", "", "")
    assert "Not written." in done.text and done.text.count("Replace it?") == 2
    assert read_deployment(folder / "deployment.toml").model.id


def test_fine_tuning_reaches_files_of_a_trainer(folder: Path) -> None:
    done = held("1", "2", "qwen3-8b", "", "tokens", "5,000,000", "", "", "", "2", "out", "", hardware="2xRTX-4090")
    assert done.code == 0, done.text[-2000:]
    deployment = read_deployment(folder / "out" / "deployment.toml")
    assert deployment.finetune is not None and deployment.finetune.tokens == 5e6
    assert list((folder / "out" / "axolotl").iterdir())
    assert "Step 7" not in done.text, "an engine's log has nothing to do with a training job"


def test_buying_reaches_the_files_of_a_fleet(folder: Path) -> None:
    limits = ("users", "32", "", "budget_k", "30", "rank_by", "tco", "")
    done = held("1", "3", "qwen3-32b", "", *limits, "", "", "", "", "", "", hardware="cpu")
    assert done.code == 0, done.text[-2000:]
    assert done.journey.offers is not None and done.journey.offers.request["budget"] == 30000
    assert done.journey.offers.request["rank_by"] == "tco"
    assert read_deployment(folder / "deployment.toml").model.id == "Qwen/Qwen3-32B"


def test_every_figure_is_explained_by_its_number(folder: Path) -> None:
    done = held(*SERVE[:6], "4", "? 5", "q")
    first = done.block("First token · plan 1.")
    for words in ("Value:", "Range:", "Origin:", "Formula:", "Moved by:"):
        assert words in first.partition("Per token · plan 1.")[0]
    assert "Per token · plan 1." in first


def test_comparing_names_the_better_figure_and_settings_that_differ() -> None:
    done = held(*SERVE[:6], "3", "", "q")
    assert "Better in 1." in done.text or "Better in 2." in done.text
    assert "Setting serving." in done.text


def test_what_was_ruled_out_has_its_reasons_and_ways_out() -> None:
    done = held(*SERVE[:5], "why", "q")
    assert "configurations: " in done.text and "Way out: " in done.text


def test_back_is_the_question_before_with_its_answers_kept() -> None:
    done = held("", "", "", "code", "3", "17", "", "b", "b", "b", "b", "b", "q")
    assert [title for title in ("Step 5", "Workload", "Step 3", "Step 2", "Step 1") if title in done.text]
    assert done.block("Step 1, hardware")
    assert done.journey.draft.users == 17 and done.journey.draft.preset == "code"
    assert "This is the first question" in done.text or done.text.rstrip().endswith("Goodbye.")


def test_a_number_changed_by_hand_is_planned_with(folder: Path) -> None:
    planner = FakePlanner()
    held("", "", "", "rag", "3", "17", "5", "2048", "ttft_ms", "none", "", "q", planner=planner)
    asked = planner.asked[-1].workload
    assert (asked.concurrency, asked.isl) == (17, 2048)
    assert asked.service_level is None or asked.service_level.ttft_s is None


def test_an_unchanged_question_is_not_planned_twice() -> None:
    planner = FakePlanner()
    held("", "", "", "", "", "b", "custom", "", "b", "", "", "q", planner=planner)
    assert len(planner.asked) == 1


def test_models_are_searched_taken_explained_and_leafed_through() -> None:
    done = held("", "", "more", "?", "qwen3-32b-nonsense", "glm air", "? 1", "999", "1", "q")
    assert "These are 13 to 24 of" in done.text and "No model has 'qwen3-32b-nonsense'." in done.text
    assert "There is no model number 999" in done.text and "commercial use" in done.text
    assert "glm" in (done.journey.draft.model or "").lower() and "air" in (done.journey.draft.model or "").lower()


def test_a_local_model_is_taken_by_its_path(folder: Path) -> None:
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4096,
              "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
              "intermediate_size": 14336, "vocab_size": 128256, "max_position_embeddings": 8192}  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    done = held("", "", "./nowhere", str(folder), "q")
    assert "Not taken: model: no such file or directory: ./nowhere" in done.text
    assert done.journey.draft.model == str(folder) and "Step 4" in done.text


def test_other_hardware_by_name_with_a_network_and_a_wrong_name_first() -> None:
    done = held("2", "8xH2000", "2", "2x8xH100", "", "3", "q")
    assert "Not taken: accelerator: unknown accelerator 'H2000'" in done.text
    assert "16 accelerators on 2 machines" in done.text
    assert done.journey.draft.inventory is not None and done.journey.draft.inventory.fabric


def test_nothing_that_fits_says_what_would_have_to_change() -> None:
    done = held("", "", "", "", "", "", "change", "q", hardware="rtx-4090")
    assert "Nothing fits." in done.text and "Way out: " in done.text
    assert done.text.count("Step 4, workload") == 2


def test_a_log_is_compared_and_a_missing_one_is_said(folder: Path) -> None:
    (folder / "vllm.log").write_text("INFO Model loading took 12.5 GiB\nINFO Application startup complete.\n")
    done = held(*SERVE, "", "", "nowhere.log", "vllm.log", "", "")
    assert "Not compared: " in done.text and "2 lines" in done.text
    assert done.code == 0


def test_images_are_an_input_like_any_other(folder: Path) -> None:
    planner = FakePlanner()
    held("", "", "gemma-4-31b-it", "images", "images", "3", "image_tokens", "700", "", "q", planner=planner)
    asked = planner.asked[-1].workload
    assert (asked.images, asked.image_tokens, asked.isl) == (3, 700, 500)


def test_a_trace_is_the_workload_and_is_simulated(folder: Path) -> None:
    (folder / "few.csv").write_text("time,isl,osl\n0,100,20\n1,300,40\n2,500,60\n3,1100,80\n")
    planner = FakePlanner()
    done = held("", "", "", "trace", "few.csv", "", "", "", "simulate", "q", planner=planner)
    asked = planner.asked[-1].workload
    assert (asked.isl, asked.osl, asked.request_rate) == (500, 50, 1.0)
    assert "From the trace: 4 requests in 3.0 s" in done.text
    said = done.block("Simulated: few.csv: 4 requests as they came.")
    for words in (
        "First token: mean ",
        "half within ",
        "99 % within ",
        "Answered: ",
        "Promises kept: 100.0% of requests.",
    ):
        assert words in said


@pytest.mark.parametrize("name", ["missing.csv", ".", "wrong.csv", "~nobody-of-that-name/x"])
def test_a_file_that_is_no_trace_is_said_and_the_kind_asked_again(name: str, folder: Path) -> None:
    (folder / "wrong.csv").write_text("a,b\n1,2\n")
    done = held("", "", "", "trace", name, "", "rag", "", "q")
    assert f"Not taken: {name}" in done.text and done.journey.draft.preset == "rag"
    assert done.text.count("Step 4, workload: kind of use") == 2
