"""Everything the planner knows, opened lazily: hardware, models, curves, prices, and the user's own on top."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from planner.data import read_json, read_toml

if TYPE_CHECKING:
    from hwdb.database import Database

    from planner.cost.prices_loader import Prices
    from planner.legality.support import Support
    from planner.models.catalogue import Catalogue
    from planner.performance.curves import Curves
    from planner.performance.local_curves import LocalCurves
    from planner.performance.training_curves import TrainingCurves


class Library:
    """Facts for planning. Nothing is read before it is asked for; what was read is kept."""

    def __init__(self, overlays: Sequence[Path] = ()) -> None:
        self.overlays = tuple(overlays)

    @cached_property
    def database(self) -> Database:
        from hwdb.database import Database

        return Database(self.overlays)

    @cached_property
    def catalogue(self) -> Catalogue:
        from planner.models.catalogue import Catalogue

        return Catalogue(self.overlays)

    @cached_property
    def curves(self) -> Curves:
        from planner.performance.curves_loader import load_curves

        return load_curves(read_toml)

    @cached_property
    def local_curves(self) -> LocalCurves:
        from planner.performance.local_curves import load_local_curves

        return load_local_curves(read_toml)

    @cached_property
    def prices(self) -> Prices:
        from planner.cost.prices_loader import load_prices

        return load_prices(read_toml)

    @cached_property
    def training_curves(self) -> TrainingCurves:
        from planner.performance.training_curves import load_training_curves

        return load_training_curves(read_toml)

    @cached_property
    def support(self) -> Support:
        from planner.legality.support import load_support

        return load_support(read_json)
