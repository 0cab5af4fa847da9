"""Completion of command lines in shells, from the command line's own grammar.

argcomplete brings both halves: the script that a shell loads once, and the answers that the script asks ``trop`` for
whenever somebody presses Tab. An answer writes nothing; where the store cannot be read, it does without.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing

import argcomplete
from argcomplete.completers import BaseCompleter
from argcomplete.shell_integration import shellcode

from trop_core.catalogue import operation, operations
from trop_core.database.file_set import DATABASE_NAME, files_of
from trop_core.database.handles import connect_read_only
from trop_core.errors.base import TropError
from trop_core.errors.spelling import escaped
from trop_core.fields import Kind
from trop_core.light_types import TYPE_CHECKING, NoReturn
from trop_core.paths import working_directory
from trop_core.store import data_directory
from trop_server.cli.parser import build
from trop_server.cli.subcommands import OWN, POSITIONALS, RUN, SUBCOMMANDS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from trop_core.fields import Field
    from trop_server.cli.session import Session

_CONFIGURATIONS = (".yaml", ".yml")
_ANY = ("",)
_ENDINGS = {"config": _CONFIGURATIONS, "file": _ANY, "write": _ANY, "env_file": _ANY}
"""Of arguments that take a file, by their names: how one ends that is offered. Others take a directory."""

_COLUMNS = ("tag", "project", "task", "port")
_MOST = 1000
_WITH_OTHERS = {*POSITIONALS, *OWN}
"""Subcommands with arguments that are no options."""

_LIKE = {"run": "env", "open": "url"}
"""Subcommands that take the fields of an operation that is called otherwise."""


def completions(session: Session) -> str:
    """The script that a shell loads."""
    # Without the defaults: bash would offer files wherever nothing else is to be offered.
    return shellcode(["trop"], use_defaults=False, shell=session.options.shell) + "\n"


def answer() -> NoReturn:
    """Answer a shell's script, which asks by environment variables, and end this process."""
    line, cursor = os.environ.get("COMP_LINE", ""), os.environ.get("COMP_POINT", "")
    line = line[: int(cursor)] if cursor.isdecimal() else line
    words = line.split()
    # The others need not be built.
    chosen = [name for name in SUBCOMMANDS if name in words and not line.endswith(name)]
    # Options that nobody has begun to type are offered where nothing else can stand.
    options = "long" if chosen and _WITH_OTHERS.isdisjoint(chosen) else False
    parser = build(chosen or SUBCOMMANDS)
    if RUN in parser.subcommands:
        parser.subcommands[RUN].leave_the_rest()
    argcomplete.autocomplete(parser, always_complete_options=options, default_completer=_Completer())
    sys.exit(1)


class _Completer(BaseCompleter):
    """What may stand in the place of an argument that has no fixed choices."""

    def __call__(
        self, *, prefix: str, action: argparse.Action, parser: argparse.ArgumentParser, parsed_args: argparse.Namespace
    ) -> Iterable[str]:
        """The candidates that argcomplete asks for."""
        name = action.dest.removeprefix("field_")
        subcommand = getattr(parsed_args, "subcommand", None)
        data_directory = getattr(parsed_args, "data_dir", None)
        if name in ("data_dir", "env_file"):
            return _files(prefix, _ENDINGS.get(name, ()))
        if subcommand == RUN and name == "command":
            words = [word for word in getattr(parsed_args, name, ()) if word != "--"]
            return _files(prefix, _ANY) if words else _programs(prefix)
        if subcommand == "call":
            return [each.command for each in operations()] if name == "command" else []
        field = _field(subcommand, name)
        if field is None:
            return []
        if field.kind is Kind.PATH:
            return _files(prefix, _ENDINGS.get(name, ()))
        if name in _COLUMNS and (field.kind is Kind.IDENTIFIER or POSITIONALS.get(str(subcommand)) == name):
            return _stored(name, data_directory)
        return []


def _field(subcommand: str | None, name: str) -> Field | None:
    subcommand = _LIKE.get(str(subcommand), subcommand)
    if subcommand is None or subcommand in OWN:
        return None
    found = operation(subcommand.replace("-", "_"))
    return next((field for field in found.fields if field.name == name), None)


def _files(prefix: str, endings: tuple[str, ...] = ()) -> list[str]:
    """The directories that a path may go on with, and the files with one of the endings."""
    directory, part = os.path.split(prefix)
    begin = prefix.removesuffix(part) if part else prefix
    try:
        names = os.listdir(os.path.expanduser(directory) or ".")
    except OSError:
        return []
    found = []
    for name in sorted(names):
        if not name.startswith(part) or (name.startswith(".") and not part) or escaped(name) != name:
            continue
        if os.path.isdir(os.path.join(os.path.expanduser(directory), name)):
            found.append(f"{begin}{name}/")
        elif name.endswith(endings or "/"):
            found.append(begin + name)
    return found


def _programs(prefix: str) -> list[str]:
    """The programs that a command line may begin with, and the directories that a path to one may go on with."""
    if "/" in prefix:
        return _files(prefix, _ANY)
    found: set[str] = set()
    for directory in os.get_exec_path():
        try:
            names = [name for name in os.listdir(directory) if name.startswith(prefix) and escaped(name) == name]
        except OSError:
            continue
        found.update(name for name in names if _is_program(os.path.join(directory, name)))
    return [*sorted(found), *_files(prefix)]


def _is_program(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _stored(column: str, named: str | None) -> list[str]:
    """The values of a column in the store; none where there is no store, or where it cannot be read."""
    try:
        path = os.path.join(data_directory(named, os.environ, base=working_directory()).path, DATABASE_NAME)
        # SQLite would make these two files. What is in a -wal that nobody has open is left out.
        shared = all(map(os.path.exists, files_of(path)))
        with closing(connect_read_only(path, immutable=not shared)) as connection:
            rows = connection.execute(f"SELECT DISTINCT {column} FROM reservations ORDER BY 1 LIMIT {_MOST}").fetchall()
    except (OSError, sqlite3.Error, TropError):
        return []
    return [str(value) for (value,) in rows if value and escaped(str(value)) == str(value)]
