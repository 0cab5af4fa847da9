"""The operations as a caller sees them: names, fields, texts, and what kind of work each one is.

Every way in, the server's commands, the tools for agents and the subcommands, is made from this list. An operation
describes itself in a module of ``trop_core.operations``; that module is imported when the operation is asked for.
"""

from __future__ import annotations

import sys

from trop_core.errors.spelling import nearest, wire_name
from trop_core.fields import Field, fields_of, parse
from trop_core.light_types import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection
    from trop_core.database.waiting import Patience
    from trop_core.errors.arguments import UnknownCommand

_PREFIX = "trop."

_MODULES = {
    "reserve": "reserving.reserve",
    "reserve_group": "groups.reserve_group",
    "autoreserve": "groups.autoreserve",
    "env": "starting.env",
    "url": "starting.url",
    "release": "reserving.release",
    "migrate": "moving.migrate",
    "swap": "reserving.swap",
    "status": "looking.status",
    "list": "looking.list",
    "list_projects": "looking.list_projects",
    "port_info": "looking.port_info",
    "scan": "looking.scan",
    "doctor": "doctor.doctor",
    "history": "history.history",
    "undo": "history.undo",
    "init": "store.init",
    "backup": "store.backup",
    "restore": "store.restore",
    "show_path": "looking.show_path",
    "show_data_dir": "store.show_data_dir",
    "validate": "looking.validate",
    "schema": "looking.schema",
    "exclude": "exclusions.exclude",
    "compact_exclusions": "exclusions.compact_exclusions",
    "prune": "cleanup.prune",
    "expire": "cleanup.expire",
    "autoclean": "cleanup.autoclean",
    "assert_reservation": "assertions.assert_reservation",
    "assert_port": "assertions.assert_port",
    "assert_data_dir": "assertions.assert_data_dir",
    "list_commands": "looking.list_commands",
}
"""Where each operation describes itself, below ``trop_core.operations``."""


class Mutation(NamedTuple):
    """Work that changes the store, in one write transaction.

    ``prepare`` turns a request and its context into what the plan needs, and does all that is slow and needs no lock.
    ``plan`` reads and decides inside the transaction, and returns frozen data; it may raise ``Unprepared`` when the
    store turns out to need something slow. ``execute`` does what the plan says, and is left out of a dry run.
    ``report`` turns the plan into the result. ``only_touches`` tells of a plan that it refreshes times of use and
    changes no reservation otherwise, so that there is nothing to note.
    """

    prepare: Callable[[Any, Context], Any]
    plan: Callable[[StoreConnection, Any], Any]
    execute: Callable[[StoreConnection, Any, Context], None]
    report: Callable[[Any, bool], Any]
    only_touches: Callable[[Any], bool] = lambda _plan: False


class Procedure(NamedTuple):
    """Work on files as a whole, outside of the ordinary transactions: ``prepare`` without a lock, then ``run``.

    ``only_reads`` tells of a request whether it changes nothing, where that depends on the request. ``edits_beside``
    says that what it changes is a file beside the store, and the store, if at all, in transactions as all others.
    """

    prepare: Callable[[Any, Context], Any]
    run: Callable[[Any, Patience], Any]
    only_reads: Callable[[Any], bool] = lambda _request: False
    edits_beside: bool = False


class Query(NamedTuple):
    """Work that reads the store, in one read transaction: ``prepare`` without it, ``read`` inside of it."""

    prepare: Callable[[Any, Context], Any]
    read: Callable[[StoreConnection, Any], Any]


class Computation(NamedTuple):
    """Work that needs no transaction on the store: from a request and its context to the result."""

    compute: Callable[[Any, Context], Any]


Work: TypeAlias = Mutation | Procedure | Query | Computation


OF_THE_COMMAND_LINE = ("run", "open", "hook", "setup", "completions", "call", "help")
"""The subcommands that are no operations: only the command line has them."""


class Operation(NamedTuple):
    """One thing that trop does for a caller.

    ``destructive`` means that it can take away what somebody relies on; ``idempotent`` that doing it twice is doing
    it once. ``takes_away`` tells of a request that it takes something away: a dry run then gives a plan, which the
    field ``plan`` takes. ``name`` is in snake case: ``list_projects`` is the command ``trop.listProjects``, the tool
    ``trop_list_projects`` and the subcommand ``list-projects``.
    """

    name: str
    title: str
    description: str
    request: type[Any]
    result: type[Any]
    work: Work
    destructive: bool = False
    idempotent: bool = True
    takes_away: Callable[[Any], bool] = lambda _request: False
    other_work: Callable[[Any], Work | None] = lambda _request: None
    """Of what other kind a request is, where not all of them are of one; None for those that are not."""

    judges: bool = False
    """Whether it tells of what is wrong where others fail of it: of a store for which there is no place, too."""

    def work_of(self, request: Any) -> Work:
        """What kind of work a request is."""
        return self.other_work(request) or self.work

    @property
    def read_only(self) -> bool:
        """Whether it leaves the store as it is."""
        return not isinstance(self.work, Mutation | Procedure)

    @property
    def command(self) -> str:
        """Its name as a command of the language server."""
        return _PREFIX + wire_name(self.name)

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields of its request."""
        return fields_of(self.request)

    def parse(self, values: Mapping[str, object], *, uris: bool = True) -> Any:
        """Its request, from values by their names in JSON.

        Raises ``InvalidArgument``, ``InvalidIdentifier`` or ``InvalidPath``; ``alone`` in the first and the last tells
        whether one field by itself is to blame.
        """
        return self.request(**parse(self.request, values, uris=uris))


def operation(name: str) -> Operation:
    """The operation of a name in snake case. Raises ``KeyError`` if there is none."""
    module = f"trop_core.operations.{_MODULES[name]}"
    # importlib, which has a function for this, imports a good deal more.
    __import__(module)
    found: Operation = sys.modules[module].OPERATION
    return found


def operations() -> tuple[Operation, ...]:
    """All operations, in the order in which they are shown."""
    return tuple(operation(name) for name in _MODULES)


def by_command(command: str) -> Operation | None:
    """The operation of a server command such as ``trop.listProjects``, or None."""
    for name in _MODULES:
        if _PREFIX + wire_name(name) == command:
            return operation(name)
    return None


def unknown_command(given: str, command: str) -> UnknownCommand:
    """The error for a command that there is not: as it was given, and by the full name that it would have.

    It names the command that was probably meant. One that can take something away has to be very much like it.
    """
    from trop_core.errors.arguments import UnknownCommand

    name = command.removeprefix(_PREFIX)
    if name in OF_THE_COMMAND_LINE:
        return UnknownCommand(given, own=name)
    return UnknownCommand(given, nearest(command, commands(), _is_destructive))


def _is_destructive(command: str) -> bool:
    found = by_command(command)
    return found is not None and found.destructive


def commands() -> tuple[str, ...]:
    """The names of all commands, in the order in which they are shown. Imports no operation."""
    return tuple(_PREFIX + wire_name(name) for name in _MODULES)
