"""What stands around a configuration file that is being written: the other layers, the store, and who is on the ports.

Each is read by itself, since each may hang, fail or be missing by itself. Nothing is created, upgraded or locked.
"""

from __future__ import annotations

import os
from functools import cached_property, partial

from trop_core.caller import Target
from trop_core.config import search
from trop_core.config.file_text import BYTE_ORDER_MARK
from trop_core.config.files import load_file, parse_bytes
from trop_core.config.merging import allowed_variables, expanded, merge
from trop_core.config.names import GLOBAL_FILE, PROJECT_FILES
from trop_core.errors.base import TropError
from trop_core.errors.configuration import ConfigError
from trop_core.errors.spelling import quoted
from trop_core.errors.system import SocketsUnreadable
from trop_core.light_types import TYPE_CHECKING, NamedTuple, cast
from trop_core.models import HIGHEST_PORT, LOWEST_PORT, PortRange
from trop_core.operations.looking.relations import Relations
from trop_core.paths import canonical
from trop_core.ports.exclusions import Exclusions
from trop_core.ports.holders import around

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from trop_core.config.layer import Layer
    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.holder import Holder
    from trop_core.models import Reservation
    from trop_core.ports.holders import Process
    from trop_core.ports.sockets import HeldPort, SocketTable

_NOTHING: Layer = {}


class Place(NamedTuple):
    """Where a document lies, and what the other layers give there.

    ``directory`` is what its services are reserved for; None of one that lies on no disk. ``weaker`` and ``stronger``
    are the project's other file, whichever it is; ``user`` is the user's own, and ``above`` the environment.
    ``saved`` is what the document's own file holds, if it is there and may be read: what a call sees. ``failures`` tell
    which of the others cannot be used, and of that file what is no text: a call is refused for it. ``is_related`` is
    false of a directory that has nothing to do with where the caller is at work. ``is_beside_saved`` is false where the
    project's other file counts as it is typed.
    """

    directory: str | None = None
    user: Layer = _NOTHING
    weaker: Layer = _NOTHING
    stronger: Layer = _NOTHING
    above: Layer = _NOTHING
    warnings: tuple[str, ...] = ()
    saved: bytes | None = None
    failures: tuple[str, ...] = ()
    is_related: bool = True
    is_beside_saved: bool = True

    @property
    def allowed(self) -> tuple[str, ...]:
        """The variables that the user allows a project's file to name."""
        return allowed_variables(self.user)

    def project(self, layer: Layer) -> Layer:
        """What the project's files come to, with a layer in the place of the document's."""
        return merge(merge(self.weaker, expanded(layer)), self.stronger)


class Stock:
    """All that is reserved, in the order of the ports; nothing, and as a clause why, where it is ``unknown``.

    Nothing in here changes.
    """

    def __init__(self, rows: Sequence[Reservation] = (), *, unknown: str | None = None) -> None:
        self.rows = tuple(rows)
        self.unknown = unknown

    @property
    def is_known(self) -> bool:
        """Whether it is known what is reserved."""
        return self.unknown is None

    @cached_property
    def by_port(self) -> dict[int, Reservation]:
        """Whom each port is reserved for."""
        return {row.port: row for row in self.rows}

    @cached_property
    def paths(self) -> frozenset[str]:
        """The directories that have reservations."""
        return frozenset(row.path for row in self.rows)

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """Every tag once, in order."""
        return tuple(sorted({row.tag for row in self.rows if row.tag is not None}))

    @cached_property
    def projects(self) -> tuple[str, ...]:
        """Every project once, in order."""
        return tuple(sorted({row.project for row in self.rows if row.project is not None}))

    def at(self, directory: str | None) -> tuple[Reservation, ...]:
        """What is reserved for exactly one directory, in the order of the tags."""
        return tuple(sorted((row for row in self.rows if row.path == directory), key=lambda row: row.tag or ""))


class System(NamedTuple):
    """What is seen of ports. ``table`` is None where nobody looked, or could.

    ``processes`` are those that hold ports of interest, ``names`` the directories of these ports' reservations with
    the links in them followed, ``ephemeral`` what the system gives away by itself.
    """

    table: SocketTable | None = None
    processes: Mapping[int, Process] = {}
    names: Mapping[str, str] = {}
    ephemeral: Exclusions = Exclusions()

    def occupied(self, port: int) -> bool | None:
        """Whether something occupies a port; None where that cannot be told."""
        return None if self.table is None else self.table.is_occupied(port)

    def holder(self, port: int, stock: Stock, settings: Settings) -> Holder | None:
        """Who occupies a port, as far as the system tells."""
        if self.table is None or not self.occupied(port):
            return None
        held: list[HeldPort] = [each for each in self.table.sockets if each.port == port]
        row = stock.by_port.get(port)
        relations = Relations(
            processes=self.processes,
            paths={} if row is None else {port: row.path},
            names=self.names,
            reserved=around(self.processes.values()) & stock.paths,
        )
        return relations.holder(held, settings.occupancy)


UNREAD = Stock(unknown="the store has not been read so far")
"""What is reserved, as long as nobody has looked at the store, or it was busy each time."""

UNREADABLE = Stock(unknown="the store cannot be read as it is")
"""What is reserved in a store of another version, or one that is damaged or refused."""


class Surroundings(NamedTuple):
    """All of it."""

    place: Place = Place()
    stock: Stock = UNREAD
    system: System = System()


def place_of(file: str | None, context: Context, typed: str | None = None) -> Place:
    """What the other layers give where a document lies. Looks at the file system; raises nothing.

    ``file`` is an absolute path; None for a document that lies on no disk. ``typed`` is what the project's other file
    will hold when that matters, if that is open as well. A layer that is wrong gives nothing.
    """
    failures: list[str] = []
    layer = partial(_layer, failures)
    user = layer(lambda: load_file(os.path.join(context.data_directory, GLOBAL_FILE), project=False))
    above = layer(lambda: _environment(context))
    if file is None:
        return Place(user=user, above=above)
    name = os.path.basename(file)
    spelled = os.path.dirname(file)
    given = user.get("safe_directories")
    safe = () if given is None else cast("tuple[str, ...]", given.value)
    ground = search.Ground.of(spelled, home=context.home, safe=safe, around=context.caller.anchors)
    found = search.in_directory(ground)
    layers: dict[bool, Layer] = {False: {}, True: {}}
    saved = None
    files = found.files if typed is None else _as_typed(typed, name, found)
    for other in files:
        if other.failure is not None:
            failures.append(_first(other.failure))
        elif os.path.basename(other.path) == name:
            saved = other.content
            if not _is_text(saved):
                failures.append(f"{quoted(other.path)} is not UTF-8, as it is saved")
        else:
            is_stronger = os.path.basename(other.path) == PROJECT_FILES[-1]
            parse = partial(parse_bytes, other.content, other.path, project=True, quotable=other.quotable)
            layers[is_stronger] = expanded(layer(partial(parse, allowed=allowed_variables(user))))
    try:
        directory = canonical(spelled)
    except TropError:
        directory = spelled
    return Place(
        directory,
        user,
        layers[False],
        layers[True],
        above,
        found.warnings,
        saved,
        tuple(failures),
        is_related=_is_related(directory, context),
        is_beside_saved=files is found.files,
    )


def _as_typed(typed: str, name: str, found: search.Found) -> tuple[search.ProjectFile, ...]:
    """The files of a directory as they were found, but for the one beside ``name`` if its text is another by now.

    One that is there and was not taken does not count, whatever is typed in it.
    """
    (beside,) = (each for each in PROJECT_FILES if each != name)
    content = typed.encode("utf-8", "surrogatepass")
    path = os.path.join(found.directory or "/", beside)
    old = next((each for each in found.files if each.path == path), None)
    if os.path.lexists(path) if old is None else unmarked(old.content) == unmarked(content):
        return found.files
    new = search.ProjectFile(path, content) if old is None else old._replace(content=content)
    return (*(each for each in found.files if each is not old), new)


def _is_related(directory: str, context: Context) -> bool:
    try:
        context.guard(Target(directory, directory, explicit=False), allowed=False)
    except TropError:
        return False
    return True


def system_of(
    ports: Collection[int], stock: Stock, settings: Settings, context: Context, name_of: Callable[[str], str]
) -> System:
    """What is seen of all ports now, and who is on those of interest. Binds nothing; raises nothing.

    ``name_of`` gives a directory's name with the links in it followed, as far as the system tells in time.
    """
    nothing = System(ephemeral=context.ephemeral() if "ephemeral" in settings.avoid else Exclusions())
    if not settings.occupancy.looks:
        return nothing
    try:
        table = context.sockets(PortRange(LOWEST_PORT, HIGHEST_PORT), settings.occupancy, owners=False)
    except SocketsUnreadable:
        return nothing
    pids = {held.pid for held in table.sockets if held.port in ports and held.pid is not None}
    if not pids:
        return nothing._replace(table=table)
    paths = sorted({stock.by_port[port].path for port in ports if port in stock.by_port})
    names = {path: name_of(path) for path in paths}
    return nothing._replace(table=table, processes=context.processes(pids), names=names)


def _environment(context: Context) -> Layer:
    from trop_core.config.environment import environment_layer

    return environment_layer(context.environment)


def unmarked(content: bytes) -> bytes:
    """A text without what editors keep to themselves: a byte-order mark, and how lines end."""
    return content.removeprefix(BYTE_ORDER_MARK).replace(b"\r\n", b"\n")


def _is_text(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _layer(failures: list[str], read: Callable[[], Layer | None]) -> Layer:
    """What a source gives; nothing where it is missing, or where it is wrong, which joins the ``failures``."""
    try:
        return read() or {}
    except TropError as error:
        failures.append(_first(error))
        return {}


def _first(error: TropError) -> str:
    """What is wrong, and of several problems of one file the first."""
    return str(error.problems[0] if isinstance(error, ConfigError) else error)
