"""Trainer files say what the document says and survive hostile names."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from planner.errors import BadInput
from planner.export.registry import render, target
from planner.export.target import Options, unsuitable
from tests.finetune.build import LLAMA, V3
from tests.finetune.jobs import JOBS, context, files

TARGETS = ("axolotl", "llama-factory", "trl", "deepspeed", "megatron")
MAIN = {"axolotl": "axolotl.yaml", "llama-factory": "llama-factory.yaml", "trl": "trl.yaml"}
MICRO = {
    "axolotl": "micro_batch_size",
    "llama-factory": "per_device_train_batch_size",
    "trl": "per_device_train_batch_size",
}
LENGTH = {"axolotl": "sequence_len", "llama-factory": "cutoff_len", "trl": "max_length"}
WRITTEN = (
    "lora",
    "qlora-fsdp",
    "full-zero3",
    "full-zero2",
    "dora",
    "dpo-nodes",
    "pretrain",
    "int8",
    "offloaded",
    "grpo",
)


@pytest.mark.parametrize("job", WRITTEN)
@pytest.mark.parametrize("tool", MAIN)
def test_the_file_says_what_the_document_says(tool, job):
    if job == "grpo" and tool == "llama-factory":
        with pytest.raises(BadInput):
            files(tool, **JOBS[job])
        return
    found = files(tool, **JOBS[job])
    values, table = yaml.safe_load(found[MAIN[tool]]), JOBS[job]
    assert values[MICRO[tool]] == table.get("micro_batch", 1)
    assert values["gradient_accumulation_steps"] == table.get("grad_accum", 1)
    if job != "grpo" or tool == "axolotl":
        assert values[LENGTH[tool]] == 4096
    rank = values.get("lora_r", values.get("lora_rank"))
    assert (rank == 16) == (table["method"] != "full")
    assert ("deepspeed.json" in found) == (
        table.get("sharding", "").startswith("zero") or (tool == "llama-factory" and table.get("sharding") == "fsdp")
    )


def test_zero_stages_and_offload_reach_deepspeed():
    for job, stage in (("full-zero2", 2), ("full-zero3", 3)):
        zero = json.loads(files("deepspeed", **JOBS[job])["deepspeed.json"])["zero_optimization"]
        assert zero["stage"] == stage
        assert zero["offload_optimizer"]["device"] == "cpu"
        assert ("offload_param" in zero) == (stage == 3)


def test_fsdp_reaches_axolotl_and_accelerate():
    job = JOBS["qlora-fsdp"]
    axolotl = yaml.safe_load(files("axolotl", **job)["axolotl.yaml"])
    assert axolotl["fsdp_version"] == 2 and axolotl["fsdp_config"]["offload_params"] is True
    assert axolotl["adapter"] == "qlora" and axolotl["load_in_4bit"] is True
    assert axolotl["lora_target_modules"] == ["q_proj", "v_proj"]
    launcher = yaml.safe_load(files("trl", **job)["accelerate.yaml"])
    assert launcher["distributed_type"] == "FSDP" and launcher["num_processes"] == 2


def test_megatron_gets_its_layout():
    job = {"method": "full", "trainer": "megatron", "gpus": 8, "nodes": 8, "hardware": "h100-sxm-80gb",
           "precision": "fp8-mixed", "gradient_checkpointing": "selective", "global_batch": 256,
           "parallel": {"tp": 2, "pp": 4, "ep": 8}, "objective": "pretrain", "tokens": 1e9}  # fmt: skip
    found = files("megatron", model=V3, **job)
    values = yaml.safe_load(found["megatron.yaml"])
    sizes = {k: v for k, v in values["model"].items() if k.endswith("parallel_size")}
    assert sizes == {
        "tensor_model_parallel_size": 2,
        "pipeline_model_parallel_size": 4,
        "context_parallel_size": 1,
        "expert_model_parallel_size": 8,
    }
    assert values["train"]["global_batch_size"] == 256
    assert values["train"]["train_iters"] == round(1e9 / (256 * 4096))
    assert "mla_up_proj" in values["model"]["recompute_modules"]
    assert "#SBATCH --nodes=8" in found["train.sbatch"]


def test_ktransformers_goes_through_llama_factory():
    job = {"method": "lora", "trainer": "ktransformers", "hardware": "rtx-4090", "seq_len": 1024}
    values = yaml.safe_load(files("llama-factory", model=V3, **job)["llama-factory.yaml"])
    assert values["use_kt"] is True and values["template"] == "deepseek3"
    assert unsuitable(target("axolotl"), context(model=V3, **job))


@pytest.mark.parametrize(
    ("model", "template"),
    [
        (LLAMA, "llama3"),
        ("meta-llama/Llama-2-7b-hf", "llama2"),
        ("deepseek-ai/DeepSeek-R1-Distill-Llama-8B", "deepseekr1"),
        ("Qwen/Qwen3-8B", "qwen3"),
    ],
)
def test_chat_formats_by_model(model, template):
    values = yaml.safe_load(files("llama-factory", model=model, method="lora")["llama-factory.yaml"])
    assert values["template"] == template


HOSTILE = [
    "/models/a'b",
    '/models/a"b: c',
    "/models/$(reboot)",
    "/models/x; rm -rf ~",
    "/models/: {yaml}",
    "/m/\u202eabc",
]


@pytest.mark.parametrize("path", HOSTILE)
@pytest.mark.parametrize("tool", ["axolotl", "llama-factory", "trl", "megatron"])
def test_hostile_paths_stay_text_or_are_refused(tool, path, tmp_path):
    trainer = {"trainer": "megatron"} if tool == "megatron" else {}
    try:
        found = render(
            tool, context(Options(model_path=path), method="lora", gpus=2, nodes=2, sharding="ddp", **trainer)
        )
    except BadInput:
        return
    texts = [
        json.dumps(yaml.safe_load(text), ensure_ascii=False) for name, text in found.items() if name.endswith(".yaml")
    ]
    assert any(json.dumps(path, ensure_ascii=False) in text for text in texts)
    for name, text in found.items():
        if name.endswith((".sh", ".sbatch")):
            assert path not in text
            check_shell(tmp_path / "x.sh", text)


@pytest.mark.parametrize("partition", ["gpu; reboot", "a\nb", "$(id)"])
def test_hostile_partitions_are_refused(partition):
    with pytest.raises(BadInput):
        render("axolotl", context(Options(partition=partition), method="lora", gpus=8, nodes=2, sharding="ddp"))


def check_shell(path: Path, text: str) -> None:
    path.write_text(text)
    done = subprocess.run(["bash", "-n", str(path)], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("tool", TARGETS[:3])
def test_scripts_are_bash(tool, tmp_path):
    for job in ("lora", "dpo-nodes"):
        found = files(tool, **JOBS[job])
        for name in ("train.sh", "train.sbatch"):
            if name in found:
                check_shell(tmp_path / name, found[name])
    assert "train.sbatch" in files(tool, **JOBS["dpo-nodes"])


def test_layouts_that_a_file_cannot_say_are_refused():
    long = {"method": "full", "gpus": 8, "sharding": "fsdp", "parallel": {"cp": 8}, "hardware": "h100-sxm-80gb"}
    with pytest.raises(BadInput, match="shards data only"):
        files("llama-factory", **long)
    assert yaml.safe_load(files("axolotl", **long)["axolotl.yaml"])["context_parallel_size"] == 8
    mesh = yaml.safe_load(files("trl", **long)["accelerate.yaml"])["parallelism_config"]
    assert mesh["parallelism_config_cp_size"] == 8 and mesh["parallelism_config_dp_shard_size"] == 1
    with pytest.raises(BadInput, match="tp = 2"):
        files("trl", method="full", gpus=2, parallel={"tp": 2})


def test_fsdp2_steps_with_torchao_and_quantises_on_every_rank():
    """Axolotl 0.19 refuses bitsandbytes' optimizers over FSDP2, and 4-bit loading by one rank for all."""
    job = {"method": "qlora", "gpus": 2, "sharding": "fsdp", "optimizer": "adamw-8bit"}
    values = yaml.safe_load(files("axolotl", **job)["axolotl.yaml"])
    assert values["optimizer"] == "adamw_torch_8bit"
    assert values["fsdp_config"]["cpu_ram_efficient_loading"] is False
    alone = yaml.safe_load(files("axolotl", method="qlora", optimizer="adamw-8bit")["axolotl.yaml"])
    assert alone["optimizer"] == "adamw_bnb_8bit"


def test_muon_is_a_switch_in_one_trainer_and_unknown_to_another():
    job = {"method": "full", "optimizer": "muon", "hardware": "h200-sxm-141gb"}
    values = yaml.safe_load(files("llama-factory", **job)["llama-factory.yaml"])
    assert values["use_muon"] is True and "optim" not in values
    with pytest.raises(BadInput, match="Muon"):
        files("trl", **job)


@pytest.mark.parametrize(("card", "kernels"), [("t4-16gb", "sdpa"), ("a100-sxm-80gb", "flash_attention_2")])
def test_flash_attention_is_for_chips_that_run_it(card, kernels):
    job = {"method": "qlora", "hardware": card, "precision": "fp16-mixed"}
    assert yaml.safe_load(files("axolotl", **job)["axolotl.yaml"])["attn_implementation"] == kernels
    eager = yaml.safe_load(files("llama-factory", **job, attention="eager")["llama-factory.yaml"])
    assert eager["flash_attn"] == "disabled"


def test_rollouts_take_the_share_that_was_planned():
    job = {"model": "Qwen/Qwen3-32B", "method": "qlora", "objective": "grpo", "hardware": "h200-sxm-141gb"}
    asked = context(**job)
    planned = asked.estimate.finetune.allocated.terms["rollout"] / asked.resolved.cluster.device.memory_bytes
    assert planned > 0.3
    share = yaml.safe_load(files("trl", **job)["trl.yaml"])["vllm_gpu_memory_utilization"]
    assert share == pytest.approx(planned)


def test_megatron_names_a_recipe_or_asks_for_one():
    known = files("megatron", method="lora", trainer="megatron", gpus=8, hardware="h100-sxm-80gb")["train.sh"]
    assert "--recipe llama31_8b_peft_config" in known and "--peft_scheme lora" in known
    pretrain = {"model": V3, "method": "full", "objective": "pretrain", "trainer": "megatron", "gpus": 8, "nodes": 64}
    assert "--recipe deepseek_v3_pretrain_config" in files("megatron", hardware="h100-sxm-80gb", **pretrain)["train.sh"]
    tune = {**pretrain, "objective": "sft"}
    assert '"${RECIPE:?' in files("megatron", hardware="h100-sxm-80gb", **tune)["train.sh"]
