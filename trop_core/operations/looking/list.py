"""List what is reserved."""

from __future__ import annotations

from functools import partial
from itertools import repeat

from trop_core import fields
from trop_core.catalogue import Operation, Query
from trop_core.database import reservations
from trop_core.errors.arguments import InvalidArgument
from trop_core.errors.paths import InvalidPath
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.models import HIGHEST_PORT, LOWEST_PORT, ListedReservation, PortRange, ReservationKey
from trop_core.operations.call import Unprepared
from trop_core.paths import DirectoryState, check_storable
from trop_core.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from trop_core.config.settings import Settings
    from trop_core.context import Context, ReadProcesses
    from trop_core.database.handles import StoreConnection
    from trop_core.holder import Holder
    from trop_core.models import Occupancy, Reservation
    from trop_core.operations.moving.arrival import Arriving
    from trop_core.ports.holders import Process
    from trop_core.ports.sockets import SocketTable

LONGEST_PAGE = 1000

_SECONDS_TO_LOOK = 0.5
"""How long a list waits for one directory: on a dead mount it goes on without."""


class ListRequest(Record):
    """Which reservations to list. Without a folder or a path, all of them."""

    folder: str | None = fields.path("Only what is at or below this directory, as an editor knows it.")
    path: str | None = fields.path("Only what is at or below this directory, exactly as spelled.")
    project: str | None = fields.name("Only this project.")
    tag: str | None = fields.name("Only this tag.")
    here: bool = fields.flag(
        "Only this directory; in a git worktree, only the worktree and the others of its repository."
    )
    include_occupancy: bool = fields.flag("Tell of each port whether something occupies it now, and who.")
    limit: int | None = fields.integer(
        "How many reservations to give at the most.", minimum=1, maximum=LONGEST_PAGE, default=LONGEST_PAGE
    )
    after: str | None = fields.text("Where to go on: next of the page before.")


class ListResult(Record):
    """One page of reservations."""

    reservations: tuple[ListedReservation, ...] = fields.outcome(
        "The reservations, in the order of path and tag. One whose directory is missing has missing: true; with "
        "includeOccupancy each has occupied, which is null where nobody looked, and holder, the process that occupies "
        "the port and whose it is: null where nothing does, or where it is not known who."
    )
    next: str | None = fields.outcome("What the following call gives as after; null at the end.")
    truncated: bool = fields.outcome("Whether there are more reservations than one answer may hold.")
    warnings: tuple[str, ...] = fields.outcome("What the caller should know, a sentence each.", default=())


class Page(NamedTuple):
    """The rows of one answer, and whether there are more. ``warnings`` tell of how they were found.

    ``gone`` are those of their directories that are missing, ``processes`` those that occupy their ports, and ``names``
    their directories with the links in them followed, as far as there are such processes: known once looked at.
    """

    rows: list[Reservation]
    has_more: bool
    warnings: tuple[str, ...]
    gone: frozenset[str] = frozenset()
    processes: Mapping[int, Process] = {}
    names: Mapping[str, str] = {}


class Prepared(NamedTuple):
    """The request, with its paths resolved, and what holds ports, if that was asked for. ``warnings`` tell of that.

    ``scopes`` are the directories at and below which everything is listed, or None for the whole store, and
    ``repository`` the common git directory whose worktrees are. ``arriving`` is the directory of a call with ``here``.
    ``page`` is what was found, once its directories were looked at.
    """

    request: ListRequest
    scopes: frozenset[str] | None
    repository: str | None
    arriving: Arriving | None
    after: ReservationKey | None
    settings: Settings
    sockets: SocketTable | None
    warnings: tuple[str, ...]
    directory_state: Callable[[str], DirectoryState]
    ask: ReadProcesses
    page: Page | None = None

    def again(self, arriving: Arriving) -> Prepared:
        """The same, with more known of the directory."""
        return self._replace(arriving=arriving)

    def looked(self, page: Page) -> Prepared:
        """The same with what was found. Looks at each of its directories, and at the processes that occupy its ports.

        Each directory is looked at once, and waited for no longer than a moment.
        """
        from trop_core import looks

        paths = sorted(dict.fromkeys([row.path for row in page.rows]))
        states, _ = looks.at_directories(paths, _with_parents(self.directory_state), patience=_SECONDS_TO_LOOK)
        page = page._replace(gone=frozenset(path for path in paths if states[path] is DirectoryState.GONE))
        if self.sockets is not None:
            held = {row.port: row.path for row in page.rows if self.sockets.is_occupied(row.port)}
            pids = {line.pid for line in self.sockets.sockets if line.port in held and line.pid is not None}
            if pids:
                from trop_core.operations.looking.relations import names_of

                page = page._replace(processes=self.ask(pids), names=names_of(held.values()))
        return self._replace(page=page)


def prepare(request: ListRequest, context: Context) -> Prepared:
    """Resolve the paths of a request, and read the system's table of sockets if it asks for occupancy."""
    target = None
    if request.here:
        target = context.target(request.folder, request.path)
    elif request.folder is not None or request.path is not None:
        target = context.caller.target(folder=request.folder, path=request.path)
    settings = context.settings(target.path if target else context.caller.vicinity, tolerant=True)
    repository = arriving = None
    scopes = None if target is None else {target.path, target.canonical}
    if scopes is not None and target is not None and request.here:
        from trop_core.operations.moving.arrival import Arriving

        arriving = Arriving.at(target, context, follow=settings.follow_moves)
        repository = context.common_directory(target.canonical, context.is_safe)
        scopes.update(context.worktrees(repository) if repository is not None else ())
    sockets, warnings = None, tuple[str, ...]()
    if request.include_occupancy and not settings.occupancy.looks:
        warnings = (f"whether ports are occupied was not looked at: the check is skipped {settings.unlooked}",)
    elif request.include_occupancy:
        from trop_core.errors.system import SocketsUnreadable
        from trop_core.ports.sockets import told_of_unreadable

        try:
            sockets = context.sockets(PortRange(LOWEST_PORT, HIGHEST_PORT), settings.occupancy, owners=False)
            warnings = sockets.warnings
        except SocketsUnreadable as error:
            warnings = (told_of_unreadable(error, context.spell),)
    return Prepared(
        request=request,
        scopes=None if scopes is None else frozenset(scopes),
        repository=repository,
        arriving=arriving,
        after=None if request.after is None else _read_cursor(request.after),
        settings=settings,
        sockets=sockets,
        warnings=warnings,
        directory_state=context.directory_state,
        ask=context.processes,
    )


def read(connection: StoreConnection, prepared: Prepared) -> ListResult:
    """Read one page, or everything where the request has no limit.

    Raises ``Unprepared`` to have the directories looked at outside of the transaction: one of them may hang.
    """
    page = prepared.page
    if page is None:
        page = _page(connection, prepared)
        if page.rows:
            raise Unprepared(partial(prepared.looked, page), is_bounded=True)
    return ListResult(
        reservations=_listed(connection, prepared, page),
        next=_write_cursor(page.rows[-1].key) if page.has_more else None,
        truncated=page.has_more and prepared.request.limit == LONGEST_PAGE,
        warnings=(*page.warnings, *prepared.warnings),
    )


def _page(connection: StoreConnection, prepared: Prepared) -> Page:
    request, scopes = prepared.request, prepared.scopes
    if scopes is not None and prepared.repository is not None:
        from trop_core.database import directories

        # A worktree whose directory is missing is one of the repository's, too.
        scopes |= set(directories.in_repository(connection, prepared.repository))
    if scopes is not None and prepared.arriving is not None:
        from trop_core.operations.moving.arrival import stored_path

        scopes |= {stored_path(connection, prepared.arriving, prepared.again)}
    rows = reservations.listing(
        connection,
        below=scopes,
        project=request.project,
        tag=request.tag,
        after=prepared.after,
        limit=None if request.limit is None else request.limit + 1,
    )
    warnings: tuple[str, ...] = ()
    if prepared.arriving is not None:
        from trop_core.operations.moving.arrival import told_of_origin

        warnings = told_of_origin(connection, prepared.arriving, prepared.again)
    has_more = request.limit is not None and len(rows) > request.limit
    return Page(rows[: request.limit] if has_more else rows, has_more, warnings)


def _listed(connection: StoreConnection, prepared: Prepared, page: Page) -> tuple[ListedReservation, ...]:
    rows, gone = page.rows, page.gone
    # There may be tens of thousands.
    missing: Iterable[bool] = [row.path in gone for row in rows] if gone else repeat(False)
    if not prepared.request.include_occupancy:
        return tuple(map(ListedReservation, rows, repeat(None), missing))
    holders: Mapping[int, Holder | None] = {}
    if page.processes:
        from trop_core.operations.looking.sighting import Sighting

        seen = Sighting(frozenset(row.port for row in rows), prepared.sockets, page.processes, page.names)
        holders = seen.holders(connection, rows, prepared.settings)
    occupancies = map(_occupancy(prepared.sockets), [row.port for row in rows])
    return tuple(map(ListedReservation, rows, occupancies, missing, [holders.get(row.port) for row in rows]))


def _occupancy(sockets: SocketTable | None) -> Callable[[int], Occupancy | None]:
    names: dict[bool | None, Occupancy] = {True: "occupied", False: "free", None: "unknown"}
    return lambda port: names[None if sockets is None else sockets.is_occupied(port)]


def _with_parents(state_of: Callable[[str], DirectoryState]) -> Callable[[str], DirectoryState]:
    """Looks at directories in the order of their paths; where the parent of some is gone, that one look is enough."""
    gone, looked_at = "\0", ""

    def look(path: str) -> DirectoryState:
        nonlocal gone, looked_at
        if path.startswith(gone):
            return DirectoryState.GONE
        state = state_of(path)
        parent = path.rpartition("/")[0]
        if state is DirectoryState.GONE and parent and parent != looked_at:
            looked_at = parent
            if state_of(parent) is DirectoryState.GONE:
                gone = f"{parent}/"
        return state

    return look


def _write_cursor(key: ReservationKey) -> str:
    import base64
    import json

    return base64.urlsafe_b64encode(json.dumps([key.path, key.tag or ""]).encode()).decode()


def _read_cursor(text: str) -> ReservationKey:
    import base64
    import json

    try:
        cursor = json.loads(base64.urlsafe_b64decode(text.encode("ascii")))
    except (ValueError, RecursionError):
        cursor = None
    match cursor:
        case [str(path), str(tag)] if _is_storable(path + tag):
            return ReservationKey(path, tag or None)
    raise InvalidArgument("after", expected="next of the page before", given=text, alone=True)


def _is_storable(text: str) -> bool:
    try:
        check_storable(text)
    except InvalidPath:
        return False
    return True


OPERATION = Operation(
    name="list",
    title="List Reservations",
    description="Lists reservations in the order of path and tag: all, or those of a directory, project or tag.",
    request=ListRequest,
    result=ListResult,
    work=Query(prepare=prepare, read=read),
)
