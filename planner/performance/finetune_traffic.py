"""What moves between GPUs in a training step, and what generating rollouts takes.

Per optimizer step and GPU: ZeRO-1/2 and DDP reduce gradients once (twice their bytes on a ring); FSDP and ZeRO-3 gather
the weights for the forward and the backward pass of every micro-batch and scatter the gradients; tensor parallelism
exchanges the residual stream four times a layer. Transfers hide behind computation as far as it lasts.
"""

from __future__ import annotations

from hwdb.schema import Accelerator
from planner.memory.finetune_activations import HALF
from planner.memory.finetune_fixed import trained_parameters
from planner.memory.finetune_job import Job
from planner.memory.finetune_objective import cache_bytes_per_token, rollout_ranks
from planner.memory.finetune_sizes import stage_sizes
from planner.memory.finetune_state import state_bytes
from planner.models.architecture import MoE
from planner.models.formats import model_bytes
from planner.models.parameters import count_parameters
from planner.resolved import Cluster

HIDDEN_SHARE = 0.7
"""Of the computation can cover transfers: prefetched gathers and bucketed reductions."""
TENSOR_EXPOSED = 0.5
"""Of the exchanges between tensor ranks: the products on both sides need them at once (torchtitan's 70B over 8 ranks:
829 tokens/s, 876 where they overlap with products)."""
REACHED = {"fast": 0.8, "pcie": 0.4, "fabric": 0.7}
"""Share of a link's rate that collectives reach; PCIe without peer access goes through host memory."""
FABRIC_BYTES_S = 5e10
"""Assumed between nodes where none is named: 400 Gb/s per GPU."""
PCIE_BYTES_S = 3.15e10
OFFLOAD_BYTES_S = 1.2e10
"""Assumed between GPU and host memory: half of PCIe 4.0 x16, both directions in use."""
HOST_STATE_BYTES_S = 6e10
"""Host memory bandwidth that an optimizer step on the processors reaches, per node."""
DECODE_SHARE = 0.6
"""Of the memory bandwidth, when rollouts are generated."""
COMPLETION_SHARE = 0.5
"""Of the sequence that is generated, where the document does not say: half prompt, half completion."""


def exposed_seconds(job: Job, compute: float) -> float:
    """Seconds of a step that wait for transfers."""
    tensor = _tensor_seconds(job)
    waiting = TENSOR_EXPOSED * tensor
    moving = _data_seconds(job) + _expert_seconds(job) + tensor - waiting
    return waiting + max(0.0, moving - HIDDEN_SHARE * compute) + _offload_seconds(job)


def _rate(job: Job, ranks: int, stride: int = 1) -> float:
    """Bytes per second that a ring reaches: its slowest link. ``stride``: GPUs of other groups between its members.

    Across nodes every member in a node drives its own port, so a ring moves with all of theirs together.
    """
    cluster = job.cluster
    link = _link_rate(cluster)
    if ranks * stride <= _domain(cluster):
        return link
    fabric = cluster.fabric.bytes_s if cluster.fabric else FABRIC_BYTES_S
    members = max(1, cluster.per_node // stride)
    return min(link, fabric * REACHED["fabric"] * members)


def _domain(cluster: Cluster) -> int:
    """GPUs that the fast link joins: of a node, or of a rack that is one domain."""
    row = cluster.device.accelerator
    return max(cluster.per_node, (row.link_domain or 0) if row and cluster.link else 0)


def _link_rate(cluster: Cluster) -> float:
    link = cluster.link
    if link is None:
        return PCIE_BYTES_S * REACHED["pcie"]
    return link.bytes_s * REACHED["pcie" if link.id.startswith("pcie") else "fast"]


def _data_seconds(job: Job) -> float:
    """Gradients and gathered weights."""
    ranks = job.data * job.parallel.cp
    if ranks == 1:
        return 0.0
    model = job.parallel.tp * job.parallel.pp * (1 if job.parallel.ep == 1 else job.parallel.ep)
    each = state_bytes(job)
    gradients = trained_parameters(job) * min(each.gradient, HALF)
    moved = 2 * gradients
    if job.shards_weights:
        moved = gradients + 2 * job.accumulates * _gathered(job)
    stride = job.parallel.tp
    return moved / model / _rate(job, ranks, stride)


def _gathered(job: Job) -> float:
    """Bytes that one pass gathers."""
    if job.adapters:
        return model_bytes(job.architecture, job.quantization)
    sizes = stage_sizes(job.architecture, job.quantization, 1, False, False)
    return (sizes.dense_params + sizes.expert_params) * HALF


def _tensor_seconds(job: Job) -> float:
    tp = job.parallel.tp
    if tp == 1:
        return 0.0
    layers = job.architecture.num_layers / job.parallel.pp
    stream = job.tokens * job.architecture.hidden_size * HALF
    once = 8 * layers * stream * (tp - 1) / tp
    return once * job.accumulates / _rate(job, tp)


def _expert_seconds(job: Job) -> float:
    """Tokens on their way to the ranks of their experts and back, forward and backward; again where it is recomputed.

    A token goes once to each node that holds one of its experts, and is handed on there (as DeepEP does it).
    """
    ep = job.parallel.ep
    if ep == 1:
        return 0.0
    crossings = 3 if job.checkpointing in ("full", "offloaded") else 2
    bytes_once = HALF + (1.0 if "fp8" in job.table.precision else HALF)
    shared = job.tokens * job.accumulates / (job.parallel.tp * job.parallel.pp)
    domain = _domain(job.cluster)
    nodes = max(1.0, ep / domain)
    inside, outside = (crossings * bytes_once * shared * _dispatched(job, n) for n in (ep, nodes))
    seconds = inside / _link_rate(job.cluster)
    fabric = job.cluster.fabric.bytes_s if job.cluster.fabric else FABRIC_BYTES_S
    return max(seconds, outside / (fabric * REACHED["fabric"]))


def _dispatched(job: Job, places: float) -> float:
    """Elements of a token that leave for other places, all layers: its experts fall anywhere among them."""
    total = 0.0
    for layer in job.architecture.layers:
        if isinstance(block := layer.feed_forward, MoE):
            met = places * (1 - (1 - 1 / places) ** block.experts_per_token)
            total += met * (1 - 1 / places) * (block.latent_size or job.architecture.hidden_size)
    return total


def _offload_seconds(job: Job) -> float:
    """Gradients down, weights up, and the optimizer on the processors; parameters streamed for every pass."""
    if job.table.offload == "none":
        return 0.0
    each, trained = state_bytes(job), trained_parameters(job) / job.gpus
    moved = trained * (each.gradient + each.weight)
    if job.table.offload == "optimizer+params":
        moved += 2 * job.accumulates * _gathered(job) / max(job.data * job.parallel.cp, 1)
    states = trained * job.cluster.per_node * 2 * (each.optimizer + each.gradient)
    return moved / OFFLOAD_BYTES_S + states / HOST_STATE_BYTES_S


def rollout_seconds(job: Job, row: Accelerator) -> float:
    """Decoding the completions of one step: 16-bit weights and caches read once per token, by each GPU its part."""
    bandwidth = row.bandwidth_bytes_s
    if not bandwidth:
        return 0.0
    samples = job.table.micro_batch * job.accumulates
    steps = job.table.seq_len * COMPLETION_SHARE
    weights = count_parameters(job.architecture).total * HALF / rollout_ranks(job)
    cache = samples * cache_bytes_per_token(job.architecture) * (job.table.seq_len - steps / 2)
    return steps * (weights + cache) / (bandwidth * DECODE_SHARE)
