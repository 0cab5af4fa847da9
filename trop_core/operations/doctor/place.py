"""The data directory: whether there is one, whether another one holds a store as well, who may use it."""

from __future__ import annotations

import os
import stat

from trop_core.config.names import GLOBAL_FILE
from trop_core.database import locks
from trop_core.database.failures import system_failure
from trop_core.database.file_set import DATABASE_NAME
from trop_core.errors.base import TropError
from trop_core.errors.spelling import quoted, shell_word
from trop_core.errors.system import PermissionDenied
from trop_core.light_types import TYPE_CHECKING
from trop_core.operations.doctor.finding import error, info, of_error, ok, warning
from trop_core.store import check_creatable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trop_core.operations.doctor.finding import Finding
    from trop_core.operations.doctor.subject import Subject

_OTHERS = 0o077
_WRITABLE = 0o022
_LITTLE_ROOM = 10 * 1024 * 1024
"""Bytes. A schema migration makes a copy of the store first, and so does emptying it."""


def data_directory(subject: Subject) -> Iterator[Finding]:
    """Whether there is a place for the store, and there is one in it: without, no command works.

    That nothing was made so far is no fault, unless nothing could be made there, or it is forbidden.
    """
    name, context = "data_directory", subject.context
    if context.data_failure is not None:
        yield from of_error(name, context.data_failure, context.spell)
        return
    place = context.data_directory
    if os.path.lexists(os.path.join(place, DATABASE_NAME)):
        yield ok(name, place)
        return
    try:
        check_creatable(place)
    except TropError as failure:
        yield from of_error(name, failure, context.spell)
        return
    if subject.settings.disable_autoinit:
        origin = subject.settings.origin("disable_autoinit")
        told = f"there is no store in {quoted(place)}, and creating one by the way is disabled ({origin})"
        yield error(name, told, f"trop init --data-dir {shell_word(place)}")
    else:
        yield info(name, f"there is no store in {quoted(place)} yet", subject.command("reserve"))


def other_stores(subject: Subject) -> Iterator[Finding]:
    """Whether another of the user's places holds a store: what is reserved there is not seen."""
    for told in subject.context.data_warnings:
        advice = "Move what you do not need out of the way: every process of yours looks at each of these places."
        yield warning("other_stores", told, advice)


def permissions(subject: Subject) -> Iterator[Finding]:
    """Whether other users may change or read the store, its backups and the configuration.

    trop makes them for their owner alone. Who can write a store decides about ports; who can read it learns paths.
    """
    name, place = "permissions", subject.context.data_directory
    if not place or not os.path.isdir(place):
        return
    found = False
    for path in (place, *_own_files(place)):
        try:
            seen = os.stat(path)
        except FileNotFoundError:
            continue
        except OSError as refusal:
            found = True
            yield from of_error(name, system_failure(refusal, "look at", path), subject.context.spell)
            continue
        mode = stat.S_IMODE(seen.st_mode)
        if not mode & _OTHERS:
            continue
        found = True
        rights = "u=rwX,go=" if stat.S_ISDIR(seen.st_mode) else "u=rw,go="
        advice = f"chmod {rights} {shell_word(path)}"
        if mode & _WRITABLE:
            yield warning(name, f"other users may change {quoted(path)} (mode {mode:04o})", advice)
        else:
            yield info(name, f"other users may look into {quoted(path)} (mode {mode:04o})", advice)
    if not found:
        yield ok(name, "the data directory and its files are their owner's alone")


def file_system(subject: Subject) -> Iterator[Finding]:
    """Whether the file system has locks and shared memory, which SQLite works with, and room.

    It is tried with a file that has no name. A place that this user may not write is not tried: SQLite reads there
    without either.
    """
    name, place = "file_system", subject.context.data_directory
    if not place or not os.path.isdir(place):
        return
    try:
        locks.check(os.path.join(place, DATABASE_NAME))
    except PermissionDenied:
        told = f"{quoted(place)} can only be read by this user, so that its locks were not tried"
        yield info(
            name, told, "Nothing has to be done to read what is reserved; the check of writing tells of the rest."
        )
        return
    except TropError as failure:
        yield from of_error(name, failure, subject.context.spell)
        return
    room = os.statvfs(place)
    free = room.f_bavail * room.f_frsize
    if room.f_blocks and free < _LITTLE_ROOM:
        told = f"there are {free // 1024:,} KiB left on the file system of {quoted(place)}"
        yield warning(name, told, "Make room: a store needs it to be written, and a copy of it to be upgraded.")
    else:
        yield ok(name, "it has locks, memory that processes share, and room")


def _own_files(place: str) -> list[str]:
    """What trop keeps in a data directory."""
    try:
        names = sorted(os.listdir(place))
    except OSError:
        return []
    own = (DATABASE_NAME, GLOBAL_FILE)
    return [os.path.join(place, name) for name in names if name in own or name.startswith(f"{DATABASE_NAME}-")] + [
        os.path.join(place, name) for name in names if name.startswith(f"{DATABASE_NAME}.")
    ]
