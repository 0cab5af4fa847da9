"""One configuration file: whether it is there, and what it gives."""

from __future__ import annotations

import os

from trop_core.config.names import GLOBAL_FILE
from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from trop_core.config.layer import Layer
    from trop_core.errors.configuration import ConfigError, ConfigProblem


def load_file(
    path: str, *, project: bool | None = None, allowed: Collection[str] = (), quotable: bool = True
) -> Layer | None:
    """What one file gives that somebody named, or None if it does not exist. Reads the file once and nothing else.

    ``project`` says whether it is a project's file; by default every file is one that is not called ``config.yaml``.
    ``allowed`` are the variables that the user allows a project's file to name. Unless it is ``quotable``, no message
    holds a word of it. A file without anything in it is an empty layer, and so is one that holds nothing but comments.

    Raises ``ConfigError`` with all of the file's problems, ``PermissionDenied`` or ``SystemFailure``. A file of which
    nothing but names of variables is refused is none to raise for: they are the problems of its group.
    """
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        pass  # whether that is an error, and which one, is told by opening it
    from trop_core.config.file_text import read_bytes

    content = read_bytes(path)
    if content is None:
        return None
    if project is None:
        project = os.path.basename(path) != GLOBAL_FILE
    return parse_bytes(content, path, project=project, allowed=allowed, quotable=quotable)


def parse_bytes(
    content: bytes, file: str, *, project: bool, allowed: Collection[str] = (), quotable: bool = True
) -> Layer:
    """What a file's content gives. Raises ``ConfigError`` with all of its problems, as ``load_file`` does."""
    from trop_core.config.file_text import decoded
    from trop_core.errors.configuration import ConfigError

    try:
        layer = parse_text(decoded(content, file), file, project=project, allowed=allowed)
    except ConfigError as error:
        if quotable:
            raise
        wordless = without_words(error.problems)
    else:
        group = layer["reservations"].value if "reservations" in layer and not quotable else None
        problems = getattr(group, "problems", ())
        if not problems:
            return layer
        wordless = without_words(problems)
    # Outside of the handler: a traceback, too, tells of an exception that another one came from.
    raise wordless


def parse_text(text: str, file: str, *, project: bool, allowed: Collection[str] = ()) -> Layer:
    """What a file's text gives. Raises ``ConfigError`` with all of its problems, as ``load_file`` does."""
    from trop_core.config.file_text import is_blank

    if is_blank(text):
        return {}
    from trop_core.config.examination import examine

    return examine(text, file, project=project, allowed=allowed).usable()


def without_words(problems: Sequence[ConfigProblem]) -> ConfigError:
    """The error about a file of which no message may hold a word: its first problem's place, and that it is one."""
    from trop_core.errors.configuration import ConfigError, ConfigProblem

    first = problems[0]
    message = "this is no configuration that can be used; what is wrong is not shown, since a link leads to the file"
    return ConfigError([ConfigProblem(first.file, first.line, first.column, None, message)])
