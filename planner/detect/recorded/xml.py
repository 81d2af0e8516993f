"""XML from outside, trusted with nothing: no entities, no external fetch, bounded size, depth and element count."""

from __future__ import annotations

from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from planner.errors import BadInput
from planner.units import MIB

MAX_BYTES = 32 * MIB
MAX_DEPTH = 64
MAX_ELEMENTS = 300_000
FIX = "save the output again with: nvidia-smi -q -x > nvidia-smi.xml"


class _Refused(Exception):
    """Something that no honest log contains."""


class _Builder:
    """Builds the tree and counts."""

    def __init__(self) -> None:
        self.tree = TreeBuilder()
        self.depth = 0
        self.elements = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.elements += 1
        if self.depth > MAX_DEPTH or self.elements > MAX_ELEMENTS:
            raise _Refused(f"has more than {MAX_DEPTH} levels or {MAX_ELEMENTS:,} elements")
        self.tree.start(name, attributes)

    def end(self, name: str) -> None:
        self.depth -= 1
        self.tree.end(name)


def parse_xml(content: bytes, where: str) -> Element:
    """The root element. Raises BadInput for what is no XML or tries to be more than data."""
    if len(content) > MAX_BYTES:
        raise BadInput(where, f"is larger than {MAX_BYTES // MIB} MiB", FIX)
    builder = _Builder()
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.tree.data
    parser.StartDoctypeDeclHandler = _doctype
    parser.EntityDeclHandler = _entity
    parser.ExternalEntityRefHandler = _external
    try:
        parser.Parse(content, True)
        return builder.tree.close()
    except _Refused as error:
        raise BadInput(where, f"{error}: refused", FIX) from None
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        raise BadInput(where, f"is not whole XML: {reason} at line {error.lineno}", FIX) from None
    except (ValueError, AssertionError) as error:
        raise BadInput(where, f"is not XML: {error}", FIX) from None


def _doctype(name: str, system_id: str | None, public_id: str | None, internal: bool) -> None:
    """nvidia-smi names its DTD, which is never fetched; a DTD inside the file is refused."""
    if internal:
        raise _Refused("carries a DTD of its own")


def _entity(*declaration: object) -> None:
    raise _Refused("declares entities")


def _external(*reference: object) -> int:
    raise _Refused("refers to something outside")
