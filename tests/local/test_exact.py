"""A GGUF file that lies on disk: written by the reference writer, planned from its header."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import gguf
import pytest

from planner.documents.files import parse_deployment
from planner.memory.gguf import gguf_memory
from planner.memory.gguf_verdict import local_verdict
from planner.models.gguf import read_gguf
from planner.models.gguf_exact import exact_layout
from planner.resolve import resolve
from planner.resolved import Resolved
from tests.local.build import library
from tests.models_files.conftest import write_gguf

Q = gguf.GGMLQuantizationType
SHAPE = {
    "qwen3moe.embedding_length": 256,
    "qwen3moe.block_count": 2,
    "qwen3moe.context_length": 4096,
    "qwen3moe.feed_forward_length": 512,
    "qwen3moe.expert_feed_forward_length": 256,
    "qwen3moe.expert_count": 4,
    "qwen3moe.expert_used_count": 2,
    "qwen3moe.attention.head_count": 8,
    "qwen3moe.attention.head_count_kv": 2,
    "qwen3moe.attention.key_length": 32,
    "qwen3moe.attention.value_length": 32,
    "general.file_type": 15,
}
LAYER = {
    "attn_norm.weight": ((256,), Q.F32),
    "ffn_norm.weight": ((256,), Q.F32),
    "attn_q_norm.weight": ((32,), Q.F32),
    "attn_k_norm.weight": ((32,), Q.F32),
    "attn_q.weight": ((256, 256), Q.Q8_0),
    "attn_k.weight": ((64, 256), Q.Q8_0),
    "attn_v.weight": ((64, 256), Q.Q8_0),
    "attn_output.weight": ((256, 256), Q.Q8_0),
    "ffn_gate_inp.weight": ((4, 256), Q.F32),
    "ffn_gate_exps.weight": ((4, 256, 256), Q.Q4_K),
    "ffn_up_exps.weight": ((4, 256, 256), Q.Q4_K),
    "ffn_down_exps.weight": ((4, 256, 256), Q.Q6_K),
}
OUTSIDE = {"token_embd.weight": ((1000, 256), Q.Q4_K), "output_norm.weight": ((256,), Q.F32)}


def written(folder: Path, *, head: bool = True, layers: int = 2) -> Path:
    tensors = {f"blk.{n}.{name}": tensor for n in range(layers) for name, tensor in LAYER.items()} | OUTSIDE
    if head:
        tensors["output.weight"] = ((1000, 256), Q.Q6_K)
    return write_gguf(folder / "tiny.gguf", "qwen3moe", SHAPE, tensors)


def planned(path: Path, **serving: object) -> Resolved:
    document = {
        "model": {"path": str(path)},
        "hardware": {"accelerator": "rtx-4090"},
        "engine": {"name": "llama.cpp"},
        "serving": {"max_model_len": 1024, **serving},
    }
    return resolve(parse_deployment(document, "test"), library())


def test_buffers_add_up_to_the_file_byte_for_byte(tmp_path):
    path = written(tmp_path)
    memory = gguf_memory(planned(path, n_gpu_layers="all", experts_on_cpu=True))
    gpu, host = (device.weights for device in memory.devices)
    assert gpu.value + host.value == read_gguf(path).tensor_bytes
    assert gpu.low == gpu.value == gpu.high
    experts = 2 * 4 * 256 * 256 * (4.5 + 4.5 + 6.5625) / 8
    assert host.value == experts + 1000 * 256 * 4.5 / 8


def test_a_tied_file_loads_its_table_twice(tmp_path):
    path = written(tmp_path, head=False)
    memory = gguf_memory(planned(path, n_gpu_layers="all"))
    table = 1000 * 256 * 4.5 / 8
    assert sum(device.weights.value for device in memory.devices) == read_gguf(path).tensor_bytes + table


def test_a_file_without_all_layers_is_not_exact(tmp_path):
    assert exact_layout(read_gguf(written(tmp_path, layers=1)), 2) is None
    assert exact_layout(read_gguf(written(tmp_path)), 2) is not None


def test_other_weights_than_the_files_are_planned_by_their_rules(tmp_path):
    deployment = planned(written(tmp_path))
    assert deployment.gguf_layout is not None
    document = replace(deployment.deployment, model=replace(deployment.deployment.model, weights="gguf:Q8_0"))
    other = resolve(document, library())
    assert other.gguf_layout is None
    assert gguf_memory(other).disk != pytest.approx(gguf_memory(deployment).disk, rel=0.01)


def test_the_verdict_of_a_file_on_disk(tmp_path):
    deployment = planned(written(tmp_path))
    assert local_verdict(deployment, gguf_memory(deployment)) == ("fits", ())
