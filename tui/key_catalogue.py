"""Every key that the app declares, by walking its own modules: for the user's keys, the docs and the tests."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

from textual.binding import Binding
from textual.dom import DOMNode

from tui.keymap import Declared, long_name

PLACES = ("actions", "keeping", "app", "walk", "panes", "widgets", "modals", "screens")
"""Modules and packages of ``tui`` with keys; one that is not there is passed over."""


def declared_bindings() -> Iterator[tuple[str, Binding]]:
    """Class name and binding, in a stable order."""
    found: dict[str, list[Binding]] = {}
    for name in _modules():
        for owner, kind in inspect.getmembers(importlib.import_module(name), inspect.isclass):
            if issubclass(kind, DOMNode) and kind.__module__ == name:
                found[owner] = [b for b in kind.__dict__.get("BINDINGS", ()) if isinstance(b, Binding)]
    for owner, bindings in sorted(found.items()):
        yield from ((owner, binding) for binding in bindings)


def declared_keys() -> tuple[Declared, ...]:
    """The keys that can be bound anew: all but those of the system (Ctrl-C)."""
    return tuple(
        Declared(binding.id, owner, tuple(long_name(key.strip()) for key in binding.key.split(",")), binding.tooltip)
        for owner, binding in declared_bindings()
        if binding.id and not binding.system
    )


def _modules() -> Iterator[str]:
    for place in PLACES:
        try:
            module = importlib.import_module(f"tui.{place}")
        except ModuleNotFoundError:
            continue
        yield module.__name__
        for inner in pkgutil.walk_packages(getattr(module, "__path__", ()), f"{module.__name__}."):
            yield inner.name
