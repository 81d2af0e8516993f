"""In what kind of place the process runs: container, WSL2, virtual machine, hidden ``/proc``."""

from __future__ import annotations

from planner.detect.surroundings import Surroundings, read_text

CONTAINER_FILES = {".dockerenv": "docker", "run/.containerenv": "podman"}
CGROUP_WORDS = {
    "kubepods": "kubernetes",
    "docker": "docker",
    "libpod": "podman",
    "containerd": "containerd",
    "lxc": "lxc",
    "slurm": "slurm",
}


def read_environment(place: Surroundings) -> tuple[str, ...]:
    """States such as ``container``, ``docker``, ``kubernetes``, ``wsl2``, ``hidden-proc``; sorted."""
    states = _container(place)
    version = read_text(place.proc / "version", 4096) or ""
    if "microsoft" in version.lower():
        states.add("wsl2" if "wsl2" in version.lower() or (place.dev / "dxg").exists() else "wsl1")
    if place.platform.startswith("linux") and _hidden_proc(place):
        states.add("hidden-proc")
    if place.environ.get("SLURM_JOB_ID"):
        states.add("slurm")
    return tuple(sorted(states))


def _container(place: Surroundings) -> set[str]:
    kinds = {kind for name, kind in CONTAINER_FILES.items() if (place.top / name).exists()}
    if place.environ.get("KUBERNETES_SERVICE_HOST"):
        kinds.add("kubernetes")
    if place.environ.get("APPTAINER_CONTAINER") or place.environ.get("SINGULARITY_CONTAINER"):
        kinds.add("apptainer")
    named = place.environ.get("container", "")
    if named in ("docker", "podman", "lxc", "systemd-nspawn"):
        kinds.add(named)
    cgroup = read_text(place.proc / "self" / "cgroup", 65536) or ""
    kinds |= {kind for word, kind in CGROUP_WORDS.items() if word in cgroup and kind != "slurm"}
    return {"container", *kinds} if kinds else set()


def _hidden_proc(place: Surroundings) -> bool:
    """Process 1 cannot be seen (``hidepid``, gVisor …) or the memory table is masked."""
    return not (place.proc / "1").exists() or read_text(place.proc / "meminfo") is None
