"""tui → planner → hwdb, arithmetic without input or output: the contract of pyproject.toml holds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]


def test_import_contract() -> None:
    command = str(Path(sys.executable).with_name("lint-imports"))
    done = subprocess.run([command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


def test_modules_and_packages_need_each_other_one_way_only() -> None:
    """What is imported for its types alone needs nothing when the program runs."""
    graph = grimp.build_graph("hwdb", "planner", "tui", exclude_type_checking_imports=True)
    packages = [module for module in graph.modules if graph.find_children(module)]
    assert len(packages) > 20
    cycles = {package: found for package in packages if (found := graph.nominate_cycle_breakers(package))}
    assert cycles == {}, "each pair is an import that closes a circle"
