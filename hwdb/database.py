"""The hardware database: rows by name, built when asked for; user directories lie on top of the built-in ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwdb import rows
from hwdb.compiled import COMPILED, CompiledFile
from hwdb.errors import UnknownRow
from hwdb.schema import Accelerator, Connection, Processor, Storage
from hwdb.table import Layer, Table

if TYPE_CHECKING:
    from hwdb.match import Match


class Database:
    """All hardware facts. Opening it reads nothing; the first question reads one file, and the overlays if any.

    ``overlays`` are directories with the folders ``accelerators``, ``hosts``, ``links``, ``fabrics`` and ``storage``;
    later ones win. Bad files in them raise ``InvalidData`` with every problem at the first question.
    """

    def __init__(self, overlays: Sequence[Path | str] = ()) -> None:
        self.overlays = tuple(Path(overlay) for overlay in overlays)

    def accelerator(self, name: str) -> Accelerator:
        """By id, alias or driver string; case, spaces and dashes do not count. Raises ``LookupProblem``.

        ``h100-sxm-80gb:1g.10gb`` is one MIG slice of that device.
        """
        whole, colon, profile = name.partition(":")
        if colon and profile:
            return self._slice(whole, profile)
        row: Accelerator = self._accelerators.find(name)
        return row

    def accelerators(self) -> tuple[Accelerator, ...]:
        return self._accelerators.all()

    def match(
        self, driver_name: str | None = None, memory_bytes: int | None = None, pci_device_id: str | None = None
    ) -> Match:
        """The row of a device as its driver reports it; what was not reported may be None, empty or 0."""
        from hwdb.match import match

        return match(
            self._accelerators, driver_name=driver_name, memory_bytes=memory_bytes, pci_device_id=pci_device_id
        )

    def link(self, name: str) -> Connection:
        """A connection between the devices of one node. Raises ``LookupProblem``."""
        row: Connection = self._links.find(name)
        return row

    def find_link(self, name: str) -> Connection | None:
        """As ``link``, but None on a miss."""
        found = self._links.ids(name)
        return self._links.row(found[0]) if len(found) == 1 else None

    def links(self) -> tuple[Connection, ...]:
        return self._links.all()

    def fabric(self, name: str) -> Connection:
        """A network between nodes. Raises ``LookupProblem``."""
        row: Connection = self._fabrics.find(name)
        return row

    def fabrics(self) -> tuple[Connection, ...]:
        return self._fabrics.all()

    def storage(self, name: str) -> Storage:
        """A kind of disk. Raises ``LookupProblem``."""
        row: Storage = self._storage.find(name)
        return row

    def storages(self) -> tuple[Storage, ...]:
        return self._storage.all()

    def host(self, name: str) -> Processor | None:
        """The processor family of a free text such as ``2x AMD EPYC 9355, DDR5-6000``; None when unknown.

        Sockets, channels and memory speed named in the text win over the family's.
        """
        from hwdb.processors import as_written, matching

        table = self._hosts
        found = table.ids(name) or matching(name, table.texts("patterns"))
        return as_written(table.row(found[0]), name) if len(found) == 1 else None

    def hosts(self) -> tuple[Processor, ...]:
        return self._hosts.all()

    def _slice(self, whole: str, profile: str) -> Accelerator:
        from hwdb.partition import mig_slice

        row: Accelerator = self._accelerators.find(whole)
        profile = profile.strip().lower()
        if profile not in row.mig_profiles:
            known = tuple((f"{row.id}:{each}", 0.5) for each in row.mig_profiles)
            raise UnknownRow("accelerator", f"{whole}:{profile}", known)
        return mig_slice(row, profile)

    @cached_property
    def _compiled(self) -> CompiledFile:
        return CompiledFile(COMPILED.read_text(encoding="utf-8"))

    @cached_property
    def _sources(self) -> list[Any]:
        sources: list[Any] = self._compiled.value("sources")
        return sources

    @cached_property
    def _overlaid(self) -> list[dict[str, Layer]]:
        if not self.overlays:
            return []
        from hwdb.overlay import read_overlays

        return read_overlays(self.overlays)

    def _table(self, kind: str, section: str, build: Callable[..., Any]) -> Table:
        own = Layer(self._compiled.rows(section), self._compiled.value(f"{section}_index"))
        return Table(kind, build, [own, *(layers[section] for layers in self._overlaid)], self._sources)

    @cached_property
    def _accelerators(self) -> Table:
        return self._table("accelerator", "accelerators", rows.accelerator)

    @cached_property
    def _hosts(self) -> Table:
        return self._table("host", "hosts", rows.processor)

    @cached_property
    def _links(self) -> Table:
        return self._table("link", "links", rows.connection)

    @cached_property
    def _fabrics(self) -> Table:
        return self._table("fabric", "fabrics", rows.connection)

    @cached_property
    def _storage(self) -> Table:
        return self._table("storage", "storage", rows.storage)
