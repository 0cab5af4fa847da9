"""Loading all that a program may ever load, for a process that cannot, or is not to, load anything later."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PLACE = str(Path(__file__).parent.parent)
"""Where a process of its own finds this module, as ``support.loading``."""


def load_everything(*parts: str) -> None:
    """Import modules, packages whole, and whatever one of them imports anywhere, also inside of a function."""
    for part in parts:
        for name in _modules(part):
            loaded = importlib.import_module(name)
            assert loaded.__file__ is not None
            for imported in _imported(ast.parse(Path(loaded.__file__).read_text())):
                try:
                    importlib.import_module(imported)
                except ImportError:
                    # What only another system, or another Python, has.
                    continue


def make_constructors() -> None:
    """Have every tuple with names of trop's own made once: its constructor is there from the first time on."""
    for kind in tuple.__subclasses__():
        if kind.__module__.startswith(("trop_core.", "trop_server.")):
            kind(*vars(kind)["_fields"])


def _modules(name: str) -> Iterator[str]:
    yield name
    inside = getattr(importlib.import_module(name), "__path__", ())
    for module in pkgutil.walk_packages(inside, f"{name}."):
        if not module.name.endswith("__main__"):
            yield module.name


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
