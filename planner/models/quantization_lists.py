"""Tables that list modules or groups of them, each with a scheme: ModelOpt and compressed-tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from planner.models.architecture import Quantization
from planner.models.quantization_reading import MAX_MODULES, MAX_NAME, Reading
from planner.models.quantization_schemes import from_algorithm, from_weights, scheme


def modelopt(table: Mapping[str, Any]) -> Reading | None:
    """One algorithm for all linear modules, or a list of modules with an algorithm each."""
    algorithm = table.get("quant_algo")
    if not isinstance(algorithm, str):
        return None
    listed = tuple(listed_modules(table))
    if algorithm.upper() == "MIXED_PRECISION":
        return Reading(scheme("none"), listed, listed_only=True) if listed else None
    main = from_algorithm(algorithm, table.get("group_size"))
    return Reading(main, listed) if main else None


def listed_modules(table: Mapping[str, Any]) -> Iterator[tuple[str, Quantization]]:
    layers = table.get("quantized_layers")
    if not isinstance(layers, dict) or len(layers) > MAX_MODULES:
        return
    seen: dict[tuple[str, str], Quantization | None] = {}
    for name, row in layers.items():
        if not isinstance(name, str) or len(name) > MAX_NAME or not isinstance(row, dict):
            continue
        algorithm, group = row.get("quant_algo"), row.get("group_size")
        key = (str(algorithm)[:60], str(group)[:20])
        if key not in seen:
            seen[key] = from_algorithm(algorithm, group)
        found = seen[key]
        if found is not None:
            yield name, found


def compressed(table: Mapping[str, Any]) -> Reading | None:
    """compressed-tensors: groups of targets with a scheme each."""
    groups = table.get("config_groups")
    if not isinstance(groups, dict) or len(groups) > 256:
        return None
    found = [entry for group in groups.values() if isinstance(group, dict) for entry in _group(group)]
    if not found:
        return None
    plain = [scheme for target, scheme in found if target in ("Linear", "")]
    named = tuple((target, scheme) for target, scheme in found if target not in ("Linear", ""))
    return Reading(plain[0], named) if plain else Reading(scheme("none"), named, listed_only=True)


def _group(group: Mapping[str, Any]) -> Iterator[tuple[str, Quantization]]:
    weights = group.get("weights")
    found = from_weights(weights, group.get("input_activations")) if isinstance(weights, dict) else None
    targets = group.get("targets") or ["Linear"]
    if found is not None and isinstance(targets, list) and len(targets) <= MAX_MODULES:
        yield from ((t, found) for t in targets if isinstance(t, str) and len(t) <= MAX_NAME)
