"""What was checked by which tool in this run, and what was skipped: printed at its end whatever happens."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.acceptance.environments import Environment

RESULTS: dict[str, str] = {}
"""Tool → one line."""
FORCE = "DEPLOY_PLANNER_ACCEPT_ALL"
"""Set to 1: a tool that is not there fails the run instead of being skipped."""


def accepted(tool: str, count: int, what: str) -> None:
    """Note that a tool accepted everything that it was given."""
    assert count > 0, f"{tool} was given nothing"
    RESULTS[tool] = f"accepted {count} {what}"


def skip(tool: str, reason: str) -> None:
    """Skip aloud, or fail where everything was asked for."""
    RESULTS[tool] = f"SKIPPED: {reason}"
    if os.environ.get(FORCE) == "1":
        pytest.fail(f"{tool}: {reason}")
    pytest.skip(f"{tool}: {reason}")


def need(environment: Environment) -> None:
    """The environment is there, or the test is skipped aloud."""
    if not environment.is_built:
        skip(environment.name, environment.why_not)


def program(name: str, package: str) -> str:
    """The path of a program of this machine, or the test is skipped aloud."""
    found = shutil.which(name)
    if found is None:
        skip(name, f"not installed (Debian package {package})")
    return str(found)
