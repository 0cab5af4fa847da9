"""Tell everything that is not well: of the store, the configuration, the directory and the programs."""

from __future__ import annotations

import os
import sqlite3

from trop_core import fields, looks
from trop_core.catalogue import Computation, Operation
from trop_core.database.failures import unforeseen
from trop_core.errors.base import Cancelled, TropError
from trop_core.errors.system import NoAnswer
from trop_core.light_types import TYPE_CHECKING, TypeVar
from trop_core.operations.doctor import (
    configuration,
    directories,
    env_files,
    installation,
    listening,
    place,
    port_range,
    project,
    registrations,
    repository,
    store,
)
from trop_core.operations.doctor.finding import Finding, Status, of_error
from trop_core.operations.doctor.subject import subject_of
from trop_core.ports.exclusions import Exclusions
from trop_core.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from trop_core.context import Context
    from trop_core.operations.doctor.subject import Subject

_OF_PLACE = (place.data_directory, place.other_stores)
_OF_FILES = (place.permissions, place.file_system, store.writable, store.sidecars, store.backups)
_OF_STORE = (
    *(store.opens, store.version, store.integrity, store.record),
    *(project.moved, project.group, env_files.blocks, directories.missing),
)
_OF_CONFIGURATION = (
    configuration.user_file,
    configuration.environment,
    configuration.together,
    configuration.project_files,
)
_OF_RANGE = (port_range.bounds, port_range.privileged)
_OF_PORTS = (port_range.ephemeral, port_range.browsers, port_range.room)
_OF_DIRECTORY = (repository.directory, repository.repository, registrations.servers, registrations.hooks)
_OF_PROGRAMS = (installation.versions, installation.on_the_path)

T = TypeVar("T")

_SECONDS = 10.0
"""How long one check of files is waited for."""
_WORST: tuple[Status, ...] = ("error", "warning", "info", "ok")


class DoctorRequest(Record):
    """The directory whose configuration, repository and reservations are looked at besides the store."""

    folder: str | None = fields.path("The directory, as an editor knows it. The open folder if left away.")
    path: str | None = fields.path("The directory, exactly as spelled.")


class DoctorResult(Record):
    """What each check has found."""

    status: Status = fields.outcome(
        "The worst of what was found. error: commands fail; warning: something is not as it is meant to be; info: "
        "something is worth knowing; ok: all is well."
    )
    data_dir: str | None = fields.outcome("The data directory that was looked at; null where there is none.")
    directory: str | None = fields.outcome("The directory that was looked at; null where it cannot be looked at.")
    checks: tuple[Finding, ...] = fields.outcome(
        "What was found, a check after the other: its name, the status, what is the case, and what to do about it."
    )
    warnings: tuple[str, ...] = fields.outcome("What the caller should know, a sentence each.", default=())


def compute(request: DoctorRequest, context: Context) -> DoctorResult:
    """Make every check. Changes nothing and takes no write lock; a look that hangs is left behind after some seconds.

    Raises ``Cancelled``, and ``InvalidArgument`` or ``AmbiguousFolder`` for a call that does not say what it is about:
    whatever is wrong with what is looked at, is a finding.
    """
    subject = subject_of(context, request.folder, request.path)
    found = list(_findings(subject))
    statuses = {finding.status for finding in found}
    return DoctorResult(
        status=next(status for status in _WORST if status in statuses),
        data_dir=context.data_directory or None,
        directory=None if subject.directory is None else subject.directory.path,
        checks=tuple(found),
    )


def _findings(subject: Subject) -> Iterator[Finding]:
    ports = yield from _of_data(subject)
    for check in _OF_CONFIGURATION:
        yield from _bounded(check, subject)
    if subject.directory is None:
        assert isinstance(subject.target, TropError)
        yield from of_error("directory", subject.target, subject.context.spell)
    for check in _OF_RANGE:
        yield from _bounded(check, subject)
    for each in _OF_PORTS:
        yield from _told(each, ports, subject)
    for check in (listening.sockets, *_OF_DIRECTORY, *_OF_PROGRAMS):
        yield from _bounded(check, subject)


def _of_data(subject: Subject) -> Generator[Finding, None, port_range.Ports]:
    """All that lies in the data directory, unless the system does not answer there. Returns what it tells of ports."""
    ports = port_range.Ports(subject, None)
    data = subject.context.data_directory
    if data and looks.Look[bool | None](lambda: os.path.lexists(data)).answer(looks.SECONDS, None) is None:
        yield from of_error("data_directory", NoAnswer(data), subject.context.spell)
        return ports
    for check in (*_OF_PLACE, *_OF_FILES):
        yield from _bounded(check, subject)
    try:
        with store.opened(subject) as found:
            if found is None:
                return ports._replace(taken=Exclusions())
            for each in _OF_STORE:
                yield from _told(each, found, subject)
            ports = port_range.of_store(found)
    except Exception as failure:  # noqa: BLE001 - what is none of the store's is raised once more
        yield from store.of_opening(subject, failure)
    return ports


def _bounded(check: Callable[[Subject], Iterator[Finding]], subject: Subject) -> tuple[Finding, ...]:
    """What a check of files finds, or that the system does not answer."""
    subject.context.token.check()
    found = looks.Look[tuple[Finding, ...] | None](lambda: _told(check, subject, subject)).answer(_SECONDS, None)
    if found is None:
        return of_error(check.__name__, NoAnswer("what this check looks at"), subject.context.spell)
    return found


def _told(check: Callable[[T], Iterator[Finding]], looked_at: T, subject: Subject) -> tuple[Finding, ...]:
    """What a check finds; what it fails of is a finding, too."""
    try:
        return tuple(check(looked_at))
    except Cancelled:
        raise
    except Exception as failure:  # noqa: BLE001 - one check that fails must not cost the others
        if isinstance(failure, sqlite3.Error):
            return store.of_opening(subject, failure)
        return of_error(check.__name__, unforeseen(failure), subject.context.spell)


OPERATION = Operation(
    name="doctor",
    title="Look for What Is Wrong",
    description=(
        "Looks at the store, its file system, the configuration, the range, git, a directory's reservations and the "
        "programs, and tells of each check whether all is well and what to do. Changes nothing, and works where "
        "everything is broken."
    ),
    request=DoctorRequest,
    result=DoctorResult,
    work=Computation(compute),
    judges=True,
)
