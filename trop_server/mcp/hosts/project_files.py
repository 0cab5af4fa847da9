"""Registering the server in a project's own file of a host."""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING, Any, NamedTuple

from trop_core import git, ownership, paths, whole_files
from trop_core.config.file_text import BYTE_ORDER_MARK, read_bytes
from trop_core.database.failures import system_failure
from trop_core.errors.configuration import ConfigError, ConfigProblem, UnfitHostFile
from trop_core.errors.paths import InvalidPath
from trop_core.git import discovery
from trop_core.git.tracking import is_tracked
from trop_core.hosts import json_text, toml_text
from trop_core.hosts.registrations import NAME, PROGRAM, OfAnotherKind, reconciled

if TYPE_CHECKING:
    from trop_core.database.waiting import Patience
    from trop_core.hosts.registrations import Host

_OPERATION = "register the server"


class Registered(NamedTuple):
    """The file, whether it had to change, whether git tracks it, and whether it says where the server's store is."""

    path: str
    changed: bool
    tracked: bool
    names_store: bool


def project_root(directory: str) -> str:
    """The directory that holds the files of a project: the root of the worktree, else the directory itself.

    Raises ``InvalidPath`` for the home directory and ``/``, whose files are those of all projects, and for a git
    directory.
    """
    real = paths.canonical(directory)
    root = git.worktree_root(real) or real
    repository = discovery.find(real)
    if repository is not None and repository.checkout is None:
        raise InvalidPath(real, "it lies in a git directory, where no host looks", advice="Change to a worktree.")
    home = paths.home_directory()
    if root == "/" or (home is not None and root == paths.canonical(home)):
        raise InvalidPath(root, "what hosts read here is for all projects", advice="Change to a project's directory.")
    return root


def register(host: Host, root: str, program: str, patience: Patience) -> Registered:
    """Register the server in the project's file, alone in its directory, and leave all else in that as it is.

    ``program`` is the absolute path of the server's program. It goes only into a file that git does not track; any
    other one names the program. A file that is missing is made, and its directory. Raises ``UnfitHostFile`` for what
    cannot be changed with certainty, ``InvalidPath`` for a link out of the project, ``LockTimeout``,
    ``PermissionDenied`` or ``SystemFailure``. Nothing has changed then.
    """
    named = [os.path.join(root, file) for file in host.files]
    path = next(filter(os.path.lexists, named), named[0])
    real = _followed(path, root)
    directory = os.path.dirname(real)
    _make_directory(directory)
    with whole_files.alone(directory, patience, _OPERATION):
        tracked = is_tracked(real)
        try:
            content = read_bytes(real) or b""
        except ConfigError as error:
            raise UnfitHostFile(error.problems, host=host.name) from error
        mark = BYTE_ORDER_MARK if content.startswith(BYTE_ORDER_MARK) else b""
        new = mark + _registered(content.removeprefix(mark), host, PROGRAM if tracked else program, path)
        if new != content:
            whole_files.check_writable(real)
            whole_files.check_replaceable(real)
            whole_files.write(real, new, keep_mode=True)
    return Registered(path, new != content, tracked, _names_store(new.removeprefix(mark).decode(), host))


def _make_directory(path: str) -> None:
    if os.path.isdir(path):
        return
    # What root makes in the home of somebody else is theirs.
    if paths.is_for_another(path) and ownership.make_directory(path):
        return
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise system_failure(error, "create", path) from error


def _followed(path: str, root: str) -> str:
    real = os.path.realpath(path)
    top = os.path.realpath(root)
    advice = "Put a file of its own in the place of the link, or register the server there by hand."
    if not paths.is_within(real, top) or real == top:
        raise InvalidPath(path, "it leads out of the project by a link", advice=advice)
    if ".git" in os.path.relpath(real, top).split(os.sep):
        raise InvalidPath(path, "it leads into a git directory by a link", advice=advice)
    if os.path.islink(path) and not os.path.exists(real):
        raise InvalidPath(path, "it is a link to nothing", advice=advice)
    return real


def _names_store(text: str, host: Host) -> bool:
    """Whether the entry has been given a data directory, as an argument or as a variable."""
    document: Any = tomllib.loads(text) if host.in_toml else json_text.parse(text).value
    entry = document[host.section][NAME]
    words = [word for part in ("command", "args") if isinstance(entry.get(part), list) for word in entry[part]]
    variables = [name for part in ("env", "environment") if isinstance(entry.get(part), dict) for name in entry[part]]
    return "TROP_DATA_DIR" in variables or any(str(word).partition("=")[0] == "--data-dir" for word in words)


def _registered(content: bytes, host: Host, command: str, path: str) -> bytes:
    try:
        text = content.decode("utf-8")
        if not text.strip():
            return host.document(command).encode()
        merged = toml_text.merged if host.in_toml else json_text.merged
        return merged(text, (host.section, NAME), host.entry(command), reconciled).encode()
    except OfAnotherKind:
        reason = f"this starts something else than {PROGRAM}, or in a way of its own: remove it, or change it by hand"
        problem = ConfigProblem(path, None, None, f"{host.section}.{NAME}", reason)
    except UnicodeDecodeError as error:
        problem = ConfigProblem(path, None, None, None, f"the byte at {error.start} is not valid UTF-8")
    except json_text.Damaged as error:
        problem = ConfigProblem(path, error.line, error.column, error.key, error.reason)
    except toml_text.Unfit as error:
        problem = ConfigProblem(path, error.line, error.column, None, error.reason)
    raise UnfitHostFile([problem], host=host.name)
