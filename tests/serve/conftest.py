"""The real server, started as people start it."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0


@dataclass
class Served:
    """A running server."""

    process: subprocess.Popen[bytes]
    address: str
    said: str

    @property
    def root(self) -> str:
        return self.address.partition("?")[0]

    @property
    def port(self) -> int:
        return int(re.findall(r":(\d+)/", self.address)[0])

    def stop(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)


@contextmanager
def serving(folder: Path, *options: str, **variables: str) -> Iterator[Served]:
    """``deploy-planner serve`` on a free port, in a folder."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(folder / "state")} | variables
    words = [sys.executable, "-m", "tui.main", "serve", "--port", "0", "--hardware", "8xH200", *options]
    process = subprocess.Popen(words, cwd=folder, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        said = _said(process)
        yield Served(process, re.findall(r"https?://\S+", said)[0], said)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(30)


def _said(process: subprocess.Popen[bytes]) -> str:
    """What it says before it serves."""
    assert process.stderr is not None
    said, end = b"", time.monotonic() + PATIENCE_S
    while b"Ctrl-C stops" not in said and time.monotonic() < end:
        if select.select([process.stderr], [], [], 0.1)[0]:
            said += os.read(process.stderr.fileno(), 65536)
    return said.decode()


@pytest.fixture(scope="session")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that asks for a token, for requests that change nothing."""
    with serving(tmp_path_factory.mktemp("locked"), "--token") as served:
        yield served


@pytest.fixture(scope="session")
def unlocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One that asks for none."""
    with serving(tmp_path_factory.mktemp("unlocked")) as served:
        yield served
