"""Everything the planner knows, opened lazily: hardware, models, curves, prices, and the user's own on top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.data import list_files, read_json, read_toml

if TYPE_CHECKING:
    from hwdb.database import Database
    from planner.cost.api import ApiPrice
    from planner.cost.data import CostData
    from planner.cost.prices_loader import Prices
    from planner.legality.support import Support
    from planner.models.catalogue import Catalogue
    from planner.performance.curves import Curves
    from planner.performance.local_curves import LocalCurves
    from planner.performance.training_curves import TrainingCurves
    from planner.resolved import SiteRow


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

        return load_prices(read_toml, self.own_prices)

    @cached_property
    def own_prices(self) -> Mapping[str, tuple[dict[str, Any], ...]]:
        """Rows of the overlays' price files by kind; nothing is imported where there is none."""
        if not any((overlay / "prices").is_dir() for overlay in self.overlays):
            return {}
        from planner.price_files import own_prices

        return own_prices(self.overlays)

    @cached_property
    def api_prices(self) -> tuple[ApiPrice, ...]:
        from planner.cost.api import load_api_prices

        return load_api_prices(read_toml, list_files("cost/prices/api", ".toml"), self.own_prices.get("api", ()))

    @cached_property
    def cost_data(self) -> CostData:
        from planner.cost.data import load_cost_data

        return load_cost_data(read_toml)

    @cached_property
    def training_curves(self) -> TrainingCurves:
        from planner.performance.training_curves import load_training_curves

        return load_training_curves(read_toml)

    @cached_property
    def site(self) -> tuple[SiteRow, ...]:
        """What was measured on this machine (``verify --calibrate``)."""
        if not any((folder / "calibration.toml").is_file() for folder in self.overlays):
            return ()
        from planner.calibration import load_site

        return load_site(self.overlays)

    @cached_property
    def support(self) -> Support:
        from planner.legality.support_tables import load_support

        return load_support(read_json)
