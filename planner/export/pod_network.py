"""How pods of one instance over several nodes reach each other: the node's own network and its RDMA devices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.export.cluster_names import qualified_name

if TYPE_CHECKING:
    from planner.export.target import Context


def host_network(context: Context) -> dict[str, Any]:
    """An interface that was named is the node's, which pods see on the node's network only."""
    if not context.layout.multi_node or not context.options.interface:
        return {}
    return {"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"}


def rdma_limits(context: Context) -> dict[str, str]:
    """The resource of the RDMA device plug-in: without it a container may open no device of the fabric."""
    if not context.layout.multi_node or not context.options.rdma_resource:
        return {}
    return {qualified_name(context.options.rdma_resource, "rdma resource", prefixed=True): "1"}


def uses_rdma(context: Context) -> bool:
    """Whether registered memory will be locked."""
    return context.layout.multi_node and bool(context.options.ib_devices or context.options.rdma_resource)


def network_note(context: Context) -> list[str]:
    """What the README says of it."""
    if not context.layout.multi_node or not context.platform.rdma_variable or context.options.rdma_resource:
        return []
    return [
        "- Pods open no RDMA device unless a device plug-in hands it out, and talk by TCP then, many times slower: "
        "export again with `--rdma-resource NAME` (`kubectl describe node` lists it: `rdma/hca_shared_devices_a`, "
        "`rdma/ib` …)."
    ]
