"""A directory in which something is to be reserved: whether it was elsewhere before, or has another name as well.

A directory that was moved or renamed by any program keeps its identity. Where that tells for certain from where it
came, its reservations move along first, in the same transaction; where the evidence is weaker, a warning names the
command that would do it. The file system is never looked at under the lock: a plan that needs to know more raises
``Unprepared``.
"""

from __future__ import annotations

import os
from types import MappingProxyType

from trop_core.database import companion, directories, reservations
from trop_core.database.directories import Directory
from trop_core.database.selection import Selection
from trop_core.errors.spelling import quoted, shell_word
from trop_core.identity import can_be_renamed, glance, is_gone_from
from trop_core.light_types import TYPE_CHECKING, Any, Literal, NamedTuple
from trop_core.models import ReservationKey
from trop_core.operations.call import Unprepared
from trop_core.paths import LONGEST_PATH, DirectoryState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from trop_core.caller import Target
    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection
    from trop_core.database.moving import Move
    from trop_core.git import GitFacts
    from trop_core.identity import Glance, Identity

ROWS_PER_BATCH = 1000
MOST_NAMED = 5

Sight = Literal["same", "link", "gone", "other", "away", "outside", "hidden"]
"""What stands at a place where a directory was before: that very directory (also below a link), a link to it, nothing,
another directory, or what nobody can tell (its file system is not there, it may be seen under other mounts only, or it
cannot be looked at)."""


class Place(NamedTuple):
    """What the system says of a directory: which one it is, and in which worktree it lies.

    ``root`` is that worktree's, and ``git_directory`` the common one of a linked worktree.
    """

    identity: Identity | None
    root: str | None
    git_directory: str | None
    former_places: frozenset[str]


class Arriving(NamedTuple):
    """What is known of the directory of a call. ``place`` and what follows is got when the plan asks for it."""

    context: Context
    target: Target
    follow: bool
    glance: Glance | None
    place: Place | None = None
    git: GitFacts | None = None
    sights: Mapping[str, Sight] = MappingProxyType({})
    states: Mapping[str, DirectoryState] | None = None

    @classmethod
    def at(cls, target: Target, context: Context, *, follow: bool) -> Arriving:
        """A directory as a single look shows it. Asks the file system twice, and may hang where that does."""
        return cls(context, target, follow, glance(target.path))

    def with_place(self) -> Arriving:
        """The same, with what the system says of it."""
        return self._replace(place=_look_at(self.context, self.target.path))

    def with_git(self) -> Arriving:
        """The same, with the project and the task that git tells."""
        return self._replace(git=self.context.infer(self.target.path, self.context.is_safe))

    def with_sight(self, path: str) -> Arriving:
        """The same, with a look at where the directory was before."""
        assert self.place is not None
        return self._replace(sights={**self.sights, path: _sight(self, path, self.place.identity)})

    def with_states(self, paths: Iterable[str]) -> Arriving:
        """The same, with a look at places that it may have been moved from."""
        from trop_core.operations.moving import evidence

        return self._replace(states=evidence.look_at(self.context, paths))


class Arrival(NamedTuple):
    """What has to be done before something is reserved, and where it is then.

    ``path`` is the directory as it is stored, ``source`` where its rows stand now: elsewhere if they are to ``move``.
    ``directory`` is what is to be noted of it, if anything is.
    """

    path: str
    source: str
    is_new: bool
    move: Move | None = None
    rows: int = 0
    directory: Directory | None = None
    warnings: tuple[str, ...] = ()


def arrive(
    connection: StoreConnection,
    arriving: Arriving,
    again: Callable[[Arriving], Any],
    *,
    is_known: bool = False,
) -> Arrival:
    """Find out where a directory's reservations are. Reads; writes nothing.

    ``is_known`` tells that it has one under its own path, for who has found one there. ``again`` makes the call's
    preparation anew, with what was found out. Raises ``Unprepared`` for a look at the file system.
    """
    path = arriving.target.path
    if is_known or reservations.anything_at(connection, path):
        return _known(connection, arriving, again)
    if arriving.place is None:
        raise Unprepared(lambda: again(arriving.with_place()))
    identity = arriving.place.identity
    told_of_tables = _told_of_tables(connection)
    arrival = Arrival(path, path, is_new=True, directory=_noted(arriving), warnings=told_of_tables)
    if identity is None or told_of_tables:
        return arrival
    found = _elsewhere(connection, arriving, again)
    if found is None:
        return arrival
    former, sight = found
    if sight == "outside":
        arrival = arrival._replace(directory=_noted(arriving, found))
    if arriving.target.explicit:
        # Who names a path means that path. That it had another one is worth a word, and nothing more.
        line = migrate_line(former, path, "--force")
        told = f"this directory was {quoted(former)} before: {line} brings its reservations here"
        return arrival._replace(warnings=(told,)) if sight == "gone" else arrival
    if sight == "same":
        seen = directories.find(connection, former)
        # A name below a link: once that is gone, this tells that the directory had it.
        noted = seen._replace(born=identity.born) if seen is not None and seen.born is None else None
        return Arrival(former, former, is_new=False, directory=noted)
    if sight == "gone":
        return _followed(connection, arriving, arrival, former)
    return arrival._replace(warnings=_told_of_place(connection, path, former, sight))


def former_place(connection: StoreConnection, arriving: Arriving, again: Callable[[Arriving], Any]) -> str | None:
    """Where a directory that has no reservation was before, if that is certain: a place that is gone. Reads.

    Raises ``Unprepared`` for a look at the file system.
    """
    found = _elsewhere(connection, arriving, again)
    return found[0] if found is not None and found[1] == "gone" else None


def stored_path(connection: StoreConnection, arriving: Arriving, again: Callable[[Arriving], Any]) -> str:
    """Under which path a directory has its reservations: its own, or another spelling of it that has some. Reads.

    For calls that move nothing. Raises ``Unprepared`` for a look at the file system.
    """
    path = arriving.target.path
    if arriving.target.explicit or reservations.anything_at(connection, path):
        return path
    found = _elsewhere(connection, arriving, again)
    return found[0] if found is not None and found[1] == "same" else path


class Origin(NamedTuple):
    """What is told of where a directory was before, and whether to reserve in it moves along what is reserved there."""

    told: str
    moves_along: bool


def origin(connection: StoreConnection, arriving: Arriving, again: Callable[[Arriving], Any]) -> Origin | None:
    """Where a directory that has nothing was before, if anything is reserved there. Reads.

    Raises ``Unprepared`` for a look at the file system.
    """
    if arriving.target.explicit or reservations.anything_at(connection, arriving.target.path):
        return None
    found = _elsewhere(connection, arriving, again)
    if found is None or found[1] not in ("gone", "outside", "hidden", "other"):
        return None
    former, sight = found
    told = _was_at(connection, former, sight)
    if sight == "other":
        return Origin(f"{told}; another one stands there now, and they stay with the path", moves_along=False)
    if not arriving.follow or sight != "gone":
        return Origin(f"{told}; to have them here, {migrate_line(former, arriving.target.path)}", moves_along=False)
    obstacle = _in_the_way(connection, _move_from(former, arriving))
    return Origin(f"{told}; {obstacle or 'reserving here moves them along'}", moves_along=obstacle is None)


def told_of_origin(
    connection: StoreConnection, arriving: Arriving, again: Callable[[Arriving], Any]
) -> tuple[str, ...]:
    """The warning of a call that moves nothing: what ``origin`` tells, and raises what that raises."""
    found = origin(connection, arriving, again)
    return () if found is None else (found.told,)


def suspected(
    connection: StoreConnection, arriving: Arriving, project: str | None, again: Callable[[Arriving], Any]
) -> tuple[str, ...]:
    """The warning that a new directory may have been moved, where its identity does not tell. Reads.

    Raises ``Unprepared`` for a look at the places where it may have been.
    """
    place = arriving.place
    if place is None or project is None or arriving.target.explicit or arriving.glance is None:
        return ()
    from trop_core.operations.moving import evidence

    path = arriving.target.path
    candidates = evidence.candidates(connection, project=project, path=path, former_places=place.former_places)
    if not candidates:
        return ()
    states = arriving.states
    if states is None or not states.keys() >= set(candidates):
        raise Unprepared(lambda: again(arriving.with_states(candidates)))
    found = evidence.choose({candidate: states[candidate] for candidate in candidates})
    if found is None:
        return ()
    line = migrate_line(found, path, "--force")
    return (f"this directory may have been {quoted(found)} before: if it was, {line} brings its reservations here",)


def above(
    connection: StoreConnection, arriving: Arriving, tag: str | None, again: Callable[[Arriving], Any]
) -> tuple[str, ...]:
    """The warning that a directory above a new key's, up to its worktree's root, has a reservation of that tag. Reads.

    Raises ``Unprepared`` for a look at the worktree.
    """
    if arriving.target.explicit:
        return ()
    if arriving.place is None:
        raise Unprepared(lambda: again(arriving.with_place()))
    root, directory = arriving.place.root, arriving.target.path
    while root is not None and directory != root and (parent := os.path.dirname(directory)) != directory:
        directory = parent
        row = reservations.find(connection, ReservationKey(directory, tag))
        if row is not None:
            # Not every command that comes here has that itself.
            told = f"{quoted(directory)} has port {row.port} already; --root (of trop reserve) reserves for the root"
            told += " of the worktree"
            return (told if directory == root else f"{told}, {quoted(root)}",)
    return ()


def execute(connection: StoreConnection, arrival: Arrival, context: Context) -> None:
    """Move what is to move, in batches, and note which directory it is.

    Between batches it reports the rows that have moved, and raises ``Cancelled`` if the call was taken back.
    """
    if arrival.move is not None:
        from trop_core.database import moving

        done = 0
        context.progress(done, arrival.rows)
        for moved in moving.in_batches(connection, arrival.move, ROWS_PER_BATCH):
            context.token.check()
            done += moved
            if moved:
                context.progress(done, arrival.rows)
        directories.move(connection, arrival.move, by_itself=True)
    if arrival.directory is not None and companion.ensure(connection, companion.DIRECTORIES):
        directories.disown(connection, arrival.directory)
        directories.record(connection, arrival.directory)


def migrate_line(source: str, destination: str, *options: str) -> str:
    """The command that moves reservations, quoted for the shell."""
    return " ".join(
        map(shell_word, ("trop", "migrate", "--from", source, "--to", destination, "--recursive", *options))
    )


def _was_at(connection: StoreConnection, former: str, sight: Sight) -> str:
    """Where a directory was before, and what is reserved there, as a clause."""
    selection = Selection(former, recursive=True)
    rows = reservations.select(connection, selection, limit=MOST_NAMED)
    ports = ", ".join(f"{row.port} (tag {row.tag})" if row.tag is not None else str(row.port) for row in rows)
    more = ", …" if reservations.count(connection, selection) > len(rows) else ""
    told = ""
    if sight == "hidden":
        told = " which cannot be looked at now, and"
    elif sight == "outside":
        told = " or still is under other mounts,"
    return f"this directory was {quoted(former)} before,{told} where these ports are reserved: {ports}{more}"


def _told_of_place(connection: StoreConnection, path: str, former: str, sight: Sight) -> tuple[str, ...]:
    """The warning that a directory was elsewhere before, where its reservations stay there."""
    line = migrate_line(former, path, "--force")
    match sight:
        case "other":
            told = f"this directory was {quoted(former)} before, where another one stands now"
            return (f"{told}: what is reserved there stays",)
        case "link":
            return (f"{quoted(former)} leads here, and has reservations: {line} brings them here",)
        case "outside" | "hidden":
            return (f"{_was_at(connection, former, sight)}; to have them here, {line}",)
        case _:
            return ()


def _told_of_tables(connection: StoreConnection) -> tuple[str, ...]:
    """The warning that moves are not followed because of how the record of directories is, if it is so."""
    if companion.is_usable(connection, companion.DIRECTORIES):
        return ()
    told = companion.warning(companion.state(connection))
    return () if told is None else (told,)


def _known(connection: StoreConnection, arriving: Arriving, again: Callable[[Arriving], Any]) -> Arrival:
    """A directory that has reservations: note which one it is, where that is not known or another one stands there."""
    path = arriving.target.path
    arrival = Arrival(path, path, is_new=False)
    seen = arriving.glance
    if seen is None:
        return arrival
    stored = directories.find(connection, path)
    looks_the_same = stored is not None and (stored.file_system, stored.inode) == tuple(seen)
    if stored is not None and looks_the_same and not stored.has_left:
        return arrival
    if stored is None and (told_of_tables := _told_of_tables(connection)):
        return arrival._replace(warnings=told_of_tables)
    found = _elsewhere(connection, arriving, again)
    directory = _noted(arriving, found)
    if directory is None:
        return arrival
    if stored is None or stored.inode is None:
        return arrival._replace(directory=directory)
    if found is not None and found[1] == "gone":
        line = migrate_line(found[0], path, "--force")
        told = (
            f"this directory was {quoted(found[0])} before, but reservations here are in the way: {line} replaces them"
        )
    elif looks_the_same and _born(arriving) == -(stored.born or 0):
        # It is back from where it has reserved meanwhile.
        return arrival._replace(directory=directory)
    else:
        told = (
            f"{quoted(path)} is another directory than the one that its ports were reserved for; they stay with the "
            "path"
        )
    return arrival._replace(directory=directory, warnings=(told,))


def _elsewhere(
    connection: StoreConnection, arriving: Arriving, again: Callable[[Arriving], Any]
) -> tuple[str, Sight] | None:
    """The one other path with reservations at which this very directory was seen, and what stands there now."""
    if arriving.glance is None:
        return None
    if arriving.place is None:
        raise Unprepared(lambda: again(arriving.with_place()))
    identity = arriving.place.identity
    if identity is None:
        return None
    elsewhere = directories.with_identity(connection, identity, but=arriving.target.path)
    names = [] if elsewhere else directories.seen_without_birth(connection, arriving.glance, but=arriving.target.path)
    if len(elsewhere) + len(names) != 1:
        return None
    former = (*elsewhere, *names)[0].path
    if former not in arriving.sights:
        raise Unprepared(lambda: again(arriving.with_sight(former)))
    sight = arriving.sights[former]
    # Of a name below a link it is not known which directory it led to before: only where it leads now counts.
    return (former, sight) if elsewhere or sight == "same" else None


def _followed(connection: StoreConnection, arriving: Arriving, arrival: Arrival, former: str) -> Arrival:
    """The move of everything at and below a place that is gone, if nothing is in its way."""
    path = arriving.target.path
    move = _move_from(former, arriving)
    count = reservations.count(connection, move.source)
    if not arriving.follow:
        line = migrate_line(former, path, "--force")
        told = f"this directory was {quoted(former)} before, and moves are not followed: {line} brings them here"
        return arrival._replace(warnings=(told,))
    obstacle = _in_the_way(connection, move)
    if obstacle is not None:
        return arrival._replace(warnings=(f"this directory was {quoted(former)} before, but {obstacle}",))
    directory = arrival.directory
    number = f"{count} reservations" if count > 1 else "1 reservation"
    return Arrival(
        path,
        former,
        is_new=False,
        move=move,
        rows=count,
        directory=None if directory is None else directory._replace(came_from=former),
        warnings=(f"this directory was {quoted(former)} before: {number} moved along",),
    )


def _move_from(former: str, arriving: Arriving) -> Move:
    """The move of everything at and below a former place."""
    from trop_core.database.moving import Move

    return Move(Selection(former, recursive=True), arriving.target.path)


def _in_the_way(connection: StoreConnection, move: Move) -> str | None:
    """What keeps a move from being followed, as a clause that says what settles it; None if nothing does."""
    from trop_core.database import moving

    if moving.count_conflicts(connection, move):
        line = migrate_line(move.source.path, move.destination, "--force")
        return f"reservations here are in its way: {line} replaces them"
    if moving.longer_than(connection, move, LONGEST_PATH) is not None:
        return "a path below it would become too long to be stored"
    return None


def _noted(arriving: Arriving, elsewhere: tuple[str, Sight] | None = None) -> Directory | None:
    """What is noted of a directory: of one that has no identity, at least what a glance shows.

    So it is also where its other path may hold under other mounts: from there, its next move has to be followed.
    """
    seen, place = arriving.glance, arriving.place
    if seen is None or place is None:
        return None
    born = None if elsewhere is not None and elsewhere[1] == "outside" else _born(arriving)
    return Directory(arriving.target.path, seen.file_system, seen.inode, born, git_directory=place.git_directory)


def _born(arriving: Arriving) -> int | None:
    place = arriving.place
    return None if place is None or place.identity is None else place.identity.born


def _look_at(context: Context, path: str) -> Place:
    from trop_core import git

    return Place(
        identity=context.identify(path),
        root=git.worktree_root(path, context.is_safe),
        git_directory=git.linked_to(path, context.is_safe),
        former_places=git.former_places(path, context.is_safe),
    )


def _sight(arriving: Arriving, path: str, identity: Identity | None) -> Sight:
    """What stands at another place; hidden as well where the system does not answer in time."""
    from trop_core import looks

    look = looks.Look(lambda: _sight_of(arriving, path, identity))
    return look.answer(looks.SECONDS, "hidden")


def _sight_of(arriving: Arriving, path: str, identity: Identity | None) -> Sight:
    if identity is None:
        return "away"
    context = arriving.context
    if context.identify(path) == identity:
        return "same"
    state = context.directory_state(path)
    if state is DirectoryState.PRESENT:
        if context.identify(os.path.realpath(path)) != identity:
            return "other"
        return "link" if os.path.islink(path) else "same"
    if state is DirectoryState.UNKNOWN:
        return "hidden"
    if not is_gone_from(path, identity.file_system):
        return "away"
    return "gone" if can_be_renamed(path, arriving.target.path) else "outside"
