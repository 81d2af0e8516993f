from __future__ import annotations

import json

import jsonschema
import pytest

from planner.cli.main import main
from planner.detect.spec import load_hardware
from planner.documents.encode import to_json
from planner.documents.files import parse_deployment
from planner.documents.result import PlanDocument
from planner.errors import BadInput, Exit, UnknownName
from planner.predict import predict
from planner.schemas import build_schema
from planner.training.request import FinetuneRequest, training_presets
from planner.training.search import plan_finetune
from tests.finetune.build import LLAMA, QWEN_MOE, V3, library

LLAMA_70B = "meta-llama/Llama-3.1-70B-Instruct"


def search(hardware: str, model: str = LLAMA, **asked) -> PlanDocument:
    inventory = load_hardware(hardware, library().database)
    return plan_finetune(FinetuneRequest(inventory, model, **asked), library())


def methods_of(plan: PlanDocument) -> list[str]:
    return [candidate.deployment["finetune"]["method"] for candidate in plan.candidates]


def test_every_configuration_is_a_proposal_or_counted_with_a_reason():
    plan = search("8xH100-SXM", LLAMA_70B)
    assert plan.verdict == "fits"
    ruled_out = sum(r.count for r in plan.rejected if r.rule != "full-fine-tuning")
    assert 0 < ruled_out < plan.considered
    assert all(r.message and r.example for r in plan.rejected)
    jsonschema.validate(json.loads(to_json(plan)), build_schema("plan"))


def test_proposals_are_ranked_by_the_goal_and_can_be_estimated_again():
    by_time = search("8xH100-SXM", LLAMA_70B)
    hours = [c.estimate.finetune.hours.value for c in by_time.candidates]
    assert hours == sorted(hours)
    fewest = search("8xH100-SXM", LLAMA_70B, goal="fewest-gpus")
    used = [c.gpus_used for c in fewest.candidates]
    assert used == sorted(used) and used[0] < by_time.candidates[0].gpus_used
    for candidate in (*by_time.candidates, *fewest.candidates):
        again = predict(parse_deployment(candidate.deployment, "test"), library())
        assert again.verdict in ("fits", "tight")
        assert again.finetune == candidate.estimate.finetune


def test_every_method_that_fits_is_shown_and_the_batch_is_the_asked_one():
    plan = search("8xH100-SXM", LLAMA_70B, global_batch=64)
    assert {"full", "lora", "qlora", "dora"} <= set(methods_of(plan))
    for candidate in plan.candidates:
        table = candidate.deployment["finetune"]
        parallel = table.get("parallel", {})
        ranks = candidate.gpus_used // (parallel.get("tp", 1) * parallel.get("pp", 1))
        assert table["micro_batch"] * table["grad_accum"] * ranks == 64


def test_one_card_trains_what_experts_would_start():
    """8B on 24 GB: QLoRA and checkpointed LoRA; full only from host memory, and behind what surely fits."""
    plan = search("1xRTX-4090")
    assert methods_of(plan)[0] in ("lora", "qlora")
    assert "full" not in methods_of(plan)[:4]
    assert any("sequences of up to" in reason for reason in plan.candidates[0].reasons)


def test_what_would_make_full_fine_tuning_possible():
    plan = search("2xRTX-4090", LLAMA_70B, methods=("full", "qlora"), seq_len=4096)
    found = next(r for r in plan.rejected if r.rule == "full-fine-tuning")
    assert "of these cards" in found.fix
    assert found.change["hardware.nodes"] * found.change["hardware.per_node"] > 2


def test_a_model_beyond_all_memory_says_so():
    plan = search("1xRTX-4090", V3, methods=("lora",), trainer="axolotl")
    assert plan.verdict == "does-not-fit" and not plan.candidates
    assert {r.rule for r in plan.rejected} == {"does-not-fit"}


def test_megatron_lays_out_experts_where_it_is_named():
    plan = search("4x8xH100-SXM", QWEN_MOE, methods=("full",), trainer="megatron")
    tables = [c.deployment["finetune"] for c in plan.candidates]
    assert tables and all(t["trainer"] == "megatron" for t in tables)
    assert any(t.get("parallel", {}).get("ep", 1) > 1 for t in tables)


def test_no_accelerator_is_a_result():
    plan = search("cpu")
    assert plan.verdict == "does-not-fit" and not plan.candidates
    assert [r.rule for r in plan.rejected] == ["no-accelerator"]


def test_more_ranks_than_samples_are_counted():
    plan = search("4x8xH100-SXM", LLAMA, methods=("lora",), global_batch=4, trainer="axolotl")
    assert any(r.rule == "batch-below-ranks" for r in plan.rejected)
    assert all(c.gpus_used <= 4 for c in plan.candidates)


def test_same_question_same_answer():
    assert to_json(search("8xH100-SXM")) == to_json(search("8xH100-SXM"))


@pytest.mark.parametrize("name", sorted(training_presets()))
def test_presets_make_jobs(name):
    plan = search("8xH100-SXM", LLAMA, preset=name)
    assert plan.candidates, plan.rejected
    assert plan.request["finetune"]["objective"] == training_presets()[name].objective


@pytest.mark.parametrize(
    "asked", [{"methods": ("galore",)}, {"trainer": "keras"}, {"preset": "nothing"}, {"model": "no/such-model"}]
)
def test_unknown_names_are_bad_input(asked):
    with pytest.raises(BadInput):
        search("1xRTX-4090", **asked)


def test_presets_say_their_nearest():
    with pytest.raises(UnknownName, match="instructions"):
        search("1xRTX-4090", preset="nothing")


def test_the_command_prints_only_the_document(capsys):
    argv = ["finetune", "--model", LLAMA, "--hardware", "2xRTX-4090", "--method", "qlora", "--tokens", "20e6"]
    assert main([*argv, "--json"]) == Exit.OK
    plan = json.loads(capsys.readouterr().out)
    jsonschema.validate(plan, build_schema("plan"))
    assert {c["deployment"]["finetune"]["method"] for c in plan["candidates"]} == {"qlora"}
    assert main(argv) == Exit.OK
    assert "why the first" in capsys.readouterr().out
    assert main([*argv, "--markdown"]) == Exit.OK
    assert capsys.readouterr().out.startswith("# Training plan")


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (["--tokens", "0"], Exit.BAD_INPUT),
        (["--tokens", "nan"], Exit.BAD_INPUT),
        (["--tokens", "9" * 400], Exit.BAD_INPUT),
        (["--method", "none"], Exit.BAD_INPUT),
        (["--trainer", "; rm -rf /"], Exit.BAD_INPUT),
        (["--model", "../../etc/passwd"], Exit.BAD_INPUT),
        (["--hardware", "cpu"], Exit.NOTHING_FITS),
    ],
)
def test_bad_options_exit_with_one_line(argv, code, capsys):
    base = {"--model": LLAMA, "--hardware": "1xRTX-4090"}
    given = dict(zip(argv[::2], argv[1::2], strict=True))
    words = [word for pair in {**base, **given}.items() for word in pair]
    assert main(["finetune", *words]) == code
    err = capsys.readouterr().err
    assert (err.count("\n") == 1 and "Traceback" not in err) or code == Exit.NOTHING_FITS
