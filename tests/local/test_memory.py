from __future__ import annotations

import math
from dataclasses import replace

import pytest

from planner.documents.result import ServingMemory
from planner.memory.gguf import gguf_memory
from planner.memory.gguf_buffers import placement_of, sizes_of, with_context
from planner.memory.gguf_place import HOST, place
from planner.models.gguf_layout import gguf_layout
from planner.resolved import Resolved
from planner.units import GIB, MIB
from tests.local.build import (
    GEMMA_26B,
    GEMMA_E2B,
    HYBRID_27B,
    LLAMA_8B,
    LLAMA_70B,
    QWEN_30B,
    QWEN_235B,
    R1,
    architecture,
    resolved,
)  # fmt: skip


def total(memory: ServingMemory, part: str) -> float:
    return sum(getattr(device, part).value for device in memory.devices if getattr(device, part))


def gpu_layers(deployment: Resolved) -> int:
    return placement_of(deployment, sizes_of(deployment)).gpu_layers


def test_kv_cache_by_type_is_what_the_log_prints():
    """Qwen3-235B at 32k: 6016 MiB in f16, 3196 in q8_0 (34 bytes per 32), 1692 in q4_0."""
    for kind, printed in (("fp16", 6016), ("q8_0", 3196), ("q4_0", 1692)):
        deployment = resolved(QWEN_235B, "Q8_0", "rtx-a6000", serving={"max_model_len": 32768, "kv_cache_dtype": kind})
        assert total(gguf_memory(deployment), "kv_cache") == printed * MIB


def test_latent_cache_is_68_kib_a_token_and_full_heads_are_seventy_times_that():
    kept = {"serving": {"max_model_len": 8192, "n_gpu_layers": "all"}}
    latent = gguf_memory(resolved(R1, "Q4_K_M", engine={"version": "b9000"}, **kept))
    assert latent.kv_bytes_per_token == 61 * 576 * 2
    kept["serving"]["mla"] = False
    full = gguf_memory(resolved(R1, "Q4_K_M", **kept))
    assert full.kv_bytes_per_token == 61 * 128 * (192 + 128) * 2


def test_early_builds_keep_values_beside_the_latent():
    old = gguf_memory(resolved(R1, "Q4_K_M", engine={"version": "b6000"}))
    assert old.kv_bytes_per_token == 61 * (576 + 512) * 2


def test_sliding_layers_keep_window_plus_batch():
    """Printed for this model: 600 MiB of sliding cells at ubatch 2048 and one slot, 160 MiB of full ones."""
    serving = {"max_model_len": 8192, "ubatch": 2048, "parallel": 1}
    assert total(gguf_memory(resolved(GEMMA_26B, "Q4_0", serving=serving)), "kv_cache") == (600 + 160) * MIB


def test_recurrent_state_is_kept_per_slot_in_fp32():
    """Printed for this model: 598.5 MiB for four slots."""
    memory = gguf_memory(resolved(HYBRID_27B, "Q4_K_M", "rtx-5090", serving={"parallel": 4}))
    assert total(memory, "recurrent") == pytest.approx(598.5 * MIB, rel=1e-3)
    assert gguf_memory(resolved()).devices[0].recurrent is None


def test_logits_decide_the_compute_buffer_of_the_last_gpu():
    """Printed for this model by b7342: 300.75 MiB on the GPU, ubatch × 4 × (vocabulary + hidden), 132 on the host."""
    serving = {"max_model_len": 65536, "n_gpu_layers": "all"}
    memory = gguf_memory(resolved(QWEN_30B, "Q8_0", "a100-pcie-40gb", serving=serving, engine={"version": "b7342"}))
    assert memory.devices[0].compute.value == 300.75 * MIB
    assert memory.devices[-1].compute.value == pytest.approx(132 * MIB, rel=0.01)


def test_attention_scores_take_over_without_flash_attention():
    serving = {"max_model_len": 131072, "n_gpu_layers": "all", "flash_attention": False}
    with_scores = gguf_memory(resolved(LLAMA_8B, serving=serving))
    assert with_scores.devices[0].compute.value > 32 * 131072 * 512 * 4


def test_weights_over_devices_are_the_file_and_a_tied_table_twice():
    for name, tied in ((LLAMA_70B, False), (GEMMA_E2B, True)):
        layout = gguf_layout(architecture(name), "gguf:Q4_K_M")
        for serving in ({"n_gpu_layers": "all"}, {"n_gpu_layers": 20}, {"n_gpu_layers": "all", "split_mode": "row"}):
            memory = gguf_memory(resolved(name, hardware={"per_node": 4}, serving=serving))
            again = layout.head_bytes if tied else 0
            assert total(memory, "weights") == pytest.approx(layout.file_bytes + again)


def test_layers_are_spread_evenly_and_the_last_gpu_has_the_output():
    placement = place(80, 4, 81, 0)
    assert [placement.layers.count(device) for device in range(4)] == [21, 20, 20, 19]
    assert placement.head == 3
    assert place(80, 4, 8, 0).layers.count(HOST) == 73
    assert place(80, 0, 81, 0).layers == (HOST,) * 80


def test_experts_of_the_first_layers_stay_on_the_host():
    placement = place(48, 2, 49, 10)
    assert placement.experts[:10] == (HOST,) * 10
    assert HOST not in placement.experts[10:]
    assert placement.host_experts == 10


def test_fit_uses_all_of_the_card_and_no_more():
    for gib in (6, 8, 12, 16, 24, 32, 48):
        deployment = resolved(LLAMA_70B, hardware={"memory_bytes": gib * GIB})
        memory = gguf_memory(deployment)
        assert memory.per_gpu.total.value <= gib * GIB
        layers = gpu_layers(deployment)
        forced = replace(deployment, serving=replace(deployment.serving, n_gpu_layers=min(81, layers + 2)))
        if layers < 80:
            assert gguf_memory(forced).per_gpu.total.value > (gib - 1) * GIB


def test_more_memory_never_moves_layers_to_the_host():
    found = [gpu_layers(resolved(LLAMA_70B, hardware={"memory_bytes": gib * GIB})) for gib in range(4, 64, 4)]
    assert found == sorted(found)
    assert found[0] < 10
    assert found[-1] == 81


def test_a_mixture_keeps_attention_on_the_gpu_and_moves_experts():
    deployment = resolved(QWEN_235B)
    placement = placement_of(deployment, sizes_of(deployment))
    assert placement.gpu_layers == 95
    assert 0 < placement.host_experts < 94


def test_context_nobody_named_is_shortened_until_all_fits():
    named = resolved(LLAMA_8B)
    free = replace(
        named,
        serving=replace(named.serving, max_model_len=131072),
        assumed={"serving.max_model_len": 131072},
        cluster=replace(named.cluster, device=replace(named.cluster.device, memory_bytes=12 * GIB)),
    )
    chosen = with_context(free)
    assert 4096 < chosen.serving.max_model_len < 131072
    assert gpu_layers(chosen) == 33
    assert gguf_memory(free).kv_tokens.value == chosen.serving.max_model_len
    assert with_context(named) is named


def test_without_a_gpu_everything_lies_in_ram():
    memory = gguf_memory(resolved(card="cpu", hardware={"host": {"ram_bytes": 32 * GIB}}))
    assert [device.device for device in memory.devices] == ["CPU"]
    assert memory.per_gpu.capacity.value == 32 * GIB
    assert memory.host_ram is not None
    assert memory.host_ram.value > memory.per_gpu.weights.value


@pytest.mark.parametrize("tokens", [1, 255, 257, 10**12])
def test_any_length_is_answered(tokens):
    memory = gguf_memory(resolved(LLAMA_8B, serving={"max_model_len": tokens}))
    assert memory.kv_tokens.value >= tokens
    assert math.isfinite(memory.per_gpu.total.high)
    assert memory.per_gpu.kv_cache.value + total(memory, "kv_cache") >= 131072 * tokens


def test_devices_are_named_as_the_log_names_them():
    def names(card: str, **tables: object) -> list[str]:
        return [device.device for device in gguf_memory(resolved(card=card, **tables)).devices]

    assert names("rtx-3090", hardware={"per_node": 2}) == ["CUDA0", "CUDA1", "CPU"]
    assert names("rx-7900-xtx") == ["ROCm0", "CPU"]
    assert names("rx-7900-xtx", engine={"backend": "vulkan"}) == ["Vulkan0", "CPU"]
    assert names("apple-m4-pro")[0] == "Metal"


@pytest.mark.parametrize("name", [LLAMA_8B, QWEN_30B, R1])
@pytest.mark.parametrize("card", ["cpu", "rtx-a6000"])
def test_an_unnamed_build_covers_named_ones(name, card):
    """Builds of 2025 keep the logits of a micro-batch, current ones do not: without a name the range holds both."""
    unnamed = gguf_memory(resolved(name, card=card, serving={"parallel": 1, "flash_attention": True}))
    for build in ("b8900", "b11549"):
        serving = {"parallel": 1, "flash_attention": True}
        named = gguf_memory(resolved(name, card=card, serving=serving, engine={"version": build}))
        for wide, known in zip(unnamed.devices, named.devices, strict=True):
            assert wide.compute is not None
            assert known.compute is not None
            assert wide.compute.low <= known.compute.value <= wide.compute.high, build
