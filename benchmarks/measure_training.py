"""Measures a few training steps on the GPU at hand and prints them as truth cases, one a line.

    PYTHON benchmarks/measure_training.py --accelerator h100-sxm-80gb > cases.jsonl

PYTHON has torch, transformers and peft (bitsandbytes for QLoRA); no weights are needed: models are built from the
configs of ``tests/fixtures`` with random ones. Every job runs in a process of its own: its peaks and its running out
of memory are its own. ``--device cpu --layers 2`` goes through the same code without a GPU and measures no memory.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CONFIGS = Path(__file__).parent.parent / "tests" / "fixtures" / "configs"
MODELS = {
    "meta-llama/Llama-3.2-1B-Instruct": "meta-llama--Llama-3.2-1B-Instruct.json",
    "meta-llama/Llama-3.2-3B-Instruct": "meta-llama--Llama-3.2-3B-Instruct.json",
    "Qwen/Qwen3-8B": "Qwen--Qwen3-8B.json",
}
SHAPES = ((1, 1024), (4, 1024), (1, 8192), (8, 4096))
"""(samples, tokens) of a micro-batch."""
WARM, TIMED = 2, 3
"""Steps before and while the clock runs."""
OUT_OF_MEMORY = "out of memory"


def jobs(methods: list[str]) -> Iterator[dict[str, Any]]:
    """Everything that is measured."""
    for model, config in MODELS.items():
        for method in methods:
            for samples, tokens in SHAPES:
                for checkpointing in (False, True):
                    yield {"model": model, "config": config, "method": method, "micro_batch": samples,
                           "seq_len": tokens, "gradient_checkpointing": checkpointing}  # fmt: skip


def built(job: dict[str, Any], device: str, layers: int | None) -> Any:
    """The model on the device, adapters on it."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    values = json.loads((CONFIGS / job["config"]).read_text(encoding="utf-8"))
    if layers:
        values["num_hidden_layers"] = layers
        values.pop("layer_types", None)
    config = AutoConfig.for_model(values.pop("model_type"), **values)
    config._attn_implementation = "sdpa"
    with torch.device(device):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    if job["method"] == "qlora":
        model = quantised(model, device)
    if job["method"] != "full":
        from peft import LoraConfig, get_peft_model

        model = get_peft_model(model, LoraConfig(r=16, target_modules="all-linear", task_type="CAUSAL_LM"))
    if job["gradient_checkpointing"]:
        model.enable_input_require_grads()
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    return model.train()


def quantised(model: Any, device: str) -> Any:
    """Linear layers of the decoder in NF4, as loading with bitsandbytes leaves them."""
    import bitsandbytes as bnb
    import torch

    for name, module in list(model.named_modules()):
        if isinstance(module, torch.nn.Linear) and "lm_head" not in name:
            small = bnb.nn.Linear4bit(module.in_features, module.out_features, bias=module.bias is not None,
                                      compute_dtype=torch.bfloat16, quant_type="nf4")  # fmt: skip
            small.weight = bnb.nn.Params4bit(module.weight.data.cpu(), requires_grad=False, quant_type="nf4")
            parent = model.get_submodule(name.rpartition(".")[0])
            setattr(parent, name.rpartition(".")[2], small.to(device))
    return model


def measure(job: dict[str, Any], device: str, layers: int | None) -> dict[str, Any]:
    """Peaks and speed of a few steps of plain AdamW."""
    import torch

    model = built(job, device, layers)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained)
    ids = torch.randint(0, model.config.vocab_size, (job["micro_batch"], job["seq_len"]), device=device)
    started = 0.0
    for step in range(WARM + TIMED):
        if step == WARM:
            synchronised(device)
            started = time.perf_counter()
        with torch.autocast(device, torch.bfloat16, enabled=job["method"] != "full"):
            loss = model(input_ids=ids, labels=ids, use_cache=False).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    synchronised(device)
    speed = TIMED * ids.numel() / (time.perf_counter() - started)
    return {"tok_s_gpu": round(speed, 1), **(peaks() if device == "cuda" else {})}


def synchronised(device: str) -> None:
    """Wait for the GPU."""
    import torch

    if device == "cuda":
        torch.cuda.synchronize()


def peaks() -> dict[str, float]:
    """GiB by counter; the driver's now, which holds what the allocator ever took."""
    import torch

    free, total = torch.cuda.mem_get_info()
    found = {"peak_gib": torch.cuda.max_memory_allocated(), "peak_reserved_gib": torch.cuda.max_memory_reserved(),
             "peak_smi_gib": total - free}  # fmt: skip
    return {name: round(value / 2**30, 3) for name, value in found.items()}


def case(job: dict[str, Any], measured: dict[str, Any], accelerator: str) -> dict[str, Any]:
    """One line of a truth file."""
    table = {k: job[k] for k in ("method", "micro_batch", "seq_len", "gradient_checkpointing")}
    adapters = {} if job["method"] == "full" else {"lora_rank": 16, "lora_targets": "all-linear"}
    fixed = {"trainer": "transformers", "optimizer": "adamw", "precision": "bf16", "sharding": "none", "grad_accum": 1,
             "offload": "none", "packing": True, "counter": "allocated", "attention": "sdpa"}  # fmt: skip
    mode = "ckpt" if job["gradient_checkpointing"] else "plain"
    shape = f"{job['micro_batch']}x{job['seq_len']}"
    return {
        "id": f"measured-{accelerator}-{job['model'].split('/')[-1].lower()}-{job['method']}-{shape}-{mode}",
        "kind": "finetune_memory",
        "source": "benchmarks/measure_training.py",
        "deployment": {
            "model": {"id": job["model"], "config": job["config"],
                      "weights": "bnb-nf4" if job["method"] == "qlora" else "bf16"},
            "hardware": {"accelerator": accelerator, "nodes": 1, "per_node": 1},
            "finetune": {**table, **adapters, **fixed},
        },
        "measured": measured,
    }  # fmt: skip


def apart(job: dict[str, Any], args: argparse.Namespace) -> dict[str, Any]:
    """A job in a process of its own; what ran out of memory says so."""
    command = [sys.executable, __file__, "--one", json.dumps(job), "--device", args.device]
    command += ["--layers", str(args.layers)] if args.layers else []
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return dict(json.loads(done.stdout.splitlines()[-1]))
    if OUT_OF_MEMORY in done.stderr.lower():
        return {"oom": True}
    return {"error": done.stderr[-300:]}


def main() -> None:
    """Measures all jobs, or one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accelerator", default="unnamed", help="the card's id in hwdb")
    parser.add_argument("--methods", nargs="+", default=["full", "lora", "qlora"])
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--layers", type=int, help="fewer decoder layers, to try the script")
    parser.add_argument("--limit", type=int, help="only the first jobs")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(json.loads(args.one), args.device, args.layers)))
        return
    for job in list(jobs(args.methods))[: args.limit]:
        print(json.dumps(case(job, apart(job, args), args.accelerator)), flush=True)


if __name__ == "__main__":
    main()
