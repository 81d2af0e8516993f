"""A page read back by the standard library's HTML parser, strictly: every element closed, in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from xml.etree import ElementTree

VOID = {"meta", "wbr"}


@dataclass
class Page(HTMLParser):
    """Elements, attributes and text of a page."""

    stack: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str, str]] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    values: list[tuple[float, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag == "data":
            self.values.append((float(dict(attrs)["value"]), ""))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        assert tag not in VOID and self.stack and self.stack.pop() == tag, tag

    def handle_startendtag(self, tag, attrs):
        assert tag in VOID, tag
        self.handle_starttag(tag, attrs)

    def handle_data(self, data):
        self.text.append(data)
        if self.stack and self.stack[-1] == "data":
            self.values[-1] = (self.values[-1][0], self.values[-1][1] + data)


def read(text: str) -> Page:
    page = Page()
    page.feed(text)
    page.close()
    assert page.stack == [], page.stack
    return page


def tree(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)
