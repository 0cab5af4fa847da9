"""How a run fails: its exit code, ``error:`` and ``hint:`` on stderr, nothing on stdout, and never a traceback."""

from __future__ import annotations

import importlib
import os
import pkgutil
import signal
import sqlite3
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.patience import PATIENCE
from support.sandbox import UNMEASURED, error_lines

from trop_core import __version__, errors
from trop_core.errors.base import TropError
from trop_server.cli.exit_codes import EXIT_CODES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.sandbox import Sandbox


def every_kind() -> Iterator[str]:
    for module in pkgutil.iter_modules(errors.__path__):
        importlib.import_module(f"{errors.__name__}.{module.name}")
    todo = [TropError]
    while todo:
        kind = todo.pop()
        yield kind.kind
        todo += kind.__subclasses__()


def test_every_kind_of_error_has_an_exit_code() -> None:
    assert set(every_kind()) == set(EXIT_CODES)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="nothing at all"),
        pytest.param(["bogus"], id="an unknown subcommand"),
        pytest.param(["reserve", "--bogus"], id="an unknown flag"),
        pytest.param(["--bogus", "reserve"], id="one before the subcommand"),
        pytest.param(["reserve", "--over"], id="an abbreviated flag"),
        pytest.param(["reserve", "extra"], id="an argument too many"),
        pytest.param(["reserve", "--port"], id="a flag without its value"),
        pytest.param(["reserve", "--overwrite=yes"], id="a value for what takes none"),
        pytest.param(["reserve", "--folder", "/w"], id="a field that is no flag"),
        pytest.param(["list", "--format", "xml"], id="an unknown format"),
        pytest.param(["list", "--path", "/w"], id="a filter without its prefix"),
        pytest.param(["call"], id="a call of nothing"),
        pytest.param(["reserve", "--port", "many"], id="a port that is no number"),
        pytest.param(["reserve", "--port", "0"], id="port 0"),
        pytest.param(["reserve", "--port", "65536"], id="a port beyond the last one"),
        pytest.param(["reserve", "--port", "-5"], id="a negative port"),
        pytest.param(["reserve", "--port", "5_000"], id="a port with an underscore"),
        pytest.param(["reserve", "--port", "\u0665\u0660\u0660\u0660"], id="a port in other digits"),
        pytest.param(["reserve", "--port", "5000.0"], id="a port with a point"),
        pytest.param(["reserve", "--port", "9" * 5000], id="a port of five thousand digits"),
        pytest.param(["reserve", "--port", ""], id="an empty port"),
        pytest.param(["reserve", "--min", "6000", "--max", "5000"], id="a range upside down"),
        pytest.param(["reserve", "--tag", ""], id="an empty tag"),
        pytest.param(["reserve", "--tag", "  "], id="a blank tag"),
        pytest.param(["reserve", "--tag", "a\nb"], id="a tag with a line feed"),
        pytest.param(["reserve", "--tag", "x" * 256], id="a tag that is too long"),
        pytest.param(["reserve", "--path", ""], id="an empty path"),
        pytest.param(["reserve", "--project", "a", "--clear-project"], id="set and clear"),
        pytest.param(["--busy-timeout", "soon", "reserve"], id="a timeout that is no number"),
        pytest.param(["reserve", "--busy-timeout", "-1"], id="a negative timeout"),
        pytest.param(["reserve", "--busy-timeout", "nan"], id="a timeout that is no number at all"),
        pytest.param(["reserve", "--busy-timeout", "inf"], id="an endless timeout"),
        pytest.param(["--data-dir", "", "reserve"], id="an empty data directory"),
    ],
)
def test_a_mistake_on_the_command_line_ends_with_4(sandbox: Sandbox, arguments: list[str]) -> None:
    done = sandbox.trop(*arguments)

    error_lines(done)
    assert (done.returncode, done.stdout) == (4, "")
    assert not sandbox.data.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([b"reserve", b"--path", b"\xff"], id="a path"),
        pytest.param([b"reserve", b"--tag", b"\xff"], id="a tag"),
        pytest.param([b"--data-dir", b"/w/\xff", b"reserve"], id="the data directory"),
        pytest.param([b"list", b"--filter-path", b"/w/\xff"], id="a filter"),
        pytest.param([b"\xff"], id="a subcommand"),
        pytest.param([b"call", b"trop.\xff"], id="a command"),
        pytest.param([b"call", b"trop.list", b'{"path": "\xff"}'], id="JSON"),
    ],
)
def test_bytes_that_are_no_text_are_refused(sandbox: Sandbox, arguments: list[bytes]) -> None:
    done = sandbox.trop(*arguments)

    error_lines(done)
    assert done.returncode == 4
    assert not sandbox.data.exists()


def test_a_directory_whose_name_is_no_text_is_refused(sandbox: Sandbox) -> None:
    directory = os.fsencode(sandbox.work) + b"/\xff"
    os.mkdir(directory)

    done = sandbox.trop("reserve", cwd=os.fsdecode(directory))  # type: ignore[arg-type]

    message, _ = error_lines(done)
    assert (done.returncode, done.stdout) == (4, "")
    assert message.endswith("cannot be used as a path: it is not valid UTF-8")


def test_a_working_directory_that_is_gone_is_refused_unless_a_path_is_named(sandbox: Sandbox) -> None:
    gone = sandbox.directory("gone")
    script = f'rmdir "{gone}"; trop reserve; echo $?; trop reserve --path /x; echo $?; trop reserve --path /x --force'

    done = sandbox.run("sh", "-c", script, cwd=gone, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")

    assert done.stdout == "4\n1\n5000\n"
    assert "the working directory no longer exists" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_lock_that_is_held_ends_with_2(sandbox: Sandbox) -> None:
    with sandbox.locked():
        begin = time.monotonic()
        done = sandbox.trop("reserve", "--busy-timeout", "0.3")
        waited = time.monotonic() - begin
        at_once = sandbox.trop("reserve", TROP_BUSY_TIMEOUT="0")
        reading = sandbox.trop("list", "--busy-timeout", "0")

    message, hint = error_lines(done)
    assert (done.returncode, done.stdout) == (2, "")
    assert message == "the store was locked by another process for 0.3 s while trying to reserve"
    assert "--busy-timeout" in hint
    assert waited >= 0.3
    assert at_once.returncode == 2
    assert error_lines(at_once) == (
        "the store was locked by another process while trying to reserve, and this call does not wait",
        "Nothing has changed. Try again, or wait for it with TROP_BUSY_TIMEOUT (or trop's --busy-timeout).",
    )
    assert reading.returncode == 0


def test_the_variable_of_the_rust_tool_is_heard(sandbox: Sandbox) -> None:
    with sandbox.locked():
        done = sandbox.trop("reserve", TROP_MAXIMUM_LOCK_WAIT_SECONDS="0")

    assert done.returncode == 2


def file_instead_of_directory(sandbox: Sandbox) -> None:
    sandbox.data.write_text("")


def directory_instead_of_file(sandbox: Sandbox) -> None:
    sandbox.database.mkdir(parents=True)


def noise(sandbox: Sandbox) -> None:
    sandbox.data.mkdir()
    sandbox.database.write_bytes(os.urandom(8192))


def truncated(sandbox: Sandbox) -> None:
    sandbox.fill(2000)
    connection = sqlite3.connect(sandbox.database)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    os.truncate(sandbox.database, 4096 * 3)


def newer(sandbox: Sandbox) -> None:
    sandbox.make_store()
    sandbox.execute("UPDATE metadata SET value = '99' WHERE key = 'schema_version'")


def foreign(sandbox: Sandbox) -> None:
    sandbox.data.mkdir()
    sandbox.execute("CREATE TABLE somebody_elses (a)")


def without_table(sandbox: Sandbox) -> None:
    sandbox.make_store()
    sandbox.execute("DROP TABLE reservations")


def relative_path(sandbox: Sandbox) -> None:
    sandbox.make_store()
    sandbox.execute("INSERT INTO reservations VALUES ('relative', '', 6000, NULL, NULL, 0, 0)")


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        pytest.param(file_instead_of_directory, 5, id="a file where the data directory should be"),
        pytest.param(directory_instead_of_file, 5, id="a directory where the file should be"),
        pytest.param(noise, 6, id="noise"),
        pytest.param(truncated, 6, id="a truncated file"),
        pytest.param(newer, 6, id="a newer version"),
        pytest.param(foreign, 6, id="another program's database"),
        pytest.param(without_table, 6, id="a missing table"),
        pytest.param(relative_path, 6, id="a row that cannot be"),
    ],
)
@pytest.mark.parametrize("verbose", [False, True], ids=["", "verbose"])
def test_a_store_that_cannot_be_used_is_left_alone(
    sandbox: Sandbox, damage: Callable[[Sandbox], None], code: int, verbose: bool
) -> None:
    damage(sandbox)

    done = sandbox.trop("list", *(["--verbose"] if verbose else []))

    assert (done.returncode, done.stdout) == (code, "")
    assert ("Traceback" in done.stderr) is verbose
    assert "error: " in done.stderr
    if not verbose:
        error_lines(done)


@pytest.mark.parametrize(
    "variable",
    [
        "TROP_PORT_MIN",
        "TROP_EXCLUDED_PORTS",
        "TROP_EXPIRE_AFTER_DAYS",
        "TROP_BUSY_TIMEOUT",
        "TROP_OUTPUT_FORMAT",
        "TROP_LOG_MODE",
        "TROP_DISABLE_AUTOINIT",
        "TROP_SKIP_TCP",
    ],
)
@pytest.mark.parametrize("command", ["reserve", "list"])
def test_a_variable_that_nobody_understands_ends_with_7(sandbox: Sandbox, variable: str, command: str) -> None:
    changes: dict[str, Any] = {variable: "maybe"}

    done = sandbox.trop(command, **changes)

    message, _ = error_lines(done)
    assert (done.returncode, done.stdout) == (7, "")
    assert message.startswith(f"{variable}: ")
    assert "maybe" in message


def test_a_broken_configuration_ends_with_7_and_tells_all_its_problems(sandbox: Sandbox) -> None:
    (sandbox.work / "trop.yaml").write_text("ports:\n  min: many\nbogus: 1\n")

    done = sandbox.trop("reserve")

    assert (done.returncode, done.stdout) == (7, "")
    assert f"{sandbox.work / 'trop.yaml'}:2:" in done.stderr
    assert f"{sandbox.work / 'trop.yaml'}:3:" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_exhausted_range_ends_with_6(sandbox: Sandbox) -> None:
    sandbox.reserve("--port", "6000")

    done = sandbox.trop("reserve", "--tag", "web", "--min", "6000", "--max", "6000")

    message, hint = error_lines(done)
    assert (done.returncode, done.stdout) == (6, "")
    assert message.startswith("no port from 6000 to 6000 is free: 1 reserved, 0 excluded, 0 avoided, 0 occupied")
    assert "--min" in hint


def test_an_interrupt_ends_with_130_and_stores_nothing(sandbox: Sandbox) -> None:
    with sandbox.locked():
        process = sandbox.begin("reserve", "--busy-timeout", "60", "--verbose", cwd=None, **UNMEASURED)
        _wait_until_it_has_the_store_open(process.pid, str(sandbox.database))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)

    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-2] == "error: cancelled: nothing has changed"
    assert sandbox.rows() == []


@pytest.mark.parametrize("position", ["before", "after"])
@pytest.mark.parametrize("silence", ["--quiet", "TROP_LOG_MODE"])
def test_quiet_silences_all_but_errors(sandbox: Sandbox, position: str, silence: str) -> None:
    option = ["--quiet"] if silence == "--quiet" else []
    mode = None if option else "quiet"

    def quietly(*arguments: str) -> tuple[int, str, str]:
        ordered = [*option, *arguments] if position == "before" else [*arguments, *option]
        done = sandbox.trop(*ordered, TROP_LOG_MODE=mode)
        return done.returncode, done.stdout, done.stderr

    assert quietly("reserve", "--path", "later", "--dry-run") == (0, "5000\n", "")
    code, out, err = quietly("reserve", "--path", "/elsewhere")
    assert (code, out) == (1, "")
    assert err.startswith("error: ")


def test_help_and_version_go_to_stdout(sandbox: Sandbox) -> None:
    version = sandbox.trop("--version")
    after = sandbox.trop("reserve", "--version")
    help_text = sandbox.trop("--help")

    assert (version.returncode, version.stdout, version.stderr) == (0, f"trop {__version__}\n", "")
    assert after.stdout == version.stdout
    assert (help_text.returncode, help_text.stderr) == (0, "")
    for subcommand in ("reserve", "list", "show-path", "show-data-dir", "call"):
        assert subcommand in help_text.stdout


def _wait_until_it_has_the_store_open(pid: int, path: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            opened = {os.readlink(f"/proc/{pid}/fd/{number}") for number in os.listdir(f"/proc/{pid}/fd")}
        except FileNotFoundError:
            continue
        if f"{path}-shm" in opened:
            return
    raise TimeoutError("the process has not opened the store")
