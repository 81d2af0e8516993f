"""Fits ``planner/performance/curves/local.toml`` on the speeds of ``tests/truth/gguf.jsonl``.

``python -m benchmarks.fit_local [--sweeps N] [--write]`` moves one number at a time (in steps of its logarithm) while
that lowers the mean error over distinct combinations. Errors beyond a factor of two count as two, so that odd runs do
not pull; every number pays for leaving its starting point, so that those which few cases speak about stay there.
"""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.truth import Case, cases, deployment
from planner.data import read_toml
from planner.errors import PlannerError
from planner.library import Library
from planner.performance.local import speeds
from planner.performance.local_curves import LocalCurves, local_curves
from planner.performance.local_steps import Machine, machine, rebased
from planner.resolve import resolve

CURVES = Path(__file__).parent.parent / "planner" / "performance" / "curves" / "local.toml"
_FIXED = ("spread", "vendors", "architectures", "capabilities", "unified", "fast_accumulate", "name")
_STEPS = (1.15, 1.04)
_CAP = math.log(2)
_LEASH = 0.002
"""Cost of a doubling away from the start, in units of the mean error."""

Key = tuple[str, ...]


@dataclass(frozen=True)
class Point:
    """One case, ready to be computed with other curves."""

    case: Case
    machine: Machine

    def errors(self, curves: LocalCurves) -> Iterator[float]:
        """Absolute errors of logarithms."""
        decode, prefill = speeds(rebased(self.machine, curves))
        for said, key in ((decode, "decode_tok_s"), (prefill, "prefill_tok_s")):
            measured = self.case.measured.get(key)
            if measured:
                yield min(_CAP, abs(math.log(said / measured)))


def points() -> list[Point]:
    """Every speed case that the planner answers."""
    library, found = Library(), []
    for case in cases("gguf"):
        if case.kind != "gguf_speed":
            continue
        try:
            found.append(Point(case, machine(resolve(deployment(case), library), library.local_curves)))
        except PlannerError as missing:
            print(f"{case.id}: {missing}")
    return found


def cost(found: Sequence[Point], data: dict[str, Any], start: dict[str, Any], keys: Sequence[Key]) -> float:
    """Mean error over combinations plus the leash."""
    curves = local_curves(data)
    groups: dict[str, list[float]] = {}
    for point in found:
        groups.setdefault(point.case.group, []).extend(point.errors(curves))
    mean = sum(sum(v) / len(v) for v in groups.values() if v) / len(groups)
    away = sum(abs(math.log2(get(data, key) / get(start, key))) for key in keys)
    return mean + _LEASH * away


def numbers(data: dict[str, Any]) -> list[Key]:
    """Paths of all numbers that may move."""
    keys: list[Key] = []
    for i, row in enumerate(data["devices"]):
        keys += [("devices", str(i), k) for k, v in row.items() if k not in _FIXED and isinstance(v, int | float)]
    skipped = (
        *_FIXED,
        "reference_cores",
        "many_gpus",
        "unknown_many_gpus_bytes_s",
        "unknown_bytes_s",
        "unknown_spread",
    )
    keys += [("host", k) for k in data["host"] if k not in skipped]
    keys += [("types", part, k) for part in ("gpu", "cpu", "prefill") for k in data["types"][part] if k != "F16"]
    keys += [("engines", e, k) for e, row in data["engines"].items() if e not in ("llama.cpp", "default") for k in row]
    return [*keys, ("engines", "llama.cpp", "host_prefill")]


def get(data: dict[str, Any], key: Key) -> float:
    """The number at a path."""
    node: Any = data
    for part in key:
        node = node[int(part)] if isinstance(node, list) else node[part]
    return float(node)


def put(data: dict[str, Any], key: Key, value: float) -> None:
    """Sets the number at a path."""
    node: Any = data
    for part in key[:-1]:
        node = node[int(part)] if isinstance(node, list) else node[part]
    node[key[-1]] = value


def fit(found: Sequence[Point], data: dict[str, Any], sweeps: int) -> dict[str, Any]:
    """The curves with the lowest cost that single moves reach."""
    start, best = deepcopy(data), deepcopy(data)
    keys = numbers(best)
    lowest = cost(found, best, start, keys)
    for sweep in range(sweeps):
        for key in keys:
            for factor in (f for s in _STEPS for f in (s, 1 / s)):
                lowest = _try(found, best, start, keys, key, factor, lowest)
        print(f"sweep {sweep + 1}: {lowest:.4f}")
    return best


def _try(
    found: Sequence[Point], best: dict[str, Any], start: dict[str, Any], keys: Sequence[Key], key: Key, factor: float,
    lowest: float,
) -> float:  # fmt: skip
    """Moves one number as long as it helps."""
    while True:
        before = get(best, key)
        after = before * factor
        if key[-1].endswith("share") and after > 1.5:
            return lowest
        put(best, key, after)
        reached = cost(found, best, start, keys)
        if reached >= lowest - 1e-6:
            put(best, key, before)
            return lowest
        lowest = reached


def write(data: dict[str, Any]) -> None:
    """Puts the numbers back into the file, comments kept."""
    lines, section, count = [], "", -1
    for line in CURVES.read_text(encoding="utf-8").splitlines():
        header = re.fullmatch(r"\[+([^\]]+)\]+", line)
        if header:
            section = header.group(1)
            count += section == "devices"
        found = re.fullmatch(r"(\w+) = [-\d.e]+", line)
        if found and section.split(".")[0] in ("devices", "host", "types", "engines"):
            path = ("devices", str(count)) if section == "devices" else _path(section)
            lines.append(f"{found.group(1)} = {get(data, (*path, found.group(1))):.3g}")
        else:
            lines.append(line)
    CURVES.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _path(section: str) -> Key:
    head, _, rest = section.partition(".")
    return (head, rest.strip('"')) if rest else (head,)


def main() -> None:
    """Fits, prints the moves and writes them if told to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sweeps", type=int, default=2)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    data = deepcopy(read_toml("performance/curves/local.toml"))
    fitted = fit(points(), data, chosen.sweeps)
    for key in numbers(data):
        if get(fitted, key) != get(data, key):
            print(f"{'.'.join(key)}: {get(data, key):.4g} → {get(fitted, key):.4g}")
    if chosen.write:
        write(fitted)


if __name__ == "__main__":
    main()
