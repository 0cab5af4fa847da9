"""Loading all that the command line may ever load, for a process that cannot, or is not to, load anything later."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING

import trop_core
import trop_server.cli

if TYPE_CHECKING:
    from collections.abc import Iterator

PLACE = str(Path(__file__).parent.parent)
"""Where a process of its own finds this module, as ``support.loading``."""


def load_everything() -> None:
    """Import every module of the command line, and whatever one of them imports anywhere, also inside of a function."""
    for package in (trop_core, trop_server.cli):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.endswith("__main__"):
                continue
            loaded = importlib.import_module(module.name)
            assert loaded.__file__ is not None
            for name in _imported(ast.parse(Path(loaded.__file__).read_text())):
                try:
                    importlib.import_module(name)
                except ImportError:
                    # What only another system, or another Python, has.
                    continue


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
