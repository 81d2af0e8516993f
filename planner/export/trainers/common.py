"""What the files of every trainer share: names of modules, learning rate, launch words, refusals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from planner.data import read_toml
from planner.documents.deployment import FinetuneTable
from planner.errors import BadInput
from planner.export.target import Context
from planner.memory.finetune_adapters import targeted
from planner.memory.finetune_job import PAIRED, Job, job_of
from planner.models.architecture import Architecture
from planner.models.parameters import all_tensors
from planner.units import human_bytes

_FILE = "export/trainers/facts.toml"
OUTPUT = "output"
ON_TRANSFORMERS = ("axolotl", "llama-factory", "trl", "transformers", "unsloth", "torchtune", "unnamed")
"""Trainers whose jobs mean the same to each other: all run transformers' models under its arguments."""
OLDEST_FLASH = (8, 0)
ATTENTION = {"flash": "flash_attention_2", "sdpa": "sdpa", "eager": "eager"}
"""Names in transformers."""
WARMUP_SHARE = 0.03
DEEPSPEED_FILE = "deepspeed.json"


@dataclass(frozen=True)
class TrainingFileFacts:
    """A training job as exporters see it."""

    context: Context

    @cached_property
    def job(self) -> Job:
        return job_of(self.context.resolved)

    @property
    def table(self) -> FinetuneTable:
        return self.job.table

    @cached_property
    def model(self) -> str:
        """Where the base lies."""
        return self.context.location.path

    @property
    def is_deepspeed(self) -> bool:
        return self.job.sharding.startswith("zero")

    @property
    def is_fsdp(self) -> bool:
        return self.job.sharding == "fsdp"

    @cached_property
    def precision(self) -> str:
        """bf16 fp16 or fp32, as trainers of transformers mix it."""
        name = self.table.precision
        return "fp32" if name == "fp32" else "fp16" if name.startswith("fp16") else "bf16"

    @cached_property
    def pure(self) -> bool:
        """Weights themselves are 16-bit, without an fp32 master."""
        return self.table.precision in ("bf16", "fp16")

    @property
    def fp8(self) -> bool:
        return "fp8" in self.table.precision

    @cached_property
    def learning_rate(self) -> float:
        """The usual one for method and objective."""
        kind = "adapters" if self.job.adapters else "full"
        objective = "dpo" if self.table.objective in PAIRED else self.table.objective
        rates: dict[str, float] = read_toml(_FILE)["learning_rate"]
        return rates.get(f"{kind}_{objective}", rates[kind])

    def optimizer(self, *, fsdp: bool = False) -> str:
        """Its name in transformers, over shards of FSDP2 where said. Raises BadInput for one without a name."""
        table = read_toml(_FILE)
        names: dict[str, str] = {**table["optimizer"], **(table["optimizer_fsdp"] if fsdp else {})}
        if self.job.optimizer not in names:
            raise BadInput("finetune.optimizer", f"{self.job.optimizer[:60]!r} has no name in this trainer")
        return names[self.job.optimizer]

    @cached_property
    def template(self) -> str:
        """LLaMA-Factory's name of the chat format; "default" where none is known."""
        resolved = self.context.resolved
        names = [self.context.deployment.model.id or "", resolved.model_id]
        rows = read_toml(_FILE)["template"]
        return next((str(row["name"]) for row in rows if _speaks(row, names, resolved.architecture)), "default")

    def recipe(self, stage: str) -> str | None:
        """Megatron-Bridge's recipe of the model for pretrain, sft or peft; None where it has none."""
        names = [self.context.deployment.model.id or "", self.context.resolved.model_id]
        rows = [row for row in read_toml(_FILE)["recipe"] if row.get("only", stage) == stage]
        found = next((row["name"] for row in rows if _speaks(row, names, self.job.architecture)), None)
        return f"{found}_{stage}_config" if found else None

    @property
    def data_path(self) -> str:
        return str(read_toml(_FILE)["data"]["path"])

    @property
    def data_name(self) -> str:
        return str(read_toml(_FILE)["data"]["name"])

    @property
    def all_linear(self) -> bool:
        return isinstance(self.job.lora_targets, str)

    @property
    def head_too(self) -> bool:
        return isinstance(self.job.lora_targets, str) and "+head" in self.job.lora_targets

    @cached_property
    def modules(self) -> list[str]:
        """Last parts of the targeted modules' names, as this model spells them."""
        found = {
            tensor.module.rsplit(".", 1)[-1]
            for tensor, _ in all_tensors(self.job.architecture)
            if targeted(tensor, self.job.lora_targets)
        }
        return sorted(found)

    @property
    def alpha(self) -> int:
        """Twice the rank, as most recipes have it."""
        return 2 * self.job.lora_rank

    @cached_property
    def warmup_steps(self) -> int | None:
        """Three in a hundred of the optimizer steps, where the dataset's length is known."""
        table, tokens = self.table, self.table.tokens
        if not tokens:
            return None
        batch = table.global_batch or table.micro_batch * self.job.accumulates * self.job.data
        steps = tokens * table.epochs / (batch * table.seq_len)
        return max(1, round(WARMUP_SHARE * steps))

    @cached_property
    def attention(self) -> str:
        """flash, sdpa or eager; flash-attention's kernels need a chip of 2020 or later."""
        row = self.job.cluster.device.accelerator
        capability = row.compute_capability if row else None
        old = capability is not None and capability < OLDEST_FLASH
        return "sdpa" if self.table.attention == "flash" and old else self.table.attention

    @property
    def gpus(self) -> int:
        return self.job.gpus

    def comment(self, what: str) -> str:
        """First lines of a file: what it is, and what the planner expects of it."""
        lines = [f"{what}. Samples belong into {self.data_path}, one JSON object a line."]
        result = self.context.estimate.finetune
        if result is not None:
            lines.append(f"Expected peak per GPU: {human_bytes(result.allocated.value)} allocated.")
        if result is not None and result.tok_s is not None and math.isfinite(result.tok_s.value):
            lines.append(f"Expected speed: {result.tok_s.value:,.0f} tokens/s on {self.gpus} GPUs.")
        return "\n".join(lines)


def facts_of(context: Context) -> TrainingFileFacts:
    """The job behind a context. Raises BadInput when it is none."""
    if context.deployment.finetune is None:
        raise BadInput("finetune", "the document is no training job", "add [finetune]")
    return TrainingFileFacts(context)


def refuse_layouts(facts: TrainingFileFacts, trainer: str, able: Sequence[str] = ()) -> None:
    """Raises BadInput for a kind of parallelism that a trainer's file cannot say: it would be dropped in silence."""
    for kind in ("tp", "pp", "cp", "ep", "vp"):
        ways = getattr(facts.job.parallel, kind)
        if ways > 1 and kind not in able:
            can = f"it has {', '.join(able)}" if able else "it shards data only"
            raise BadInput(f"finetune.parallel.{kind}", f"{trainer} has no {kind} = {ways}: {can}", f"set {kind} = 1")


def without(values: dict[str, Any]) -> dict[str, Any]:
    """The same mapping without what is None."""
    return {key: value for key, value in values.items() if value is not None}


def _speaks(row: Mapping[str, Any], names: Sequence[str], architecture: Architecture) -> bool:
    """Whether a row of chat formats is about this model."""
    if any(fnmatchcase(name.lower(), pattern) for name in names for pattern in row.get("ids", [])):
        return True
    same = architecture.model_type in row.get("types", [])
    return same and row.get("vocab", architecture.vocab_size) == architecture.vocab_size
