"""One configuration file: whether it is there, and what it gives."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from trop_core.config.layer import Layer

GLOBAL_FILE = "config.yaml"
PROJECT_FILES = ("trop.yaml", "trop.local.yaml")
"""The names of a project's files, the stronger one last."""


def load_file(
    path: str, *, project: bool | None = None, climbing: bool = False, allowed: Collection[str] = ()
) -> Layer | None:
    """What one file gives, or None if it does not exist. Reads the file once and nothing else.

    ``project`` says whether it is a project's file; by default every file is one that is not called ``config.yaml``.
    ``climbing`` lets a file whose directory cannot be looked into count as one that does not exist. ``allowed`` are
    the variables that the user allows a project's file to name. A file without anything in it is an empty layer, and
    so is one that holds nothing but comments.

    Raises ``ConfigError`` with all of the file's problems, ``PermissionDenied`` or ``SystemFailure``. A file of which
    nothing but names of variables is refused is none to raise for: they are the problems of its group.
    """
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        pass  # whether that is an error, and which one, is told by opening it
    from trop_core.config.file_text import read_text

    text = read_text(path, climbing=climbing)
    if text is None:
        return None
    if project is None:
        project = os.path.basename(path) != GLOBAL_FILE
    return parse_text(text, path, project=project, allowed=allowed)


def parse_text(text: str, file: str, *, project: bool, allowed: Collection[str] = ()) -> Layer:
    """What a file's text gives. Raises ``ConfigError`` with all of its problems, as ``load_file`` does."""
    from trop_core.config.file_text import is_blank

    if is_blank(text):
        return {}
    # YAML's parser takes longer to load than everything else that a reservation needs.
    from trop_core.config import yaml_tree
    from trop_core.config.interpreter import Interpreter
    from trop_core.config.values import Problems

    problems = Problems(file)
    root = yaml_tree.parse(text, problems)
    reader = Interpreter(problems, project=project, allowed=allowed)
    if root is not None:
        reader.read(root)
    problems.raise_if_any()
    return reader.layer
