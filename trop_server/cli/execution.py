"""How a process becomes another program: same process id, terminal, directory and open files."""

from __future__ import annotations

import errno
import os
import signal
import stat
import sys

from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NOT_FOUND = 127
NOT_RUNNABLE = 126
"""The exit codes that shells have for a command that is not there, and for one that cannot be run."""

_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
_LOCALE = "LC_CTYPE"
_COERCED = ("C.UTF-8", "C.utf8", "UTF-8")


class NotStarted(Exception):
    """The command could not be started: why, as a clause, and the exit code for it."""

    def __init__(self, reason: str, code: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


def inherited(beginning: str = "/proc/self/environ") -> dict[str, str]:
    """The environment as this process was given it.

    In a locale that is none (C, POSIX) Python sets LC_CTYPE for itself and all that it starts (PEP 538): that is no
    word of the caller's. ``beginning`` is where Linux shows what a process began with.
    """
    environment = dict(os.environ)
    if environment.get(_LOCALE) in _COERCED and not _was_given(_LOCALE, beginning):
        del environment[_LOCALE]
    return environment


def _was_given(name: str, beginning: str) -> bool:
    try:
        with open(beginning, "rb") as file:
            entries = file.read().split(b"\0")
    except OSError:
        return True  # nobody can tell: it stays
    return any(entry.startswith(f"{name}=".encode()) for entry in entries)


def become(command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Replace this process by a command, found in the PATH of the environment that it is given.

    Returns only by raising ``NotStarted``. What is open stays open as far as it was inherited; the signals that Python
    ignores are as they were for whoever started it, since a program that is started takes that over.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    ignored = [(number, signal.signal(number, signal.SIG_DFL)) for number in _IGNORED_BY_PYTHON]
    try:
        os.execvpe(command[0], list(command), dict(environment))  # noqa: S606 - no shell is to come in between
    except OSError as error:
        for number, handler in ignored:
            signal.signal(number, handler)
        raise _not_started(command[0], environment, error) from error


def _not_started(name: str, environment: Mapping[str, str], error: OSError) -> NotStarted:
    if not _exists(name, environment):
        return NotStarted("there is no such file" if "/" in name else "no directory of PATH has it", NOT_FOUND)
    reason = error.strerror or str(error)
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        reason = "what its first line names to run it, or a library that it needs, is missing"
    elif error.errno == errno.ENOEXEC:
        reason = "it is no program, and has no first line such as #!/bin/sh that names one"
    elif error.errno == errno.E2BIG:
        reason = "its arguments and its environment are longer than the system takes"
    return NotStarted(reason, NOT_RUNNABLE)


def _exists(name: str, environment: Mapping[str, str]) -> bool:
    """Whether a command is found, be it one that cannot be run. A directory is none, unless it is named as a file."""
    if "/" in name:
        return os.path.lexists(name)
    return bool(name) and any(_is_file(os.path.join(place, name)) for place in os.get_exec_path(environment))


def _is_file(path: str) -> bool:
    try:
        return not stat.S_ISDIR(os.stat(path).st_mode)
    except OSError:
        return False
