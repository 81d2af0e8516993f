"""Counts what autograd keeps and what a method trains, on models built from a config with random weights; no GPU.

Run by an interpreter that has torch, transformers and peft (none of them is a dependency of the planner):

    PYTHON benchmarks/count_training.py JOBS.json > COUNTED.json

A job is {"name", "config" (a config.json), "method", "targets", "rank", "autocast", "checkpointing", "tokens",
"sequences"}. The answer adds "trained" (parameters with a gradient); "layers" (bytes that each decoder layer keeps for
the backward pass, per token: storages that saved-tensor hooks see inside it, parameters apart); "outside" (kept beside
the layers: embeddings, last norm, logits, loss); "gradients" and "states" (bytes after a step of AdamW).
The fused CPU attention keeps what flash attention keeps on a GPU: Q, K, V, the output and one number per row.
"""

from __future__ import annotations

import contextlib
import json
import sys
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM

OUTSIDE = "outside"


class Held:
    """A tensor that a graph keeps; gone when the graph is."""

    def __init__(self, tensor: torch.Tensor, place: str) -> None:
        self.tensor, self.place = tensor, place


class Keeper:
    """Saved-tensor hooks that know where each tensor was saved, and whether its graph still holds it."""

    def __init__(self, model: torch.nn.Module) -> None:
        self.own = {t.untyped_storage().data_ptr() for t in (*model.parameters(), *model.buffers())}
        self.place = OUTSIDE
        self.held: list[weakref.ref[Held]] = []

    def pack(self, tensor: torch.Tensor) -> Held:
        """What autograd keeps instead of the tensor."""
        held = Held(tensor, self.place)
        self.held.append(weakref.ref(held))
        return held

    def watch(self, layers: Iterable[torch.nn.Module]) -> None:
        """Name the place while a layer runs."""
        for index, layer in enumerate(layers):
            layer.register_forward_pre_hook(lambda *_, i=index: setattr(self, "place", f"layer {i}"))
            layer.register_forward_hook(lambda *_: setattr(self, "place", OUTSIDE))

    def kept(self) -> dict[str, list[torch.Tensor]]:
        """Tensors by place, each storage once, those of parameters left out."""
        seen, found = set(self.own), {}
        for held in filter(None, (reference() for reference in self.held)):
            storage = held.tensor.untyped_storage()
            if storage.nbytes() and storage.data_ptr() not in seen:
                seen.add(storage.data_ptr())
                found.setdefault(held.place, []).append(held.tensor)
        return found


def layers_of(model: torch.nn.Module) -> Any:
    """The list of decoder layers, wherever it lies."""
    lists = [
        m
        for n, m in model.named_modules()
        if isinstance(m, torch.nn.ModuleList) and n.split(".")[-1] in ("layers", "h")
    ]
    return max(lists, key=len)


def built(job: dict[str, Any]) -> torch.nn.Module:
    """The model of a job, adapters on it."""
    values = dict(job["config"])
    config = AutoConfig.for_model(values.pop("model_type"), **values)
    config._attn_implementation = job.get("attention", "sdpa")
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(
        config, dtype=torch.float32 if job.get("weights") == "fp32" else torch.bfloat16
    )
    if job["method"] != "full":
        from peft import LoraConfig, get_peft_model

        targets = job.get("targets") or "all-linear"
        adapters = LoraConfig(r=job["rank"], target_modules=targets, use_dora=job["method"] == "dora",
                              lora_dropout=job.get("dropout", 0.0), task_type="CAUSAL_LM")  # fmt: skip
        model = get_peft_model(model, adapters)
        if job.get("checkpointing"):
            model.enable_input_require_grads()
    if job.get("checkpointing"):
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    model.train()
    return model


def count(job: dict[str, Any]) -> dict[str, Any]:
    """One step of a job, counted."""
    model = built(job)
    tokens, sequences = job["tokens"], job.get("sequences", 1)
    ids = torch.randint(0, model.config.vocab_size, (sequences, tokens))
    keeper = Keeper(model)
    keeper.watch(layers_of(model))
    autocast = torch.autocast("cpu", torch.bfloat16) if job.get("autocast") else contextlib.nullcontext()
    trained = [p for p in model.parameters() if p.requires_grad]
    with torch.autograd.graph.saved_tensors_hooks(keeper.pack, lambda held: held.tensor), autocast:
        loss = model(input_ids=ids, labels=ids, use_cache=False).loss
    kept = keeper.kept()
    if job.get("shapes"):
        show(job["name"], kept)
    sizes = {place: sum(t.untyped_storage().nbytes() for t in tensors) for place, tensors in kept.items()}
    del kept
    loss.backward()
    return {
        "trained": sum(p.numel() for p in trained),
        "layers": [sizes[f"layer {i}"] / ids.numel() for i in range(len(sizes)) if f"layer {i}" in sizes],
        "outside": sizes.get(OUTSIDE, 0) / ids.numel(),
        "gradients": sum(p.grad.nbytes for p in trained if p.grad is not None),
        "states": states_after_a_step(trained),
    }


def states_after_a_step(trained: list[torch.nn.Parameter]) -> int:
    """Bytes that AdamW keeps."""
    optimizer = torch.optim.AdamW(trained)
    optimizer.step()
    return sum(t.nbytes for s in optimizer.state.values() for t in s.values() if torch.is_tensor(t) and t.dim())


def show(name: str, kept: dict[str, list[torch.Tensor]]) -> None:
    """Every kept tensor, for a person."""
    for place, tensors in kept.items():
        print(name, place, file=sys.stderr)
        for t in tensors:
            print("   ", tuple(t.shape), t.dtype, t.untyped_storage().nbytes(), file=sys.stderr)


def main() -> None:
    """Reads jobs, writes them with their counts."""
    jobs = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for job in jobs:
        try:
            job["counted"] = count(job)
        except Exception as error:
            job["error"] = f"{type(error).__name__}: {error}"
        print(job["name"], job.get("counted") or job["error"], file=sys.stderr)
    json.dump(jobs, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
