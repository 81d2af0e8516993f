"""``deploy-planner plan``: the options, the three forms of the answer, exit codes, bad input."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from planner.cli.main import main
from planner.data import read_json
from planner.documents.files import read_deployment

R1 = ["plan", "--hardware", "8xH200-SXM", "--model", "deepseek-r1", "--users", "64"]


def test_json_is_the_document_and_follows_its_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*R1, "--json", "--limit", "3", "--ttft", "2s", "--tpot", "50ms"]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    jsonschema.validate(document, read_json("documents/json_schemas/plan.schema.json"))
    assert captured.err == "" and len(document["candidates"]) == 3
    assert document["request"]["workload"]["service_level"] == {"ttft_s": 2.0, "tpot_s": 0.05, "percentile": 95}


def test_table_and_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*R1, "--limit", "2"]) == 0
    table = capsys.readouterr().out
    assert "why the first" in table and "ruled out" in table and "deepseek-ai/DeepSeek-R1" in table
    assert main([*R1, "--limit", "2", "--markdown"]) == 0
    page = capsys.readouterr().out
    assert page.startswith("# Deployment plan: fits") and "| --- |" in page


def test_nothing_fits_is_exit_3_with_the_document(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["plan", "--hardware", "rtx-3060", "--model", "deepseek-r1", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert code == 3 and document["verdict"] == "does-not-fit" and document["rejected"]


def test_into_a_file_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "out" / "plan.json"
    assert main([*R1, "--json", "-o", str(target)]) == 0
    assert json.loads(target.read_text(encoding="utf-8"))["verdict"] == "fits"
    assert capsys.readouterr().out == ""
    assert main([*R1, "--json", "-o", str(target)]) == 2
    assert main([*R1, "--json", "-o", str(target), "--force"]) == 0


def test_presets_and_overrides(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["plan", "--hardware", "8xH100-SXM", "--model", "qwen3-32b", "--preset", "rag", "--isl", "9000", "--json"])
        == 0
    )
    workload = json.loads(capsys.readouterr().out)["request"]["workload"]
    assert (workload["isl"], workload["osl"]) == (9000, 400) and workload["service_level"]["ttft_s"] == 3.0


@pytest.mark.parametrize("options", [
    ["--users", "nan"], ["--users", "0"], ["--users", "9" * 200], ["--tpot", "-1"], ["--ttft", "inf"],
    ["--isl", "1e99"], ["--prefix-hit-rate", "1.5"], ["--limit", "0"], ["--users", "1", "--request-rate", "1"],
    ["--json", "--markdown"], ["--goal", "glory"],
])  # fmt: skip
def test_bad_values_are_refused_by_name(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([*R1[:5], *options])
    assert stopped.value.code == 2 and options[-2].lstrip("-").split("-")[0] in capsys.readouterr().err


@pytest.mark.parametrize("options", [
    ["--hardware", "8xH300"], ["--hardware", "; rm -rf /"], ["--hardware", "999999999xH100"], ["--model", "no/such"],
    ["--model", "../../../etc/passwd"], ["--quality-floor", "perfect"], ["--preset", "poetry"], ["--fabric", "string"],
    ["--engine", "vlllm"],
])  # fmt: skip
def test_bad_names_are_one_line_on_stderr(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--hardware", "8xH100-SXM", "--model", "qwen3-32b", *options]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("deploy-planner: ") and "Traceback" not in captured.err


def test_hostile_text_cannot_break_a_table() -> None:
    from planner.cli.plan_table import plan_markdown
    from planner.documents.result import PlanDocument, Rejection

    nasty = Rejection("rule", "a | b\n# head <script>", 1, "`x` [y](z)")
    page = plan_markdown(PlanDocument("does-not-fit", {}, {}, rejected=(nasty,)))
    assert "\n# head" not in page and "<script>" not in page.replace("\\<script\\>", "")


def test_the_first_proposal_is_written_as_a_document_that_other_verbs_take(tmp_path, capsys):
    place = tmp_path / "a b" / "deployment.toml"
    asked = ["--hardware", "rtx-4090", "--model", "qwen3-32b", "--save", str(place)]
    assert main(["plan", *asked, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    written = read_deployment(place)
    assert written.model.id == document["candidates"][0]["deployment"]["model"]["id"]
    assert written.estimate is not None and written.provenance is not None
    assert main(["estimate", str(place)]) == 0
    before = place.read_text()
    assert main(["plan", *asked]) == 2, "what is there is replaced only with --force"
    assert "--force" in capsys.readouterr().err and place.read_text() == before
    assert main(["plan", *asked, "--force"]) == 0


def test_without_a_proposal_nothing_is_written(tmp_path, capsys):
    place = tmp_path / "deployment.toml"
    assert main(["plan", "--hardware", "rtx-4090", "--model", "deepseek-r1", "--save", str(place)]) == 3
    assert "not written" in capsys.readouterr().err and not place.exists()


def test_the_table_explains_its_signs(capsys):
    assert main([*R1, "--limit", "2"]) == 0
    many = capsys.readouterr().out
    assert "  *       none of the others is better" in many and "  layout  TP tensor" in many
    assert main(["plan", "--hardware", "rtx-4090", "--model", "qwen3-8b", "--limit", "2"]) == 0
    one = capsys.readouterr().out
    assert "  users   requests of this length" in one and "TP tensor" not in one


@pytest.mark.parametrize("machine", ["strix-halo", "rtx-4060-ti-16gb", "m3-ultra+96GB", "2xEPYC-9654+768GB"])
def test_a_small_machine_gets_an_answer_that_people_can_read(machine, capsys):
    """Nothing said twice or against itself, and figures of one model are not called those of all."""
    assert main(["plan", "--hardware", machine]) == 0
    table = capsys.readouterr().out
    costs = table.partition("what the first costs")[2].partition("\n\n")[0].splitlines()[1:]
    labels = [line.strip().partition("  ")[0] for line in costs if not line.startswith("   ")]
    assert len(labels) == len(set(labels)) or "unknown" in labels
    assert "nobody published, exceeds" not in table
    reasons = table.partition("why the first")[2].partition("\n\n")[0]
    assert " configurations that fit" not in reasons, "several models were compared"


def test_a_dense_model_that_crawls_is_not_the_first_advice(capsys):
    """Where the memory is slow, a model with few active parameters answers several times faster."""
    assert main(["plan", "--hardware", "strix-halo", "--json", "--limit", "1"]) == 0
    (first,) = json.loads(capsys.readouterr().out)["candidates"]
    assert first["estimate"]["performance"]["tpot_s"]["value"] < 0.1


def test_what_has_to_be_done_first_stands_beside_the_first(capsys):
    assert (
        main(["plan", "--hardware", "m3-ultra+96GB", "--model", "llama-3.3-70b-instruct", "--weights", "gguf:Q8_0"])
        == 0
    )
    assert "  ! the GPU is to hold" in capsys.readouterr().out
    assert main(["plan", "--hardware", "m3-ultra", "--model", "qwen3-8b", "--limit", "1"]) == 0
    assert "m3-ultra+256GB for less" in capsys.readouterr().err
