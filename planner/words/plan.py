"""What a plan is made of, in a few words."""

from __future__ import annotations

from planner.documents.result import PlannedDeployment


def users_of(proposal: PlannedDeployment) -> float | None:
    """Requests of the workload's length that the memory holds at once, all replicas."""
    memory, serving = proposal.estimate.memory, proposal.deployment.get("serving", {})
    if memory is None:
        return None
    workload = proposal.deployment.get("workload", {})
    length = sum(workload.get(key) or 0.0 for key in ("isl", "osl", "context"))
    slots = serving.get("parallel") or serving.get("max_num_seqs", 1) * serving.get("attention_dp", 1)
    held = min(memory.kv_tokens.value / max(length, 1.0), slots)
    return float(held * serving.get("dp", 1))
