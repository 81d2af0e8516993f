"""A Slurm controller of its own on this machine, from unpacked Debian packages: enough for ``sbatch --test-only``.

Its nodes are cloud nodes, which a controller may plan with before any daemon of theirs answers; nothing is started.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.acceptance.environments import Environment

CONF = """
ClusterName=acceptance
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser={user}
AuthType=auth/munge
AuthInfo=socket={place}/munge.socket
CredType=cred/munge
PluginDir={plugins}
StateSaveLocation={place}/state
SlurmctldPidFile={place}/slurmctld.pid
SlurmctldLogFile={place}/slurmctld.log
ProctrackType=proctrack/pgid
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
MpiDefault=none
GresTypes=gpu
SuspendProgram=/bin/true
ResumeProgram=/bin/true
SuspendTime=3600
NodeName=node[1-16] CPUs=256 RealMemory=2000000 State=CLOUD
PartitionName=gpu Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
GRES = "gpu:16"


@contextmanager
def running(packages: Environment, place: Path) -> Iterator[list[str]]:
    """The words of ``sbatch`` for a controller that lives as long as the block."""
    root = packages.place / "root" / "usr"
    libraries = root / "lib" / "x86_64-linux-gnu"
    env = {**os.environ, "LD_LIBRARY_PATH": f"{libraries}/slurm-wlm:{libraries}"}
    (place / "state").mkdir()
    _configure(place, libraries / "slurm-wlm")
    env["SLURM_CONF"] = str(place / "slurm.conf")
    munged = _munged(root, place, env)
    controller = subprocess.Popen([root / "sbin" / "slurmctld-wlm", "-D", "-i"], env=env, stderr=subprocess.DEVNULL)
    try:
        _wait(root, env)
        words = ["env", *(f"{k}={env[k]}" for k in ("LD_LIBRARY_PATH", "SLURM_CONF")), str(root / "bin" / "sbatch")]
        yield words
    finally:
        for process in (controller, munged):
            process.terminate()
            process.wait(20)


def _configure(place: Path, plugins: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    import getpass

    values = {"host": socket.gethostname().split(".")[0], "port": port, "user": getpass.getuser()}
    (place / "slurm.conf").write_text(CONF.format(place=place, plugins=plugins, **values))


def _munged(root: Path, place: Path, env: dict[str, str]) -> subprocess.Popen[bytes]:
    key = place / "munge.key"
    key.write_bytes(secrets.token_bytes(1024))
    key.chmod(0o600)
    files = {"key-file": key, "socket": place / "munge.socket", "pid-file": place / "munged.pid"}
    files |= {"log-file": place / "munged.log", "seed-file": place / "munged.seed"}
    words = [str(root / "sbin" / "munged"), "--foreground", "--force", *(f"--{k}={v}" for k, v in files.items())]
    return subprocess.Popen(words, env=env, stderr=subprocess.DEVNULL)


def _wait(root: Path, env: dict[str, str]) -> None:
    """Until the controller takes the nodes' devices, which stands for being ready."""
    update = [str(root / "bin" / "scontrol"), "update", "nodename=node[1-16]", f"gres={GRES}"]
    for _ in range(60):
        if subprocess.run(update, env=env, capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.5)
    raise RuntimeError("the Slurm controller did not come up")
