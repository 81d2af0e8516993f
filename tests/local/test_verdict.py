from __future__ import annotations

from dataclasses import replace

from planner.memory.gguf import gguf_memory
from planner.memory.gguf_verdict import local_verdict
from planner.units import GIB
from tests.local.build import LLAMA_8B, LLAMA_70B, QWEN_235B, resolved


def verdict(deployment):
    return local_verdict(deployment, gguf_memory(deployment))


def test_a_model_that_fits_the_card_fits_whatever_the_host():
    assert verdict(resolved(LLAMA_8B)) == ("fits", ())


def test_half_a_model_on_a_host_of_unknown_size_is_unknown():
    assert verdict(resolved(LLAMA_70B, card="rtx-4070-ti"))[0] == "unknown"


def test_forced_layers_that_do_not_fit_get_ways_out_that_do():
    deployment = resolved(LLAMA_70B, serving={"n_gpu_layers": "all", "max_model_len": 8192})
    said, findings = verdict(deployment)
    assert said == "does-not-fit"
    assert 1 <= len(findings) <= 3
    for finding in findings:
        assert finding.rule == "does-not-fit"
        assert finding.change


def test_every_way_out_fits():
    host = {"host": {"ram_bytes": 64 * GIB}}
    deployment = resolved(LLAMA_8B, "Q8_0", serving={"n_gpu_layers": "all", "max_model_len": 131072}, hardware=host)
    said, findings = verdict(deployment)
    assert said == "does-not-fit"
    keys = {key for finding in findings for key in finding.change}
    assert keys & {"serving.n_gpu_layers", "serving.max_model_len", "serving.kv_cache_dtype", "model.weights"}
    for finding in findings:
        serving = {k.partition(".")[2]: v for k, v in finding.change.items() if k.startswith("serving.")}
        changed = replace(deployment, serving=replace(deployment.serving, **serving))
        scheme = finding.change.get("model.weights")
        if scheme:
            changed = replace(changed, quantization=replace(changed.quantization, scheme=scheme))
        assert verdict(changed)[0] in ("fits", "tight"), finding


def test_a_host_too_small_is_named():
    host = {"host": {"ram_bytes": 16 * GIB}}
    said, findings = verdict(resolved(QWEN_235B, hardware=host, serving={"experts_on_cpu": True}))
    assert said == "does-not-fit"
    assert "the host" in findings[0].message


def test_nothing_helps_a_model_far_too_large():
    host = {"host": {"ram_bytes": 4 * GIB}}
    said, findings = verdict(resolved(QWEN_235B, card="cpu", hardware=host))
    assert said == "does-not-fit"
    assert findings[0].fix


def test_gpu_and_cpu_take_from_the_same_memory():
    """Half on each side of one memory is no more room than the memory has."""
    serving = {"n_gpu_layers": 40}
    apart = resolved(LLAMA_70B, card="rtx-5090", hardware={"host": {"ram_bytes": 64 * GIB}}, serving=serving)
    shared = resolved(LLAMA_70B, card="apple-m4-pro", hardware={"memory_bytes": 32 * GIB}, serving=serving)
    assert verdict(apart)[0] == "fits"
    assert verdict(shared)[0] == "does-not-fit"
