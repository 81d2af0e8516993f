"""Words that belong to one vendor: what must never stand in a file for another."""

from __future__ import annotations

FOREIGN: dict[str, tuple[str, ...]] = {
    "nvidia": ("nvidia", "CUDA_VISIBLE", "--gpus", "cuda"),
    "nccl": ("NCCL_",),
    "amd": ("/dev/kfd", "HIP_VISIBLE", "ROCR_", "VLLM_ROCM", "amd.com", "rocm"),
    "gaudi": ("HABANA", "habana", "PT_HPU"),
    "ascend": ("davinci", "ASCEND", "ascend-", "huawei", "PYTORCH_NPU"),
    "intel": ("ZE_AFFINITY", "gpu.intel.com"),
    "moore-threads": ("MUSA_", "mthreads"),
}
"""RCCL reads NCCL's variables by their names; HCCL is Gaudi's and Ascend's."""
ALLOWED = {
    "nvidia": {"nvidia", "nccl"},
    "amd": {"amd", "nccl"},
    "gaudi": {"gaudi"},
    "ascend": {"ascend"},
    "intel": {"intel"},
    "moore-threads": {"moore-threads"},
}


def foreign_words(platform: str, files: dict[str, str]) -> list[str]:
    """Words of other vendors in the files of one target; the deployment document may name what it likes."""
    text = "\n".join(t for name, t in files.items() if name != "deployment.toml")
    others = set(FOREIGN) - ALLOWED.get(platform, set())
    return [word for vendor in sorted(others) for word in FOREIGN[vendor] if word in text]
