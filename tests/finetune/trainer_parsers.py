"""Reads a trainer's files with the trainer's own parser; run by an interpreter that has it.

``python trainer_parsers.py TOOL FOLDER...`` prints a JSON object: {"version": …, "problems": [...]} or {"missing": …}.
Not imported by the planner or its tests.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
from pathlib import Path

os.environ.update(
    {"DISABLE_VERSION_CHECK": "1", "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "WANDB_DISABLED": "true"}
)


def read_yaml(path: Path) -> dict:
    import yaml

    return yaml.safe_load(path.read_text())


def axolotl(folder: Path) -> list[str]:
    import types

    from axolotl.integrations.base import PluginManager
    from axolotl.integrations.config import merge_input_args
    from axolotl.utils.schemas.fsdp import FSDPConfig
    from axolotl.utils.schemas.trl import TRLConfig
    from axolotl.utils.schemas.vllm import VllmConfig

    sys.modules.setdefault("ring_flash_attn", types.ModuleType("ring_flash_attn"))  # its kernels need a GPU to import
    values = read_yaml(folder / "axolotl.yaml")
    for plugin in values.get("plugins", []):
        PluginManager.get_instance().register(plugin)
    from axolotl.utils.schemas.config import AxolotlInputConfig

    model = merge_input_args()[1] if values.get("plugins") else AxolotlInputConfig
    problems = [f"unknown key {key}" for key in values if key not in model.model_fields]
    checked = model(**values)
    if checked.micro_batch_size != values["micro_batch_size"]:
        problems.append("micro_batch_size was not taken")
    for key, section in (("fsdp_config", FSDPConfig), ("trl", TRLConfig), ("vllm", VllmConfig)):
        problems += [f"unknown {key} key {name}" for name in values.get(key, {}) if name not in section.model_fields]
    return problems


def llama_factory(folder: Path) -> list[str]:
    """LLaMA-Factory refuses unknown keys itself; what it asks of the machine is answered for it."""
    import llamafactory
    import torch
    from llamafactory.hparams import parser as module
    from transformers import TrainingArguments

    torch.cuda.is_available = lambda: True
    torch.cuda.is_bf16_supported = lambda *a, **k: True
    TrainingArguments._validate_args = lambda self: None
    values = read_yaml(folder / "llama-factory.yaml")
    if "deepspeed" in values:
        values["deepspeed"] = None
    for name in ("_verify_model_args", "_check_extra_dependencies"):
        if hasattr(module, name) and name == "_check_extra_dependencies":
            setattr(module, name, lambda *a, **k: None)
    parsed = module._parse_train_args(
        {**values, "bf16": False, "fp16": False, "use_cpu": True, "output_dir": "/tmp/out"}
    )
    model, data, training, tuning, _ = parsed
    problems = []
    source = (Path(llamafactory.__file__).parent / "data" / "template.py").read_text()
    if f'name="{data.template}"' not in source:
        problems.append(f"unknown template {data.template}")
    if training.per_device_train_batch_size != values["per_device_train_batch_size"]:
        problems.append("per_device_train_batch_size was not taken")
    if tuning.finetuning_type != values["finetuning_type"] or model.model_name_or_path != values["model_name_or_path"]:
        problems.append("method or model was not taken")
    info = json.loads((folder / "dataset_info.json").read_text())
    problems += [f"dataset {name} has no entry" for name in data.dataset or [] if name not in info]
    return problems


def trl(folder: Path) -> list[str]:
    import dataclasses

    from trl import DPOConfig, GRPOConfig, ModelConfig, ScriptArguments, SFTConfig

    values = read_yaml(folder / "trl.yaml")
    command = next(w for w in (folder / "train.sh").read_text().split() if w.startswith("trl.scripts.")).split(".")[-1]
    config = {"sft": SFTConfig, "dpo": DPOConfig, "grpo": GRPOConfig}[command]
    names = {c: {f.name for f in dataclasses.fields(c)} for c in (config, ModelConfig, ScriptArguments)}
    problems = [f"unknown key {key}" for key in values if not any(key in found for found in names.values())]
    ModelConfig(**{k: v for k, v in values.items() if k in names[ModelConfig]})
    ScriptArguments(**{k: v for k, v in values.items() if k in names[ScriptArguments] and k not in names[config]})
    machine = {"bf16": False, "fp16": False, "use_cpu": True, "use_vllm": False, "use_liger_kernel": False}
    taken = {k: v for k, v in values.items() if k in names[config] and k not in names[ModelConfig]}
    machine = {k: v for k, v in machine.items() if k in names[config]}
    optim = taken.pop("optim")
    from transformers.training_args import OptimizerNames

    OptimizerNames(optim)
    for key in ("vllm_mode", "vllm_gpu_memory_utilization", "vllm_tensor_parallel_size"):
        taken.pop(key, None)
    if command == "grpo":
        taken["num_generations"] = taken["per_device_train_batch_size"] * taken["gradient_accumulation_steps"]
        if taken["num_generations"] < 2:
            taken.pop("num_generations")
            taken["gradient_accumulation_steps"] = 8
    config(**{**taken, **machine})
    return problems + accelerate(folder)


def accelerate(folder: Path) -> list[str]:
    from accelerate.commands.config.config_args import ClusterConfig

    path = folder / "accelerate.yaml"
    config = ClusterConfig.from_yaml_file(yaml_file=str(path))
    values = read_yaml(path)
    problems = [] if config.num_processes == values["num_processes"] else ["num_processes was not taken"]
    from accelerate.commands.launch import launch_command_parser

    known = {action.dest for action in launch_command_parser()._actions}
    given = [*values.get("fsdp_config", {}), *values.get("parallelism_config", {})]
    return problems + [f"unknown key {key}" for key in given if key not in known]


def deepspeed(folder: Path) -> list[str]:
    from deepspeed.runtime.config import DeepSpeedConfig

    values = json.loads((folder / "deepspeed.json").read_text())
    if "auto" in json.dumps(values):
        values = {key: value for key, value in values.items() if value != "auto"}
        zero = values["zero_optimization"]
        values["zero_optimization"] = {key: value for key, value in zero.items() if value != "auto"}
        values["train_batch_size"] = 8
    world = values["train_batch_size"] // (
        values.get("train_micro_batch_size_per_gpu", 1) * values.get("gradient_accumulation_steps", 1)
    )
    import deepspeed.comm

    deepspeed.comm.get_rank = lambda *a, **k: 0
    deepspeed.comm.get_world_size = lambda *a, **k: world
    config = DeepSpeedConfig(values)
    stage = config.zero_config.stage
    return [] if stage == values["zero_optimization"]["stage"] else [f"stage {stage} was taken"]


def fields_of(path: Path, *names: str) -> set[str]:
    """Annotated fields of classes in a source file, without running it: Megatron needs a GPU's libraries."""
    import ast

    classes = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ClassDef) and n.name in names]
    return {s.target.id for c in classes for s in c.body if isinstance(s, ast.AnnAssign)}


def megatron(folder: Path) -> list[str]:
    from importlib.metadata import distribution

    bridge = Path(distribution("megatron-bridge").locate_file("megatron/bridge"))
    core = bridge.parent / "core"
    values = read_yaml(folder / "megatron.yaml")
    transformer = core / "transformer" / "transformer_config.py"
    config = bridge / "training" / "config.py"
    known = {
        "model": fields_of(transformer, "TransformerConfig", "MLATransformerConfig")
        | fields_of(core / "model_parallel_config.py", "ModelParallelConfig")
        | fields_of(bridge / "models" / "gpt_provider.py", "GPTModelProvider"),
        "train": fields_of(config, "TrainingConfig"),
        "optimizer": fields_of(core / "optimizer" / "optimizer_config.py", "OptimizerConfig"),
        "checkpoint": fields_of(config, "CheckpointConfig"),
        "peft": fields_of(bridge / "peft" / "lora.py", "LoRA") & fields_of(bridge / "peft" / "dora.py", "DoRA"),
        "dataset": {"dataset_root", "blend"},
    }
    problems = [f"unknown section {name}" for name in values if name not in (*known, "mixed_precision")]
    problems += [f"unknown {n}.{key}" for n, fields in known.items() for key in values.get(n, {}) if key not in fields]
    if f"def {values['mixed_precision']}()" not in (bridge / "training" / "mixed_precision.py").read_text():
        problems.append(f"unknown precision {values['mixed_precision']}")
    for module in values["model"].get("recompute_modules", []):
        if f'"{module}"' not in transformer.read_text():
            problems.append(f"unknown module to recompute {module}")
    words = (folder / "train.sh").read_text().split()
    named = words[words.index("--recipe") + 1]
    recipes = "".join(path.read_text() for path in (bridge / "recipes").rglob("*.py"))
    if named != '"${RECIPE}"' and f"def {named}(" not in recipes:
        problems.append(f"unknown recipe {named}")
    return problems


TOOLS = {
    "megatron": ("megatron-bridge", megatron),
    "axolotl": ("axolotl", axolotl),
    "llama-factory": ("llamafactory", llama_factory),
    "trl": ("trl", trl),
    "deepspeed": ("deepspeed", deepspeed),
}


def main() -> None:
    name, folders = sys.argv[1], [Path(argument) for argument in sys.argv[2:]]
    package, check = TOOLS[name]
    answer, sys.stdout = sys.stdout, sys.stderr
    try:
        version = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        answer.write(json.dumps({"missing": package}) + "\n")
        return
    problems = []
    for folder in folders:
        try:
            found = check(folder)
        except ImportError as error:
            answer.write(json.dumps({"missing": f"{package}: {error}"}) + "\n")
            return
        except Exception as error:
            found = [f"{type(error).__name__}: {error}"]
        problems += [f"{folder.name}: {problem}" for problem in found]
    answer.write(json.dumps({"version": version, "problems": problems}) + "\n")


main()
