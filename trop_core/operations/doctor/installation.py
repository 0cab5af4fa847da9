"""The programs: Python, SQLite, trop itself, and what an editor finds of it."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import sys

from trop_core import __version__, small_files
from trop_core.database.file_set import OLDEST_SQLITE
from trop_core.errors.spelling import quoted, shell_word
from trop_core.hosts.registrations import PROGRAM
from trop_core.light_types import TYPE_CHECKING
from trop_core.operations.doctor.finding import error, info, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trop_core.operations.doctor.finding import Finding
    from trop_core.operations.doctor.subject import Subject

_LONGEST_SCRIPT = 64 * 1024


def versions(subject: Subject) -> Iterator[Finding]:
    """Which Python, SQLite and trop these are: a store needs an SQLite that has STRICT tables."""
    yield ok("python", f"{platform.python_version()}, {sys.executable}")
    version = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        told = f"this Python has SQLite {version}, and trop needs 3.37 or later"
        yield error("sqlite", told, "Install trop with a newer Python.")
    else:
        yield ok("sqlite", version)
    yield ok("trop", f"{__version__}, {os.path.dirname(os.path.dirname(os.path.abspath(small_files.__file__)))}")


def on_the_path(subject: Subject) -> Iterator[Finding]:
    """Whether editors and agents' hosts find the server, which look for it on the ``PATH``; and that of which trop."""
    path = subject.context.environment.get("PATH")
    path = os.defpath if path is None else path
    own = os.path.join(os.path.dirname(sys.executable), PROGRAM)
    for name in ("trop", PROGRAM):
        found = shutil.which(name, path=path)
        if found is None:
            yield warning(name_of(name), f"no directory of PATH has {name}", _link(own, name, path))
        elif is_of_this_installation(found):
            yield ok(name_of(name), found)
        else:
            told = f"{quoted(found)} is what PATH leads to, and this is the trop of {quoted(sys.executable)}"
            yield info(name_of(name), told, f"Nothing, if that is meant; both use one store. {found} --version tells.")


def name_of(program: str) -> str:
    """What the check of a program is called."""
    return f"path_{program.replace('-', '_')}"


def is_of_this_installation(program: str) -> bool:
    """Whether a script is run by the interpreter that runs this."""
    if os.path.dirname(os.path.realpath(program)) == os.path.realpath(os.path.dirname(sys.executable)):
        return True
    content = small_files.read(program, most=_LONGEST_SCRIPT)
    return isinstance(content, bytes) and sys.executable.encode() in content.partition(b"\nimport ")[0]


def _link(own: str, name: str, path: str) -> str:
    """How a program comes onto the PATH: a link in a directory of the user's own that is there already, if one is."""
    program = os.path.join(os.path.dirname(own), name)
    home = os.path.expanduser("~")
    for place in path.split(os.pathsep):
        if os.path.isabs(place) and place.startswith(home + os.sep) and os.access(place, os.W_OK | os.X_OK):
            return f"ln -s {shell_word(program)} {shell_word(place)}/"
    return f"Put a link to {quoted(program)} into a directory of PATH, or name it in the editor's settings."
