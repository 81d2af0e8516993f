"""Every shape × every target that suits it: renders, is read by the formats' own readers, holds nothing foreign."""

from __future__ import annotations

import json
import re
from functools import cache
from itertools import chain
from typing import Any

import pytest
import yaml

from planner.errors import BadInput, UnknownName
from planner.export.bundle import mode_of, render_bundle, target_files
from planner.export.checks import checked_by
from planner.export.platforms import platforms
from planner.export.registry import MODULES, applicable, render, target, targets
from planner.export.target import unsuitable
from tests.export.deployments import IMAGE, R1, SHAPES, context, shape, tables
from tests.export.vendors import foreign_words

PAIRS = [(name, t) for name in SHAPES for t in applicable(shape(name))]


@cache
def files_of(name: str, kind: str) -> dict[str, str]:
    return target_files(shape(name), kind)


@pytest.mark.parametrize(("name", "kind"), PAIRS, ids=[f"{a}:{b}" for a, b in PAIRS])
def test_nothing_of_another_vendor(name: str, kind: str) -> None:
    platform = shape(name).platform.id
    assert not foreign_words(platform, files_of(name, kind)), f"{kind} on {platform}"


@pytest.mark.parametrize(("name", "kind"), PAIRS, ids=[f"{a}:{b}" for a, b in PAIRS])
def test_files_are_read_by_their_readers(name: str, kind: str) -> None:
    for path, text in files_of(name, kind).items():
        assert text.endswith("\n") and "\r" not in text
        if path.endswith(".yaml"):
            assert all(isinstance(d, dict) for d in yaml.safe_load_all(text))
        elif path.endswith(".json"):
            json.loads(text)
        elif path.endswith("/env") or path == "env":
            assert all(re.match(r"#|[A-Z_0-9]+=[^ \"'$`\\]*$", line) for line in text.splitlines())


def test_every_vendor_and_every_target_is_covered() -> None:
    reached = {shape(name).platform.id for name in SHAPES}
    assert reached >= set(platforms()) - {"moore-threads"}
    assert {kind for _, kind in PAIRS} == {t.name for t in targets() if t.job != "finetune"}


def test_every_platform_and_target_says_where_it_comes_from() -> None:
    assert all(platform.sources for platform in platforms().values())
    assert all(all(checked_by(t)) and t.about for t in targets())


def images(document: Any) -> list[str]:
    if isinstance(document, dict):
        own = [document["image"]] if isinstance(document.get("image"), str) else []
        return own + list(chain.from_iterable(images(v) for v in document.values()))
    return list(chain.from_iterable(map(images, document))) if isinstance(document, list) else []


@pytest.mark.parametrize("kind", ["docker-compose", "kubernetes", "kserve"])
def test_images_by_tag_and_digest(kind: str) -> None:
    digest = "sha256:" + "0" * 64
    document = context(SHAPES["vllm-r1"], digest=digest)
    found = [i for t in target_files(document, kind).values() for d in yaml.safe_load_all(t) for i in images(d)]
    assert found == [f"vllm/vllm-openai:v0.19.0@{digest}"]


@pytest.mark.parametrize("image", ["", "no-tag", "UPPER:1", "a b:1", "$(id):1", "a:1\n", "../x:1", "-x:1", "a:"])
def test_image_names_that_are_none_are_refused(image: str) -> None:
    with pytest.raises(BadInput):
        target_files(context(SHAPES["vllm-r1"], image=image), "docker-compose")


def test_an_image_that_nobody_knows_is_asked_for() -> None:
    document = tables("Qwen/Qwen3-8B", "bf16", "1xarc-pro-b60-24gb", ("vllm", "0.19.0"), tp=1, max_model_len=4096)
    with pytest.raises(BadInput, match="--image"):
        target_files(context(document), "docker-compose")


def compose(name: str) -> dict[str, Any]:
    services = yaml.safe_load(target_files(shape(name), "docker-compose")["compose.yaml"])["services"]
    return dict(next(iter(services.values())))


def test_compose_is_operable() -> None:
    service = compose("vllm-r1")
    assert service["image"] == IMAGE
    assert service["volumes"][0] == {
        "type": "bind", "source": "/models/DeepSeek-R1", "target": "/model", "read_only": True,
    }  # fmt: skip
    assert service["user"] == "10001:10001" and service["cap_drop"] == ["ALL"]
    assert service["ports"] == ["127.0.0.1:8000:8000"]
    assert service["environment"]["HF_HUB_OFFLINE"] == "1"
    assert service["environment"]["VLLM_API_KEY"] == "${VLLM_API_KEY:-}"
    assert int(service["healthcheck"]["start_period"].removesuffix("s")) >= 700
    assert service["ulimits"]["memlock"] == -1 and service["shm_size"] == "16g"
    ids = service["deploy"]["resources"]["reservations"]["devices"][0]["device_ids"]
    assert ids == [str(i) for i in range(8)]


def test_replicas_share_a_node_without_sharing_devices() -> None:
    services = yaml.safe_load(target_files(shape("vllm-moe-replicas"), "docker-compose")["compose.yaml"])["services"]
    devices = [s["deploy"]["resources"]["reservations"]["devices"][0]["device_ids"] for s in services.values()]
    assert devices == [["0", "1", "2", "3"], ["4", "5", "6", "7"]]
    assert [s["ports"][0] for s in services.values()] == ["127.0.0.1:8000:8000", "127.0.0.1:8001:8000"]
    scripts = render("vllm", shape("vllm-moe-replicas"))
    assert "CUDA_VISIBLE_DEVICES=4,5,6,7" in scripts["serve-1.sh"] and "--port 8001" in scripts["serve-1.sh"]


def test_steps_of_a_batch_job_have_its_cores() -> None:
    """Slurm 22.05 and later: srun takes over no --cpus-per-task (SchedMD release notes), steps side by side share."""
    alone = render("slurm", shape("vllm-r1"))["job.sbatch"]
    assert 'export SRUN_CPUS_PER_TASK="${SLURM_CPUS_PER_TASK:-64}"' in alone and "--cpus-per-task=64" in alone
    assert "SRUN_CPUS_PER_TASK" in render("slurm", shape("trtllm-nodes"))["job.sbatch"]
    beside = render("slurm", shape("vllm-moe-replicas"))["job.sbatch"]
    assert beside.count("srun --exact --nodes=1 --ntasks=1 --cpus-per-task=32") == 2
    assert "SRUN_CPUS_PER_TASK" not in beside, "no step asks for the cores of the whole job"


def test_vendors_pass_their_devices() -> None:
    amd = compose("vllm-amd")
    assert amd["devices"] == ["/dev/kfd:/dev/kfd", "/dev/dri:/dev/dri"] and "video" in amd["group_add"]
    assert amd["environment"]["VLLM_ROCM_USE_AITER_MOE"] == "1"
    ascend = compose("ascend-one")
    assert "/dev/davinci7:/dev/davinci7" in ascend["devices"] and "/dev/hisi_hdc:/dev/hisi_hdc" in ascend["devices"]
    assert ascend["environment"]["HCCL_OP_EXPANSION_MODE"] == "AIV"
    gaudi = compose("gaudi")
    assert gaudi["runtime"] == "habana" and gaudi["environment"]["HABANA_VISIBLE_DEVICES"] == "0,1,2,3,4,5,6,7"
    assert "devices" not in compose("vllm-cpu") and "deploy" not in compose("vllm-cpu")


def test_nodes_find_each_other() -> None:
    script = render("vllm", shape("vllm-wide"))["serve.sh"]
    assert "--nnodes 2" in script and "--headless" in script and '--master-addr "${HEAD_ADDRESS}"' in script
    env = render("vllm", shape("vllm-wide"))["env"]
    assert (
        "NCCL_SOCKET_IFNAME=bond0" in env and "GLOO_SOCKET_IFNAME=bond0" in env and "NCCL_IB_HCA=mlx5_0,mlx5_1" in env
    )
    older = render("vllm", shape("vllm-old-ray"))["serve.sh"]
    assert "ray start --head" in older and "--nnodes" not in older
    assert "HCCL_SOCKET_IFNAME=bond0" in render("vllm", shape("ascend"))["env"]
    batch = render("slurm", shape("sglang-wide"))["job.sbatch"]
    assert "--nodes=2" in batch and '--dist-init-addr "${HEAD_ADDRESS}":29500' in batch
    assert "srun --mpi=pmix -n 16 trtllm-llmapi-launch" in render("slurm", shape("trtllm-nodes"))["job.sbatch"]


def test_leader_and_workers() -> None:
    group = yaml.safe_load(render("lws", shape("sglang-wide"))["leaderworkerset.yaml"])["spec"]["leaderWorkerTemplate"]
    assert group["size"] == 2
    worker = group["workerTemplate"]["spec"]["containers"][0]
    assert worker["args"][worker["args"].index("--node-rank") + 1] == "$(LWS_WORKER_INDEX)"
    assert "$(LWS_LEADER_ADDRESS):29500" in worker["args"] and "ports" not in worker
    ray = yaml.safe_load(render("lws", shape("vllm-old-ray"))["leaderworkerset.yaml"])["spec"]["leaderWorkerTemplate"]
    assert ray["workerTemplate"]["spec"]["containers"][0]["command"] == ["ray", "start"]


def test_probes_wait_for_a_slow_load() -> None:
    """Three times the time that the disk needs for the weights, and the engine's slow warm-up."""
    slow = context(SHAPES["vllm-r1"], image=IMAGE, disk_bytes_s=2.5e8)
    pod = yaml.safe_load(render("kubernetes", slow)["deployment.yaml"])["spec"]["template"]["spec"]
    probe = pod["containers"][0]["startupProbe"]
    assert probe["failureThreshold"] * probe["periodSeconds"] >= 3 * slow.timing.weight_bytes / 2.5e8
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["volumes"][0]["persistentVolumeClaim"]["readOnly"] is True


def test_no_secret_ever_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VLLM_API_KEY", "SGLANG_API_KEY", "LLAMA_API_KEY", "HF_TOKEN"):
        monkeypatch.setenv(name, "s3cr3t-value")
    for name in ("vllm-r1", "sglang-new", "llama-new"):
        bundle = render_bundle(shape(name), applicable(shape(name)))
        assert "s3cr3t" not in "".join(bundle.files.values())


@pytest.mark.parametrize("name", SHAPES)
def test_bundle_lists_itself(name: str) -> None:
    bundle = render_bundle(shape(name), applicable(shape(name)))
    manifest = json.loads(bundle.files["MANIFEST.json"])
    assert {e["path"] for e in manifest["files"]} == set(bundle.files) - {"MANIFEST.json"}
    listed = json.loads(bundle.files["airgap.json"])
    assert listed["model"]["bytes"] > 10**9 and listed["transfer"][0]["seconds"] > 0
    assert "## What to expect" in bundle.files["README.md"]
    assert all(mode_of(p) == (0o755 if p.endswith(".sh") else 0o644) for p in bundle.files)


def test_readme_has_the_predicted_figures() -> None:
    exported = shape("vllm-r1")
    memory = exported.estimate.memory
    assert memory is not None
    text = render_bundle(exported, ["vllm"]).files["README.md"]
    assert f"Model loading took {memory.per_gpu.weights.value / 2**30:,.2f} GiB" in text
    assert f"Available KV cache memory: {memory.per_gpu.kv_cache.value / 2**30:,.2f} GiB" in text


def test_targets_that_do_not_suit_say_why() -> None:
    assert "nodes" in str(unsuitable(target("kubernetes"), shape("vllm-wide")))
    assert "llama.cpp" in str(unsuitable(target("vllm"), shape("llama-new")))
    training = {"model": {"id": R1}, "hardware": {"accelerator": "h200-sxm-141gb", "per_node": 8}, "finetune": {}}
    assert "training" in str(unsuitable(target("vllm"), context(training)))
    with pytest.raises(BadInput, match="nodes"):
        target_files(shape("vllm-wide"), "kubernetes")


def test_unknown_targets_name_the_nearest() -> None:
    with pytest.raises(UnknownName, match="kubernetes"):
        target("kubernetis")
    assert all(target(name).name == name for name in MODULES)


def test_unknown_vendors_get_the_document_only() -> None:
    document = tables("Qwen/Qwen3-8B", "bf16", "1xgoogle-tpu-v6e", ("vllm", "0.19.0"), max_model_len=4096)
    exported = context(document)
    assert "schema" in target_files(exported, "toml")["deployment.toml"]
    with pytest.raises(BadInput, match="google"):
        target_files(exported, "vllm")
