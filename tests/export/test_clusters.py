"""Pods over several nodes: the node's network, RDMA by a device plug-in, and names that an API server takes."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from planner.errors import BadInput
from planner.export.bundle import render_bundle
from planner.export.registry import render
from planner.export.target import Context
from tests.export.deployments import IMAGE, SHAPES, context


def pods(target: str, file: str, shape: str, **options: Any) -> list[dict[str, Any]]:
    document = yaml.safe_load(render(target, context(SHAPES[shape], image=IMAGE, **options))[file])
    spec = document["spec"]
    group = spec.get("leaderWorkerTemplate")
    return [group["leaderTemplate"]["spec"], group["workerTemplate"]["spec"]] if group else [spec["template"]["spec"]]


def wide(**options: Any) -> list[dict[str, Any]]:
    return pods("lws", "leaderworkerset.yaml", "vllm-wide", **options)


def test_a_named_interface_is_the_nodes_own() -> None:
    for pod in wide(interface="bond0"):
        assert pod["hostNetwork"] is True and pod["dnsPolicy"] == "ClusterFirstWithHostNet"
        assert {"name": "NCCL_SOCKET_IFNAME", "value": "bond0"} in pod["containers"][0]["env"]
    assert all("hostNetwork" not in pod for pod in wide())


def test_rdma_devices_come_from_a_plug_in() -> None:
    for pod in wide(rdma_resource="rdma/hca_shared_devices_a"):
        (container,) = pod["containers"]
        assert container["resources"]["limits"]["rdma/hca_shared_devices_a"] == "1"
        assert container["resources"]["requests"]["rdma/hca_shared_devices_a"] == "1"
        assert "IPC_LOCK" in container["securityContext"]["capabilities"]["add"]
    bundles = [render_bundle(_wide(rdma_resource=r), ["lws"], []).files["README.md"] for r in (None, "rdma/ib")]
    assert ["--rdma-resource" in text for text in bundles] == [True, False]
    assert "rdma/" not in str(pods("kubernetes", "deployment.yaml", "vllm-r1", rdma_resource="rdma/ib")), "one node"


def _wide(**options: Any) -> Context:
    return context(SHAPES["vllm-wide"], image=IMAGE, **options)


@pytest.mark.parametrize(
    ("shape", "variable"), [("gaudi", "HABANA_VISIBLE_DEVICES"), ("vllm-amd", "HIP_VISIBLE_DEVICES")]
)
def test_the_plug_in_picks_the_devices_of_a_pod(shape: str, variable: str) -> None:
    """A variable would name cards of the node that the plug-in gave to another pod."""
    (pod,) = pods("kubernetes", "deployment.yaml", shape)
    assert variable not in {entry["name"] for entry in pod["containers"][0]["env"]}
    compose = yaml.safe_load(render("docker-compose", context(SHAPES[shape], image=IMAGE))["compose.yaml"])
    (service,) = compose["services"].values()
    assert variable in service["environment"]


@pytest.mark.parametrize(
    "options",
    [
        {"namespace": "../x y"},
        {"namespace": "UPPER"},
        {"namespace": "a" * 64},
        {"claim": "my_claim"},
        {"storage_class": "fast ssd"},
        {"node_selector": (("a b", "c"),)},
        {"node_selector": (("nvidia.com/gpu.product", "H200 SXM"),)},
    ],
)
def test_names_that_no_api_server_takes(options: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="no name of Kubernetes"):
        render("kubernetes", context(SHAPES["vllm-r1"], image=IMAGE, **options))


@pytest.mark.parametrize("resource", ["rdma", "rdma/", "a b/c", "/x"])
def test_resources_that_are_none(resource: str) -> None:
    with pytest.raises(BadInput, match="no name of Kubernetes"):
        wide(rdma_resource=resource)


def test_names_that_are_fine() -> None:
    options = {
        "namespace": "llm-1",
        "storage_class": "fast.ssd",
        "node_selector": (("nvidia.com/gpu.product", "NVIDIA-H200"),),
    }
    (pod,) = pods("kubernetes", "deployment.yaml", "vllm-r1", **options)
    assert pod["nodeSelector"] == {"nvidia.com/gpu.product": "NVIDIA-H200"}
