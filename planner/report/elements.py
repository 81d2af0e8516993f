"""Elements of HTML and SVG, and their text: well-formed as XML and as HTML. Everything foreign is escaped here."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element, SubElement

VOID = frozenset({"meta", "wbr"})
"""Elements of HTML without content."""
_IN_TEXT = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_TEXT = str.maketrans(_IN_TEXT)
_ATTRIBUTE = str.maketrans({**_IN_TEXT, '"': "&quot;", "'": "&#39;", "\n": "&#10;"})

__all__ = ["Element", "SubElement", "drawing", "el", "markup", "put"]


def el(tag: str, *children: Element | str, **attributes: object) -> Element:
    """An element; ``class_`` and ``stroke_width`` become class and stroke-width."""
    made = Element(tag, {name.rstrip("_").replace("_", "-"): _text(value) for name, value in attributes.items()})
    put(made, *children)
    return made


def put(parent: Element, *children: Element | str) -> None:
    """Appends elements and text."""
    for child in children:
        if isinstance(child, Element):
            parent.append(child)
        elif len(parent):
            parent[-1].tail = (parent[-1].tail or "") + child
        else:
            parent.text = (parent.text or "") + child


def drawing(name: str, title: str, description: str, size: tuple[float, float]) -> Element:
    """An empty drawing of a size, with its title and description for those who hear it."""
    return el(
        "svg",
        el("title", title, id=f"{name}-title"),
        el("desc", description, id=f"{name}-desc"),
        viewBox=f"0 0 {size[0]:g} {size[1]:g}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        font_family="sans-serif",
        font_size="12",
    )


def markup(element: Element) -> str:
    """The element as text; elements that HTML does not know as void are never self-closed."""
    return "".join(_pieces(element))


def _pieces(element: Element) -> Iterator[str]:
    attributes = "".join(f' {name}="{value.translate(_ATTRIBUTE)}"' for name, value in element.attrib.items())
    if element.tag in VOID:
        yield f"<{element.tag}{attributes} />"
        return
    yield f"<{element.tag}{attributes}>"
    yield (element.text or "").translate(_TEXT)
    for child in element:
        yield from _pieces(child)
        yield (child.tail or "").translate(_TEXT)
    yield f"</{element.tag}>"


def _text(value: object) -> str:
    """Numbers of a drawing to a hundredth: the same on every machine."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
