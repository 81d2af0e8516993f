"""A checkpoint's scheme before it meets an architecture."""

from __future__ import annotations

from dataclasses import dataclass

from planner.models.architecture import Quantization

MAX_MODULES = 1 << 20
MAX_NAME = 300
Groups = tuple[tuple[str, Quantization], ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """A checkpoint's scheme before it meets an architecture."""

    main: Quantization
    overrides: Groups = ()
    """(module pattern, scheme) of modules that differ."""
    ignore: tuple[str, ...] = ()
    complete: bool = False
    """``ignore`` is all there is: lists of the config mean another, outer scheme."""
    listed_only: bool = False
    """Modules that no override names stay unquantised."""
    kv_cache: str | None = None
