"""The benchmarks: see README.md beside this file."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import callers, documents, figures, growth, moves, server, stores
from benchmarks.clients import Client
from benchmarks.in_process import call
from benchmarks.measure import exceeded, found, in_turn, note, of_processes, report

from trop_core.database import reservations
from trop_core.database.connection import Database
from trop_core.database.migrations import v2
from trop_core.database.waiting import Patience
from trop_core.models import PortRange
from trop_core.ports.allocation import Exhausted, lowest_free
from trop_core.ports.checks import OccupancyChecks
from trop_core.ports.exclusions import Exclusions
from trop_core.ports.occupancy import OccupancyProbe

if TYPE_CHECKING:
    from collections.abc import Callable

BIN = Path(sys.executable).parent
PATIENCE = Patience(5.0)

FLOOR = [sys.executable, "-c", "import sqlite3"]
"""What nothing in Python that opens a store is quicker than."""


def _scripted(*arguments: str) -> list[str]:
    """What the script does that uv and newer versions of pip write. That of pip before 26.3 imports ``re`` as well."""
    code = f"import sys; from trop_server.programs import trop; sys.argv = {['trop', *arguments]!r}; trop()"
    return [sys.executable, "-c", code]


def cold(work: Path) -> None:
    """The command, from start to end, for a reservation that exists."""
    stores.current(str(work / "data" / "trop.db"), range(65_536 - stores.ROWS, 65_536))
    directory = work / "repository"
    directory.mkdir()
    run = partial(subprocess.run, cwd=directory, env=_environment(work), check=True, stdout=subprocess.DEVNULL)
    reserve = partial(run, [BIN / "trop", "reserve"])

    reserve()
    _in_both_ways("trop reserve of an existing key", run, ["reserve"], bound=1.1)

    (directory / "trop.yaml").write_text("project: shop\nports: {min: 5000, max: 6000}\nexcluded_ports: [5001]\n")
    _in_both_ways("trop reserve with a trop.yaml in reach", run, ["reserve"], bound=2.2)


def cold_new(work: Path) -> None:
    """The command for a key that is new, in a git repository: the project and the identity of the directory are asked.

    A tag that comes and goes is a new key each time.
    """
    path = stores.current(str(work / "data" / "trop.db"), range(65_536 - stores.ROWS, 65_536))
    repository = work / "repository"
    subprocess.run(["git", "init", "--quiet", repository], check=True)
    run = partial(subprocess.run, cwd=repository, env=_environment(work), check=True, stdout=subprocess.DEVNULL)

    def forget() -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("DELETE FROM reservations WHERE tag = 'new'")

    run([BIN / "trop", "reserve"])
    new = ["reserve", "--tag", "new"]
    _in_both_ways("trop reserve of a new key in a git repository", run, new, bound=2.5, prepare=forget)


def _in_both_ways(
    what: str,
    run: Callable[[list[str]], object],
    arguments: list[str],
    *,
    bound: float,
    prepare: Callable[[], object] | None = None,
) -> None:
    """The command as newer installers write its script, and as it is installed here: the time of the processor."""
    newer, installed = partial(run, _scripted(*arguments)), partial(run, [str(BIN / "trop"), *arguments])
    times = in_turn(newer, installed, partial(run, FLOOR), rounds=30, prepare=prepare, clock=of_processes)
    report(what, times[0], times[2], bound)
    report(f"{what}, by the script that is installed here", times[1], times[2], bound)


def log(work: Path) -> None:
    """The command for a key that is new, beside itself without the record of what was done."""
    path = stores.current(str(work / "data" / "trop.db"), range(65_536 - stores.ROWS, 65_536))
    directory = work / "directory"
    directory.mkdir()
    run = partial(subprocess.run, cwd=directory, env=_environment(work), check=True, stdout=subprocess.DEVNULL)
    logged = "import sys; sys.argv = ['trop', 'reserve', '--tag', 'new']; from trop_server.programs import trop; "
    unlogged = (
        "from contextlib import nullcontext; from trop_core.operations.recording import Recording; "
        "Recording.kept = lambda *_, **__: nullcontext(); "
    )

    def forget() -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("DELETE FROM reservations WHERE tag = 'new'")

    measured, bare = in_turn(
        partial(run, [sys.executable, "-c", f"{logged}trop()"]),
        partial(run, [sys.executable, "-c", f"{logged}{unlogged}trop()"]),
        rounds=60,
        prepare=forget,
    )
    report("trop reserve of a new key, cold (without the record)", measured, bare, 1.1)


def doctor(work: Path) -> None:
    """Everything that doctor looks at, of a store of 60,000 rows, beside what SQLite says of that file."""
    path = stores.current(str(work / "data" / "trop.db"))
    directory = work / "directory"
    directory.mkdir()

    def checked() -> None:
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]

    examine = partial(call, work / "data", "doctor", [], {"path": str(directory)})
    measured, bare = in_turn(examine, checked, rounds=15)
    report(f"doctor of {stores.ROWS:,} rows (PRAGMA integrity_check)", measured, bare, 3)


def autoreserve(work: Path) -> None:
    """The command for a group of five that exists, beside a single reservation in the same directory."""
    stores.current(str(work / "data" / "trop.db"), range(65_536 - stores.ROWS, 65_536))
    directory = work / "repository"
    directory.mkdir()
    services = "".join(f"    service-{number}: {{offset: {number}}}\n" for number in range(5))
    (directory / "trop.yaml").write_text(f"project: shop\nreservations:\n  base: 5000\n  services:\n{services}")
    run = partial(subprocess.run, cwd=directory, env=_environment(work), check=True, stdout=subprocess.DEVNULL)
    group = ["autoreserve", "--shell", "bash"]
    run([BIN / "trop", *group])
    _in_both_ways("trop autoreserve of a stored group of five", run, group, bound=2.4)


def listing(work: Path) -> None:
    """The table of 20 reservations; and that of 60,000, beside reading the rows and printing them plainly."""
    run = partial(subprocess.run, cwd=work, env=_environment(work), check=True, stdout=subprocess.DEVNULL)
    listed = partial(run, [BIN / "trop", "list"])
    stores.current(str(work / "data" / "trop.db"), range(30_000, 30_020))
    _in_both_ways("trop list of 20 rows", run, ["list"], bound=1.8)

    path = work / "data" / "trop.db"
    path.unlink()
    stores.current(str(path))
    plainly = (
        f"import sqlite3; rows = sqlite3.connect({str(path)!r}).execute("
        "'SELECT port, path, tag, project, task, created_at, last_used_at FROM reservations ORDER BY path, tag'); "
        "print('\\n'.join('\\t'.join(map(str, row)) for row in rows))"
    )
    plain = partial(run, [sys.executable, "-c", plainly])
    measured, bare = in_turn(listed, plain, rounds=7, clock=of_processes)
    report(f"trop list of {stores.ROWS:,} rows (reading and printing them plainly)", measured, bare, 2)


def run_command(work: Path) -> None:
    """Becoming a command with the port that exists, beside printing that port and starting the command."""
    stores.current(str(work / "data" / "trop.db"), range(65_536 - stores.ROWS, 65_536))
    directory = work / "repository"
    directory.mkdir()
    run = partial(subprocess.run, cwd=directory, env=_environment(work), check=True, stdout=subprocess.DEVNULL)
    measured, apart = in_turn(
        partial(run, [BIN / "trop", "run", "--", "true"]), lambda: (run(FLOOR), run(["true"])), rounds=40
    )
    report("trop run of true, cold (import sqlite3, and true)", measured, apart, 4)


def status(work: Path) -> None:
    """The status of a directory with 20 services, on three of which its own programs listen."""
    stores.current(str(work / "data" / "trop.db"), range(30_100, 65_536))
    directory = work / "repository"
    directory.mkdir()
    run = partial(subprocess.run, cwd=directory, env=_environment(work), check=True, stdout=subprocess.DEVNULL)
    here = os.getcwd()
    os.chdir(directory)
    try:
        with _Listeners(3) as held:
            services = "".join(f"    service-{number}: {{preferred: {held.first + number}}}\n" for number in range(20))
            (directory / "trop.yaml").write_text(f"reservations:\n  services:\n{services}")
            run([BIN / "trop", "autoreserve", "--shell", "bash", "--skip-occupancy-check", "--quiet"])
            measured, bare = in_turn(partial(run, [BIN / "trop", "status"]), partial(run, FLOOR), rounds=40)
    finally:
        os.chdir(here)
    report("trop status of 20, 3 of them listening, cold", measured, bare, 9)


def warm(work: Path) -> None:
    """A round trip over stdio for a reservation that exists, beside an empty command of a stock pygls server."""
    stores.current(str(work / "data" / "trop.db"), range(65_536 - stores.ROWS, 65_536))
    directory = work / "repository"
    directory.mkdir()
    stock = [sys.executable, str(Path(__file__).with_name("stock_server.py"))]
    with (
        Client([str(BIN / "trop-server")], directory, _environment(work)) as ours,
        Client(stock, directory, _environment(work)) as theirs,
    ):
        reserve = partial(ours.command, "trop.reserve", {})
        nothing = partial(theirs.command, "stock.nothing", {})
        measured, bare = in_turn(reserve, nothing, rounds=400)
        used = [_processor_time(client.pid) for client in (ours, theirs)]
        for _ in range(400):
            reserve()
            nothing()
        spent = [_processor_time(client.pid) - before for client, before in zip((ours, theirs), used, strict=True)]
    report("trop.reserve, warm, round trip (an empty command of a stock server)", measured, bare, 1.2)
    told = "trop.reserve, warm, processor time of the server (that of the stock server)"
    report(told, spent[0] / 400, spent[1] / 400, figures.NO_GOAL)


def _processor_time(process: int) -> float:
    import psutil

    used = psutil.Process(process).cpu_times()
    return used.user + used.system


def allocate(work: Path) -> None:
    """The lowest free port, in process."""
    gap = [port for port in range(stores.FIRST_PORT, stores.FIRST_PORT + stores.ROWS) if port != 2090]
    many = _open(stores.current(str(work / "many" / "trop.db"), gap))
    few = _open(stores.current(str(work / "few" / "trop.db"), [*range(2000, 2090), *range(2091, 2101)]))
    full = _open(stores.current(str(work / "full" / "trop.db")))
    ports = PortRange(2000, 65535)
    measured, bare = in_turn(partial(_lowest, many, ports, 200), partial(_lowest, few, ports, 200), rounds=30)
    report("200 × a gap among the first 100 of 60,000 (of 100)", measured, bare, 3)

    scan = partial(_scan, full)
    measured, bare = in_turn(partial(_lowest, full, ports, 1), scan, rounds=60)
    report("the first port behind 60,000 contiguous ones (one indexed scan)", measured, bare, 1.5)


def occupancy(work: Path) -> None:
    """The first free port of 2,001 that are all occupied but the last, beside the bind calls alone."""
    import socket

    empty = _open(stores.current(str(work / "data" / "trop.db"), []))
    with _Listeners(2000) as listeners:
        ports = PortRange(listeners.first, listeners.first + 2000)

        def allocated() -> None:
            probe = OccupancyProbe(OccupancyChecks())
            with empty.read(Patience(5.0)) as connection:
                taken = reservations.taken_ports(connection, ports.minimum, ports.maximum)
                assert lowest_free(ports, taken, Exclusions(), probe.is_occupied) == ports.maximum

        def bound() -> None:
            for port in range(ports.minimum, ports.maximum):
                with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as attempt:
                    attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    try:
                        attempt.bind(("127.0.0.1", port))
                    except OSError:
                        continue

        measured, bare = in_turn(allocated, bound, rounds=15)
    report("the one free port behind 2,000 occupied ones (the bind calls alone)", measured, bare, 2)


def scan(work: Path) -> None:
    """Who holds 2,000 ports, in process, beside one read of the system's table of sockets."""
    import psutil

    stores.current(str(work / "data" / "trop.db"), range(20_000, 22_000))
    with _Listeners(2000) as listeners:
        values: dict[str, object] = {"min": listeners.first, "max": listeners.first + 1999, "folder": str(work)}

        def scanned() -> None:
            assert len(call(work / "data", "scan", [], values).sockets) >= 2000

        measured, bare = in_turn(scanned, psutil.net_connections, rounds=30)
    report("scan of 2,000 held ports (one psutil.net_connections())", measured, bare, 2)


def prune(work: Path) -> None:
    """Removing the reservations of directories that are gone, in process, beside looking at all of them."""
    path = str(work / "data" / "trop.db")
    directories = stores.half_dead(path, work / "places", 10_000)
    full = shutil.copy(path, work / "full.db")

    def again() -> None:
        with closing(sqlite3.connect(full)) as source, closing(sqlite3.connect(path)) as target:
            source.backup(target)

    def pruned() -> None:
        assert call(work / "data", "prune", [], {}).removed_count == len(directories) // 2

    def looked_at() -> None:
        for directory in directories:
            try:
                os.stat(directory)
            except FileNotFoundError:
                continue

    measured, bare = in_turn(pruned, looked_at, rounds=15, prepare=again)
    report("prune 10,000 rows, half of them dead (the stat calls alone)", measured, bare, 4)


def schema(work: Path) -> None:
    """The schema migration from version 1 to 2."""
    for count, rounds in ((60_000, 7), (500, 15)):
        source = stores.version_1(str(work / f"v1-{count}.db"), count)
        path = str(work / "trop.db")

        def fresh(source: str = source, path: str = path) -> None:
            for leftover in work.glob("trop.db*"):
                leftover.unlink()
            shutil.copy(source, path)

        measured, bare = in_turn(
            partial(_open_and_close, path), partial(_insert_select, path), rounds=rounds, prepare=fresh
        )
        report(f"v1 to v2, {count:,} rows (one INSERT … SELECT)", measured, bare, 6 if count == 60_000 else 1e9)
        if count == 500:
            note("v1 to v2, 500 rows, to stay under 100 ms", measured)


def _lowest(database: Database, ports: PortRange, times: int) -> None:
    with database.read(PATIENCE) as connection:
        for _ in range(times):
            taken = reservations.taken_ports(connection, ports.minimum, ports.maximum)
            assert not isinstance(lowest_free(ports, taken, Exclusions(), lambda port: False), Exhausted)


def _scan(database: Database) -> None:
    with database.read(PATIENCE) as connection:
        connection.execute("SELECT port FROM reservations WHERE port BETWEEN 2000 AND 65535 ORDER BY port").fetchall()


def _insert_select(path: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(v2.RESERVATIONS.replace("reservations", "copied"))
        connection.execute(
            "INSERT INTO copied SELECT path, coalesce(tag, ''), port, project, task, created_at, last_used_at"
            " FROM reservations"
        )
        connection.execute("COMMIT")


def _open_and_close(path: str) -> None:
    _open(path).close()


def _open(path: str) -> Database:
    return Database.open(path)


def _environment(work: Path) -> dict[str, str]:
    home = work / "home"
    home.mkdir(exist_ok=True)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("TROP_", "PYTHON"))}
    return {**kept, "HOME": str(home), "TROP_DATA_DIR": str(work / "data")}


class _Listeners:
    """TCP listeners on a run of ports of the loopback address, and a free port behind them."""

    def __init__(self, count: int) -> None:
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 500), hard))
        self.count = count
        self.first = 0

    def __enter__(self) -> Self:
        import socket

        for first in range(20_000, 30_000, self.count + 10):
            self.sockets: list[socket.socket] = []
            try:
                for port in range(first, first + self.count):
                    listener = socket.socket()
                    self.sockets.append(listener)
                    listener.bind(("127.0.0.1", port))
                    listener.listen(1)
            except OSError:
                self.__exit__()
                continue
            self.first = first
            return self
        raise SystemExit("no run of free ports on this machine")

    def __exit__(self, *_: object) -> None:
        for listener in self.sockets:
            listener.close()


BENCHMARKS: dict[str, Callable[[Path], None]] = {
    "cold": cold,
    "cold-new": cold_new,
    "log": log,
    "doctor": doctor,
    "autoreserve": autoreserve,
    "list": listing,
    "run": run_command,
    "status": status,
    "warm": warm,
    "callers": lambda work: callers.at_once(work, _environment(work)),
    "growth": lambda work: growth.picture(work, _environment(work), FLOOR),
    "allocate": allocate,
    "occupancy": occupancy,
    "scan": scan,
    "migrate": lambda work: moves.migrate(work, _environment(work)),
    "follow": moves.follow,
    "prune": prune,
    "schema": schema,
    "start": lambda work: server.start(work, _environment(work)),
    "calls": lambda work: server.calls(work, _environment(work)),
    "memory": lambda work: server.memory(work, _environment(work)),
    "keystroke": documents.keystroke,
    "keystrokes": lambda work: documents.memory(work, _environment(work)),
}


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all. With --page, what is found goes into the README."""
    is_for_page = "--page" in names
    names = [name for name in names if name != "--page"]
    for name in names or BENCHMARKS:
        with tempfile.TemporaryDirectory() as directory:
            BENCHMARKS[name](Path(directory))
    if is_for_page:
        figures.write(found)
    return 1 if exceeded else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
