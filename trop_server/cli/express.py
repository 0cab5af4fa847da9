"""The express lane: ``trop reserve`` of a key that exists, with nothing imported that this does not need.

It holds no rule of its own. Each condition under which the ordinary way would find the row, note the time, and print
the port, is looked at here with the least that tells so for certain; where one does not hold, or cannot be told,
nothing has been written, and the ordinary way does it all.

What this module imports is in the interpreter when it starts, or small, but for ``_sqlite3``: that is all of
``sqlite3`` but for its adapters of dates, which take as long to load as the rest of it.
"""

import _sqlite3 as sqlite3
import os
import stat
import sys
import time

from trop_core.config.names import GLOBAL_FILE, NEAR_GLOBAL, NEAR_NAMES, PROJECT_FILES
from trop_core.database.file_set import BESIDE, DATABASE_NAME, OLDEST_SQLITE, SHARED_UNIT, FileSet
from trop_core.mounts import is_mounted_alone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FILE_FORMAT = "2"
"""The version of the file format whose rows are read here: the latest one."""

COMPANION_VERSIONS = ("1", "2")
"""Those of the companion tables whose record of directories is."""

_LONGEST = 4096
_ROOM_BESIDE = 1024 * 1024


class _Ordinary(Exception):
    """Raised, with the reason, where the ordinary way has to do it."""


def reserve() -> None:
    """Print the port of the key that this process's command line names, and end the process.

    Returns, with nothing printed and at most the time of last use noted, where that is not all that there is to do.
    """
    is_done = False
    try:
        tag = _tag(sys.argv[1:], os.environ)
        store = os.path.join(_data_directory(os.environ), DATABASE_NAME)
        directory = _directory()
        _check_configuration(directory, os.path.dirname(store))
        _check_store(store)
        port = _touched(store, directory, tag)
        is_done = True
        _print(port)
    except (_Ordinary, OSError, ValueError, sqlite3.Error):
        # The ordinary way has the words for what is wrong, if anything is.
        return
    except BaseException as error:  # noqa: BLE001 - no traceback reaches a user who did not ask for it
        from trop_server.cli.main import ended_by

        os._exit(ended_by(error, is_done=is_done))
    os._exit(0)


def _tag(arguments: "Sequence[str]", environment: "Mapping[str, str]") -> str:
    """The tag that is asked for, as it is stored."""
    if "_ARGCOMPLETE" in environment:
        raise _Ordinary("a shell asks for completions")
    if any(name.startswith("TROP_") and name != "TROP_DATA_DIR" for name in environment):
        raise _Ordinary("a variable says something of settings, of the key, or of how much is told")
    if sys.stdout is None:
        raise _Ordinary("there is nowhere to print to")
    match arguments:
        case ["reserve"]:
            return ""
        case ["reserve", "--tag", tag]:
            pass
        case ["reserve", option] if option.startswith("--tag="):
            tag = option.removeprefix("--tag=")
        case _:
            raise _Ordinary("something else is asked for")
    if not (tag.isascii() and tag.replace("-", "").replace("_", "").isalnum()) or tag.startswith("-"):
        raise _Ordinary("the tag may be none, or stand for something else")
    return tag


def _data_directory(environment: "Mapping[str, str]") -> str:
    """Where the store is."""
    if sys.platform != "linux":
        raise _Ordinary("platformdirs knows where the store is")
    named, home = environment.get("TROP_DATA_DIR"), environment.get("HOME", "")
    if environment.get("SNAP_REAL_HOME") or not _is_plain(home) or home == "/":
        raise _Ordinary("the user's home is not where HOME says")
    if os.geteuid() == 0 and os.stat(home).st_uid != 0:
        raise _Ordinary("root works for somebody else")
    if named:
        if not _is_plain(named):
            raise _Ordinary("the name of the data directory has to be resolved")
        if os.geteuid() == 0 and os.stat(named).st_uid != 0:
            raise _Ordinary("root works in what is somebody else's")
        return named
    if environment.get("XDG_DATA_HOME"):
        raise _Ordinary("the store may be in one of several places")
    _check_absent(f"{home}/.trop/{DATABASE_NAME}")
    return f"{home}/.local/share/trop"


def _directory() -> str:
    """The working directory, under its one name."""
    directory = os.getcwd()
    if not _is_plain(directory):
        raise _Ordinary("the directory cannot be stored, or is none that can be reached")
    return directory


def _check_configuration(directory: str, data_directory: str) -> None:
    """Look for files that say something of settings, or that a warning would be about.

    No further up than ``trop_core.config.search`` looks: above that, a name may be one that the system has to ask for.
    """
    for name in (GLOBAL_FILE, *NEAR_GLOBAL):
        _check_absent(os.path.join(data_directory, name))
    place = directory
    while True:
        is_root = _has_repository(place)
        for name in (*PROJECT_FILES, *(NEAR_NAMES if is_root or place == directory else ())):
            _check_absent(os.path.join(place, name))
        if is_root or place in ("/", os.environ["HOME"]):
            return
        place = os.path.dirname(place)


def _has_repository(directory: str) -> bool:
    try:
        seen = os.lstat(os.path.join(directory, ".git"))
    except (FileNotFoundError, NotADirectoryError):
        return False
    if seen.st_uid not in (os.geteuid(), 0):
        raise _Ordinary("it may be a stranger's, and the search goes on")
    if stat.S_IFMT(seen.st_mode) not in (stat.S_IFDIR, stat.S_IFREG, stat.S_IFLNK):
        raise _Ordinary("it is no repository that git would know")
    return True


def _check_store(store: str) -> None:
    """Look for what is odd about the store's files."""
    if os.path.islink(store) or not os.path.isfile(store):
        raise _Ordinary("the store is missing, or something else")
    if tuple(map(int, sqlite3.sqlite_version.split("."))) < OLDEST_SQLITE:
        raise _Ordinary("this SQLite cannot read it")
    if not os.access(store, os.W_OK):
        raise _Ordinary("it may only be read")
    if os.lstat(store).st_nlink > 1 or is_mounted_alone(store):
        raise _Ordinary("it has other names")
    _check_absent(f"{store}-journal")
    beside = [store + suffix for suffix in BESIDE]
    found = [os.path.lexists(name) for name in beside]
    if all(found):
        size = os.stat(beside[1]).st_size
        if not all(os.access(name, os.W_OK) for name in beside) or not size or size % SHARED_UNIT:
            raise _Ordinary("what lies beside it cannot be used")
        return
    folder = os.path.dirname(store)
    if any(found) or not os.access(folder, os.W_OK | os.X_OK):
        raise _Ordinary("what has to lie beside it cannot be made")
    room = os.statvfs(folder)
    if room.f_blocks and room.f_bfree * room.f_frsize < _ROOM_BESIDE:
        raise _Ordinary("there may be no room for what has to lie beside it")


def _touched(store: str, directory: str, tag: str) -> int:
    """The port of a key, whose use is noted."""
    seen = _glance(directory)
    files = FileSet(store)
    escaped = store.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    connection = sqlite3.connect(f"file:{escaped}?mode=rw", timeout=0, isolation_level=None, uri=True)
    try:
        connection.execute("PRAGMA synchronous = NORMAL")
        files.note()
        if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            raise _Ordinary("it is not in WAL mode yet")
        connection.execute("BEGIN IMMEDIATE")
        port, used_at = _stored(connection, directory, tag, seen)
        now = max(int(time.time()), used_at)
        connection.execute("UPDATE reservations SET last_used_at = ? WHERE path = ? AND tag = ?", (now, directory, tag))
        if files.are_gone():
            raise _Ordinary("its files were replaced")
        connection.execute("COMMIT")
        if files.are_gone():
            raise _Ordinary("its files were replaced, and what was noted may be in none of them")
    finally:
        _close(connection, files, store)
    return port


def _stored(connection: sqlite3.Connection, directory: str, tag: str, seen: tuple[str, str]) -> tuple[int, int]:
    """The port of a key, and the time of its last use; in a transaction."""
    versions = dict(
        connection.execute("SELECT key, value FROM metadata WHERE key IN ('schema_version', 'companion_version')")
    )
    if versions.get("schema_version") != FILE_FORMAT or versions.get("companion_version") not in COMPANION_VERSIONS:
        raise _Ordinary("it is of another version")
    identity = connection.execute(
        "SELECT file_system, inode, born FROM directories WHERE path = ?", (directory,)
    ).fetchone()
    if identity is None or identity[:2] != seen or not (identity[2] is None or _is_whole(identity[2], 0)):
        raise _Ordinary("another directory stood here before, or it is not known which one")
    row = connection.execute(
        "SELECT path, tag, project, task, port, created_at, last_used_at FROM reservations WHERE path = ? AND tag = ?",
        (directory, tag),
    ).fetchone()
    if row is None:
        raise _Ordinary("the key is new")
    *texts, port, created_at, used_at = row
    if not (
        all(text is None or isinstance(text, str) for text in texts)
        and _is_whole(port, 1)
        and port <= 65535
        and _is_whole(created_at, 0)
        and _is_whole(used_at, 0)
    ):
        raise _Ordinary("the row is damaged")
    return port, used_at


def _close(connection: sqlite3.Connection, files: FileSet, store: str) -> None:
    """Roll back what is open, and close the connection, without a trace in files that are no longer the store's."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")
    if not files.are_gone():
        connection.close()
        return
    from trop_core.database.open_files import close_untouched
    from trop_core.database.waiting import Patience

    close_untouched(connection, store, Patience(5.0))


def _glance(directory: str) -> tuple[str, str]:
    """What stands at a path that is no link: see ``trop_core.identity.glance``."""
    inode, file_system = os.lstat(directory).st_ino, os.statvfs(directory).f_fsid
    if not file_system:
        raise _Ordinary("the file system does not say which one it is")
    return str(file_system), str(inode)


def _print(port: int) -> None:
    left = b"%d\n" % port
    while left:
        left = left[os.write(1, left) :]


def _check_absent(path: str) -> None:
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return
    raise _Ordinary("a file may have something to say")


def _is_plain(path: str) -> bool:
    """Whether a path is absolute, as it is stored, and can be."""
    path.encode()  # what is no UTF-8 is a ValueError
    return (
        path.startswith("/") and not path.startswith("//") and os.path.normpath(path) == path and len(path) <= _LONGEST
    )


def _is_whole(value: object, least: int) -> bool:
    return type(value) is int and value >= least
