"""Planned beside actual: what lies inside, what differs, and why."""

from __future__ import annotations

import json

import pytest

from planner.cli.main import main
from planner.documents.deployment import Deployment
from planner.documents.files import deployment_toml
from planner.errors import BadInput
from planner.library import Library
from planner.predict import predict
from planner.units import GIB
from planner.verify.run import verify_log, verify_page, verify_text
from planner.verify.verification import verify

LIBRARY = Library()
BASE = {
    "model": {"id": "meta-llama/Llama-3.1-8B-Instruct", "weights": "bf16"},
    "hardware": {"accelerator": "h100-sxm-80gb"},
    "engine": {"name": "vllm", "version": "0.19.0"},
    "serving": {"max_model_len": 16000, "gpu_memory_utilization": 0.9},
}


def deployment(**changes):
    tables = {name: {**BASE.get(name, {}), **values} for name, values in changes.items()}
    return Deployment.model_validate({"schema": "deploy-planner/deployment/1", **BASE, **tables})


def printed(document, *, version="0.19.0", length=16000, dtype="auto", free=78.7, **off):
    """A log as that engine would print it, each figure off by ``off`` GiB from the plan."""
    memory = predict(document, LIBRARY).memory
    gpu = memory.per_gpu
    size = {
        name: getattr(gpu, name).value / GIB + off.get(name, 0.0)
        for name in ("weights", "activations", "non_torch", "cuda_graphs", "kv_cache")
    }
    tokens = memory.kv_tokens.value * size["kv_cache"] / (gpu.kv_cache.value / GIB) * off.get("tokens", 1.0)
    return (
        f"(EngineCore pid=4) INFO [core.py:93] Initializing a V1 LLM engine (v{version}) with config: model='m', "
        f"dtype=torch.bfloat16, max_seq_len={length}, tensor_parallel_size=1, kv_cache_dtype={dtype}\n"
        f"(EngineCore pid=4) INFO Model loading took {size['weights']:.2f} GiB memory and 9.1 seconds\n"
        f"(EngineCore pid=4) INFO Available KV cache memory: {size['kv_cache']:.2f} GiB\n"
        f"(EngineCore pid=4) INFO GPU KV cache size: {tokens:,.0f} tokens\n"
        f"(EngineCore pid=4) INFO Maximum concurrency for {length:,} tokens per request: {tokens / length:.2f}x\n"
        f"(EngineCore pid=4) INFO Free memory on device ({free}/79.19 GiB) on startup. Desired GPU memory utilization "
        f"is (0.9, 71.27 GiB). Actual usage is {size['weights']:.2f} GiB for weight, {size['activations']:.2f} GiB for "
        f"peak activation, {size['non_torch']:.2f} GiB for non-torch memory, and {size['cuda_graphs']:.2f} GiB for "
        "CUDAGraph memory.\n(APIServer pid=1) INFO:     Application startup complete.\n"
    )


def rules(answer):
    return {reason.rule for reason in answer.reasons}


def states(answer):
    return {part.name: part.state for part in answer.parts}


def test_what_was_planned_is_as_planned():
    answer = verify(deployment(), printed(deployment()), LIBRARY)
    assert answer.outcome == "as-planned"
    assert answer.complete
    assert not answer.reasons
    assert {p.name for p in answer.parts if p.actual is not None} >= {"weights", "kv_cache", "activations", "kv_tokens"}


@pytest.mark.parametrize("part", ["weights", "kv_cache", "activations", "non_torch"])
@pytest.mark.parametrize("way", ["below", "above"])
def test_a_part_beyond_its_range_differs_and_names_its_side(part, way):
    estimate = getattr(predict(deployment(), LIBRARY).memory.per_gpu, part)
    edge = estimate.low if way == "below" else estimate.high
    off = (edge - estimate.value) / GIB * 1.05 + (0.02 if way == "above" else -0.02)
    answer = verify(deployment(), printed(deployment(), **{part: off}), LIBRARY)
    assert states(answer)[part] == way
    assert answer.outcome == "differs"


def test_graphs_are_a_difference_of_free_memory_and_do_not_count():
    answer = verify(deployment(), printed(deployment(), cuda_graphs=5.0), LIBRARY)
    assert states(answer)["cuda_graphs"] == "above"
    assert answer.outcome == "as-planned"


def test_a_pool_that_weights_ate_is_explained_by_them():
    answer = verify(deployment(), printed(deployment(), weights=1.5, kv_cache=-1.5), LIBRARY)
    assert {"weights-nearly", "pool-is-the-rest"} <= rules(answer)
    assert "weights +1.5 GiB" in next(r.message for r in answer.reasons if r.rule == "pool-is-the-rest")


def test_a_pool_that_nothing_explains_is_the_versions_overhead():
    assert "version-overhead" in rules(verify(deployment(), printed(deployment(), kv_cache=-3.0), LIBRARY))


def test_another_process_is_named_with_its_size():
    answer = verify(deployment(), printed(deployment(), free=60.0, kv_cache=-4.0), LIBRARY)
    reason = next(r for r in answer.reasons if r.rule == "other-process")
    assert "19.2 GiB of 79.2 GiB" in reason.message


def test_twice_the_weights_are_another_checkpoint():
    answer = verify(deployment(model={"weights": "fp8"}), printed(deployment()), LIBRARY)
    assert "other-weights" in rules(answer)


def test_half_the_bytes_a_token_are_an_fp8_cache():
    answer = verify(deployment(), printed(deployment(), tokens=2.0), LIBRARY)
    assert "other-kv-dtype" in rules(answer)
    named = verify(deployment(), printed(deployment(), tokens=2.0, dtype="fp8_e4m3"), LIBRARY)
    assert "other-kv-dtype" not in rules(named)
    assert [(s.key, s.actual) for s in named.settings if not s.same] == [("kv_cache_dtype", "fp8")]


def test_a_context_that_was_cut_is_said():
    answer = verify(deployment(), printed(deployment(), length=8192), LIBRARY)
    assert "other-setting" in rules(answer)
    assert [(s.key, s.planned, s.actual) for s in answer.settings if not s.same] == [("max_model_len", 16000.0, 8192.0)]


def test_another_version_is_said_and_another_engine_too():
    assert "other-version" in rules(verify(deployment(), printed(deployment(), version="0.16.0"), LIBRARY))
    answer = verify(deployment(engine={"name": "sglang", "version": "0.5.6"}), printed(deployment()), LIBRARY)
    assert "other-engine" in rules(answer)


def test_a_log_without_figures_is_unknown():
    answer = verify(deployment(), "hello\nworld\n", LIBRARY)
    assert answer.outcome == "unknown"
    assert answer.engine is None


def test_a_truncated_log_compares_what_there_is_and_says_so():
    answer = verify(deployment(), "\n".join(printed(deployment()).splitlines()[:3]), LIBRARY)
    assert answer.outcome == "as-planned"
    assert not answer.complete
    assert states(answer)["activations"] == "not-printed"


def test_failures_in_the_log_are_explained():
    text = printed(deployment()) + "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.\n"
    assert [f.rule for f in verify(deployment(), text, LIBRARY).failures] == ["out-of-memory"]


def test_metrics_give_the_pool_and_means_of_latencies():
    memory = predict(deployment(), LIBRARY).memory
    blocks = int(memory.kv_tokens.value / 16)
    page = (
        "# HELP vllm:cache_config_info Information\n# TYPE vllm:cache_config_info gauge\n"
        'vllm:cache_config_info{block_size="16",cache_dtype="auto",gpu_memory_utilization="0.9",'
        f'num_gpu_blocks="{blocks}"}} 1.0\n'
        'vllm:time_to_first_token_seconds_sum{model_name="m"} 5.0\n'
        'vllm:time_to_first_token_seconds_count{model_name="m"} 100.0\n'
        'vllm:inter_token_latency_seconds_sum{model_name="m"} 8.0\n'
        'vllm:inter_token_latency_seconds_count{model_name="m"} 1000.0\n'
    )
    answer = verify(deployment(), page, LIBRARY)
    parts = {part.name: part for part in answer.parts}
    assert parts["kv_tokens"].actual == blocks * 16
    assert parts["ttft_s"].actual == pytest.approx(0.05)
    assert parts["tpot_s"].actual == pytest.approx(0.008)
    assert not parts["ttft_s"].gates
    assert answer.outcome == "as-planned"


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "d.toml").write_text(deployment_toml(deployment()), encoding="utf-8")
    (tmp_path / "good.log").write_text(printed(deployment()), encoding="utf-8")
    (tmp_path / "bad.log").write_text(printed(deployment(), activations=1.0, kv_cache=-1.0), encoding="utf-8")
    return tmp_path


def run(files, capsys, *options):
    code = main(["verify", str(files / "d.toml"), *options])
    return code, capsys.readouterr()


def test_exit_codes_and_table(files, capsys):
    code, out = run(files, capsys, "--log", str(files / "good.log"))
    assert (code, out.err) == (0, "")
    assert out.out.startswith("OK  as planned")
    code, out = run(files, capsys, "--log", str(files / "bad.log"))
    assert code == 3
    assert "likely reasons" in out.out
    assert run(files, capsys, "--log", str(files / "none.log"))[0] == 2
    assert run(files, capsys)[0] == 2


@pytest.mark.parametrize("verb", ["verify", "doctor"])
def test_a_document_without_hardware_is_refused_with_the_key(files, capsys, verb):
    (files / "d.toml").write_text('schema = "deploy-planner/deployment/1"\n[model]\nid = "Qwen/Qwen3-8B"\n')
    options = ["--log", str(files / "good.log")] if verb == "verify" else []
    assert main([verb, str(files / "d.toml"), *options]) == 2
    assert "[hardware] accelerator" in capsys.readouterr().err


def test_json_is_one_document(files, capsys):
    code, out = run(files, capsys, "--log", str(files / "bad.log"), "--json")
    document = json.loads(out.out)
    assert code == 3
    assert document["schema"] == "deploy-planner/verification/1"
    assert document["outcome"] == "differs"
    part = next(p for p in document["parts"] if p["name"] == "activations")
    assert part["planned"]["low"] <= part["planned"]["value"] < part["actual"]


def test_calibration_is_used_says_so_and_can_be_forgotten(files, capsys):
    code, _ = run(files, capsys, "--log", str(files / "bad.log"), "--calibrate")
    assert code == 3
    kept = files / "config" / "deploy-planner" / "calibration.toml"
    assert kept.is_file()
    code, out = run(files, capsys, "--log", str(files / "bad.log"))
    assert code == 0, out.out
    assert main(["estimate", str(files / "d.toml"), "--json"]) == 0
    estimate = json.loads(capsys.readouterr().out)
    activations = estimate["memory"]["per_gpu"]["activations"]
    assert activations["origin"] == "measured"
    assert "measured here" in estimate["assumed"]["calibration"]
    assert main(["verify", "--forget"]) == 0
    assert not kept.exists()
    assert main(["verify", "--forget"]) == 0
    capsys.readouterr()
    assert run(files, capsys, "--log", str(files / "bad.log"))[0] == 3


def test_calibrating_twice_is_calibrating_once(files, capsys):
    kept = files / "config" / "deploy-planner" / "calibration.toml"
    run(files, capsys, "--log", str(files / "bad.log"), "--calibrate")
    first = kept.read_text(encoding="utf-8")
    run(files, capsys, "--log", str(files / "bad.log"), "--calibrate")
    assert kept.read_text(encoding="utf-8") == first


@pytest.mark.parametrize("off", [{"version": "0.16.0"}, {"free": 50.0}, {"weights": 15.0}])
def test_a_run_that_was_another_is_not_kept(files, capsys, off):
    (files / "other.log").write_text(printed(deployment(), kv_cache=-2.0, **off), encoding="utf-8")
    _, out = run(files, capsys, "--log", str(files / "other.log"), "--calibrate")
    assert "nothing was kept" in out.err
    assert not (files / "config" / "deploy-planner" / "calibration.toml").exists()


@pytest.mark.parametrize("text", ["rows = 3", "[[rows]]\nengine = 'x'\nranks = -1", "\x00", "[[rows]]\nnope = 1"])
def test_a_spoilt_calibration_is_said_and_can_be_forgotten(files, capsys, text):
    kept = files / "config" / "deploy-planner" / "calibration.toml"
    kept.parent.mkdir(parents=True)
    kept.write_text(text, encoding="utf-8")
    assert run(files, capsys, "--log", str(files / "good.log"))[0] == 2
    assert main(["verify", "--forget"]) == 0
    capsys.readouterr()
    assert run(files, capsys, "--log", str(files / "good.log"))[0] == 0


def test_front_ends_get_the_same_answer_from_text_file_and_page(tmp_path):
    """One call each; pasted text is a log or a page, whichever it looks like."""
    document = deployment()
    text = printed(document)
    (tmp_path / "good.log").write_text(text, encoding="utf-8")
    by_text, by_file = verify_text(document, text, LIBRARY), verify_log(document, str(tmp_path / "good.log"), LIBRARY)
    assert by_text == by_file and by_text.outcome == "as-planned"
    page = "# HELP vllm:cache_config_info x\n# TYPE vllm:cache_config_info gauge\n"
    page += 'vllm:cache_config_info{block_size="16",cache_dtype="auto",num_gpu_blocks="100"} 1.0\n'
    (tmp_path / "metrics").write_text(page, encoding="utf-8")
    assert verify_text(document, page, LIBRARY) == verify_page(document, str(tmp_path / "metrics"), LIBRARY)
    with pytest.raises(BadInput, match="Prometheus"):
        verify_page(document, str(tmp_path / "good.log"), LIBRARY)


def test_calibration_on_request_is_kept_by_the_same_call(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    document = deployment()
    answer = verify_text(document, printed(document, activations=1.0, kv_cache=-1.0), LIBRARY, calibrate=True)
    assert "kept for vllm 0.19" in answer.calibration
    assert (tmp_path / "deploy-planner" / "calibration.toml").is_file()
