"""The express lane of ``trop reserve``: nobody can tell from anything which way a call went."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.examples import examples
from support.patience import PATIENCE
from support.repositories import add_worktree, make_repository
from support.sandbox import LOOKING, TROP, UNMEASURED, Sandbox

from trop_core.database import companion
from trop_core.database.migrations.registry import COMPANION, LATEST_VERSION
from trop_server.cli import express

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("started_whole")

ORDINARY = """
import sys
sys.argv[0] = "trop"
import trop_server.programs
from trop_server.cli.main import main
main()
"""
"""The whole program, but for the express lane."""

IMPORT = re.compile(r"import time: .*\|\s+(\S+)")


class Seen(NamedTuple):
    """All that can be seen of a run, from outside and in the store."""

    stdout: str
    stderr: str
    code: int
    rows: object
    files: tuple[str, ...]


class World:
    """A directory with a reservation, in a sandbox, and what a twist has made of that."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.here = sandbox.work / "shop" / "web"
        self.here.mkdir(parents=True)
        self.arguments = ["reserve"]
        self.began = int(time.time())
        self.environment: dict[str, str | None] = {**LOOKING, **UNMEASURED, "XDG_DATA_HOME": None}
        for tag in ([], ["--tag", "web"]):
            sandbox.reserve(*tag, cwd=self.here)
        # A time of last use long ago: that it is noted shows.
        sandbox.execute("UPDATE reservations SET last_used_at = created_at - 1000, created_at = created_at - 1000")

    @property
    def stores(self) -> list[Path]:
        """Every place where a store may be."""
        home = self.sandbox.home
        return [
            self.sandbox.data,
            home / ".local/share/trop",
            home / ".trop",
            self.sandbox.root / "nothing",
            self.sandbox.root / "real",
        ]

    def leave_the_own_store_alone(self) -> None:
        """Have a home where nothing else says where the store is: it would be that of whoever runs the tests."""
        named, home = (self.environment.get(name, "/") for name in ("TROP_DATA_DIR", "HOME"))
        if not named and not (home and home.startswith("/")):
            del self.environment["HOME"]

    def run(self, *program: str) -> tuple[Seen, set[str]]:
        """What a run shows, and what it imported. The store is afterwards as it was before."""
        kept = self.sandbox.root / "kept"
        for number, place in enumerate(self.stores):
            if place.is_dir():
                shutil.copytree(place, kept / str(number), symlinks=True)
        done = self.sandbox.run(
            sys.executable, "-X", "importtime", *program, *self.arguments, cwd=self.here, **self.environment
        )
        lines = done.stderr.splitlines()
        imported = {match[1] for line in lines if (match := IMPORT.fullmatch(line))}
        told = "\n".join(line for line in lines if not line.startswith("import time:"))
        seen = Seen(done.stdout, told, done.returncode, self._rows(), self._files())
        for number, place in enumerate(self.stores):
            if place.is_dir():
                for file in place.iterdir():
                    if not (kept / str(number) / file.name).is_symlink():
                        file.unlink()
            if (kept / str(number)).is_dir():
                # The same files as before: a link to one is left, and so is its inode.
                for file in (kept / str(number)).iterdir():
                    if not file.is_symlink():
                        shutil.copy2(file, place / file.name)
        shutil.rmtree(kept, ignore_errors=True)
        return seen, imported

    def _rows(self) -> object:
        found: dict[tuple[str, str], object] = {}
        for place in self.stores:
            if not (place / "trop.db").exists():
                continue
            connection = sqlite3.connect(place / "trop.db")
            connection.text_factory = bytes
            try:
                for table in ("reservations", "metadata", "directories", "operations", "changes"):
                    try:
                        rows = connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
                    except sqlite3.Error as error:
                        found[place.name, table] = str(error)
                        continue
                    shown = [["now" if is_now(cell, self.began) else cell for cell in row] for row in rows]
                    # The fifth column of what was done is the process that did it.
                    found[place.name, table] = [row[:4] + row[5:] if table == "operations" else row for row in shown]
            finally:
                connection.close()
        return found

    def _files(self) -> tuple[str, ...]:
        return tuple(
            f"{place.name}/{file.name} {oct(file.lstat().st_mode)}"
            for place in self.stores
            if place.is_dir()
            for file in sorted(place.iterdir())
        )


def is_now(cell: object, began: int) -> bool:
    return isinstance(cell, int) and began - 1 <= cell <= time.time() + 1


def arguments(*given: str) -> Callable[[World], None]:
    def twist(world: World) -> None:
        world.arguments = [*given]

    return twist


def variables(**given: str | None) -> Callable[[World], None]:
    def twist(world: World) -> None:
        expanded = {name: value and value.format(root=world.sandbox.root) for name, value in given.items()}
        world.environment.update(expanded)

    return twist


def file(name: str, text: str) -> Callable[[World], None]:
    def twist(world: World) -> None:
        path = world.sandbox.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return twist


def sql(statement: str) -> Callable[[World], None]:
    def twist(world: World) -> None:
        connection = sqlite3.connect(world.sandbox.database)
        try:
            connection.execute("PRAGMA ignore_check_constraints = ON")
            connection.executescript(statement)
        finally:
            connection.close()

    return twist


def moved(world: World) -> None:
    there = world.here.with_name("moved")
    world.here.rename(there)
    world.here = there


def made_anew(world: World) -> None:
    world.here.rename(world.here.with_name("former"))
    world.here.mkdir()


def linked(world: World) -> None:
    link = world.sandbox.work / "link"
    link.symlink_to(world.here)
    world.here = link


def linked_store(world: World) -> None:
    real = world.sandbox.root / "real" / "trop.db"
    real.parent.mkdir()
    world.sandbox.database.rename(real)
    world.sandbox.database.symlink_to(real)


def linked_data(world: World) -> None:
    (world.sandbox.root / "to-data").symlink_to(world.sandbox.data)
    world.environment["TROP_DATA_DIR"] = str(world.sandbox.root / "to-data")


def without_a_store(world: World) -> None:
    world.sandbox.database.unlink()


def cut_off(world: World) -> None:
    os.truncate(world.sandbox.database, 5000)


def in_the_usual_place(world: World) -> None:
    usual = world.stores[1]
    usual.parent.mkdir(parents=True)
    world.sandbox.data.rename(usual)
    world.sandbox.data.mkdir()
    world.environment["TROP_DATA_DIR"] = None


def with_an_older_habit(world: World) -> None:
    in_the_usual_place(world)
    (world.sandbox.home / ".trop").mkdir(exist_ok=True)
    (world.sandbox.home / ".trop" / "trop.db").touch()


def at_home(world: World) -> None:
    file("trop.yaml", "ports: [\n")(world)
    world.here = world.sandbox.home / "shop"
    world.here.mkdir()
    world.sandbox.reserve(cwd=world.here, **LOOKING)


def in_a_worktree(world: World) -> None:
    shop = make_repository(world.sandbox.root / "repository")
    world.here = add_worktree(shop, world.sandbox.work / "login", "login")
    world.sandbox.reserve(cwd=world.here, **LOOKING)


def above_the_repository(world: World) -> None:
    in_a_worktree(world)
    file("work/trop.yaml", "ports: [\n")(world)


def strangers_repository(*, of_the_directory_too: bool = False) -> Callable[[World], None]:
    def twist(world: World) -> None:
        (world.sandbox.work / "trop.yaml").write_text("ports: {min: 6000}\n")
        mark = world.here.parent / ".git"
        mark.mkdir()
        os.chown(mark, 12345, 12345)
        if of_the_directory_too:
            os.chown(world.here, 12345, 12345)

    return twist


def nearly_at_the_root(world: World) -> None:
    in_a_worktree(world)
    world.here = world.here / "web"
    world.here.mkdir()
    world.sandbox.reserve(cwd=world.here, **LOOKING)
    file("work/login/.trop.yml", "")(world)


def a_loop_of_links(world: World) -> None:
    (world.here / "trop.yaml").symlink_to("trop.yaml")


def a_directory_in_place_of_a_file(world: World) -> None:
    (world.here / "trop.local.yaml").mkdir()


def cut_off_shm(world: World) -> None:
    (world.sandbox.data / "trop.db-shm").write_bytes(b"abc")


EXPRESS: dict[str, Callable[[World], object]] = {
    "nothing": lambda world: None,
    "a tag": arguments("reserve", "--tag", "web"),
    "a tag in one word": arguments("reserve", "--tag=web"),
    "in a worktree": in_a_worktree,
    "the usual place": in_the_usual_place,
    "a link to the directory": linked,
    "a link to the data": linked_data,
    "a clock that went back": sql("UPDATE reservations SET last_used_at = 4000000000"),
    "a version before the record of operations": sql("UPDATE metadata SET value = '1' WHERE key = 'companion_version'"),
    "no time of birth": sql("UPDATE directories SET born = NULL"),
    "a file that is another's": file("elsewhere/trop.yaml", "ports: {min: 1}\n"),
    "a file above the repository": above_the_repository,
    "a file above the home directory": at_home,
    "nearly the right name, in between": file("work/shop/trop.yml", ""),
    "variables that are not ours": variables(PORT="1", TROPICAL="1", XDG_CONFIG_HOME="/x", NO_COLOR="1"),
    "a port outside of the range": sql("UPDATE reservations SET port = 65535 WHERE tag = ''"),
    "no project": sql("UPDATE reservations SET project = NULL, task = NULL"),
}
"""Where the express lane is taken."""

ORDINARILY: dict[str, Callable[[World], object]] = {
    "an option": arguments("reserve", "--dry-run"),
    "quiet": arguments("reserve", "--quiet"),
    "before the subcommand": arguments("--verbose", "reserve"),
    "a part of an option": arguments("reserve", "--ta", "web"),
    "no tag": arguments("reserve", "--tag", ""),
    "no value": arguments("reserve", "--tag"),
    "an option for a tag": arguments("reserve", "--tag", "--port"),
    "a number below zero for a tag": arguments("reserve", "--tag", "-1"),
    "a long tag": arguments("reserve", "--tag", "x" * 300),
    "a tag with spaces": arguments("reserve", "--tag", " web "),
    "an odd tag": arguments("reserve", "--tag", "web\x1b[1m"),
    "letters that are not ASCII": arguments("reserve", "--tag", "wéb"),
    "a new tag": arguments("reserve", "--tag", "api"),
    "two tags": arguments("reserve", "--tag", "web", "--tag", "api"),
    "a word too many": arguments("reserve", "web"),
    "help": arguments("reserve", "--help"),
    "another subcommand": arguments("show-path"),
    "a setting": variables(TROP_PORT_MIN="6000"),
    "a setting that is wrong": variables(TROP_PORT_MIN="many"),
    "a project": variables(TROP_PROJECT="other"),
    "a path": variables(TROP_PATH="/elsewhere"),
    "a way to tell": variables(TROP_LOG_MODE="verbose"),
    "an unknown variable": variables(TROP_UNKNOWN=""),
    "completions": variables(_ARGCOMPLETE="1"),
    "a relative place": variables(TROP_DATA_DIR="../../../data"),
    "a place with a slash behind": variables(TROP_DATA_DIR="{root}/data/"),
    "a place with two dots": variables(TROP_DATA_DIR="{root}/work/../data"),
    "a place at home": variables(TROP_DATA_DIR="~/../data"),
    "a place that is empty": variables(TROP_DATA_DIR="{root}/nothing"),
    "no place": variables(TROP_DATA_DIR=""),
    "no home": variables(HOME=None),
    "a relative home": variables(HOME="here"),
    "a home of snap's": variables(SNAP_REAL_HOME="{root}/home"),
    "another data home": variables(TROP_DATA_DIR=None, XDG_DATA_HOME="{root}/xdg"),
    "a store by an older habit": with_an_older_habit,
    "the project's file": file("work/shop/web/trop.yaml", "ports: {min: 6000}\n"),
    "nearly the right name, at the root": nearly_at_the_root,
    "a stranger's repository above": strangers_repository(),
    "the repository of whose the directory is": strangers_repository(of_the_directory_too=True),
    "a repository that is none": lambda world: os.mkfifo(world.here / ".git"),
    "the project's file above": file("work/shop/trop.local.yaml", "ports: {min: 6000}\n"),
    "a file that is wrong": file("work/shop/web/trop.yaml", "ports: [\n"),
    "a file of nearly that name": file("work/shop/web/trop.yml", ""),
    "a hidden one": file("work/shop/web/.trop.yaml", ""),
    "the user's file": file("data/config.yaml", "output_format: json\n"),
    "the user's file is wrong": file("data/config.yaml", "nothing: 1\n"),
    "nearly the user's file": file("data/config.yml", ""),
    "the user's file in other letters": file("data/Config.yaml", ""),
    "the project's file in other letters": file("work/shop/web/Trop.Local.yaml", ""),
    "a loop of links": a_loop_of_links,
    "a link that leads nowhere": lambda world: (world.here / "trop.yaml").symlink_to("nowhere"),
    "a directory in the place of a file": a_directory_in_place_of_a_file,
    "the directory has moved": moved,
    "another directory stands there": made_anew,
    "a link to the store": linked_store,
    "no store": without_a_store,
    "a store that is cut off": cut_off,
    "half of what lies beside it": cut_off_shm,
    "an older store": sql("UPDATE metadata SET value = '1' WHERE key = 'schema_version'"),
    "a newer store": sql("UPDATE metadata SET value = '99' WHERE key = 'schema_version'"),
    "no version": sql("DELETE FROM metadata"),
    "newer companions": sql("UPDATE metadata SET value = '99' WHERE key = 'companion_version'"),
    "no companions": sql("DELETE FROM metadata WHERE key = 'companion_version'; DROP TABLE directories"),
    "no record of the directory": sql("DELETE FROM directories"),
    "a record without an inode": sql("UPDATE directories SET inode = NULL"),
    "a directory that has left": sql("UPDATE directories SET born = -born"),
    "no WAL": sql("PRAGMA journal_mode = DELETE"),
    "a path that is no text": sql("UPDATE reservations SET path = CAST(x'2fff' AS TEXT) WHERE tag = ''"),
    "a project that is no text": sql("UPDATE reservations SET project = CAST(x'ff' AS TEXT)"),
    "a time before all times": sql("UPDATE reservations SET last_used_at = -1, created_at = -1"),
    "a port that is none": sql("UPDATE reservations SET port = 70000 WHERE tag = ''"),
    "a key that is not there": sql("DELETE FROM reservations WHERE tag = ''"),
    "nothing reserved": sql("DELETE FROM reservations"),
}
"""Where the ordinary way has something to do, to tell, or to refuse."""

TWISTS = EXPRESS | ORDINARILY


def assert_the_same(world: World) -> bool:
    """That both ways show the same; True if it was the express lane that was tried."""
    ordinary, _ = world.run("-c", ORDINARY)
    tried, imported = world.run(TROP)
    while tried != ordinary:
        # Another test's listener may have come or gone: then the ordinary way shows something else as well.
        before, (ordinary, _) = ordinary, world.run("-c", ORDINARY)
        assert tried == ordinary or before != ordinary
        tried, imported = world.run(TROP)
    assert ("trop_server.cli.express" in imported) is (world.arguments[0] == "reserve")
    return "trop_server.cli.main" not in imported


@pytest.mark.parametrize("name", TWISTS)
def test_one_condition_after_the_other(sandbox: Sandbox, name: str) -> None:
    world = World(sandbox)
    TWISTS[name](world)

    assert assert_the_same(world) is (name in EXPRESS)


@settings(max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(names=["a link to the store", "another directory stands there"])
@given(names=st.lists(st.sampled_from(sorted(TWISTS)), min_size=2, max_size=4, unique=True))
def test_conditions_together(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    world = World(Sandbox(tmp_path_factory.mktemp("world")))
    for name in names:
        try:
            TWISTS[name](world)
        except (OSError, sqlite3.Error, AssertionError):
            continue  # there is no such world: what the twist is about is gone
    world.leave_the_own_store_alone()

    is_express = assert_the_same(world)

    if is_express:
        assert set(names) & set(EXPRESS)


def test_versions_are_the_latest_ones() -> None:
    assert str(LATEST_VERSION) == express.FILE_FORMAT
    usable = range(companion.DIRECTORIES, COMPANION.latest + 1)
    assert tuple(map(str, usable)) == express.COMPANION_VERSIONS


def test_a_store_that_is_locked_is_waited_for(sandbox: Sandbox) -> None:
    world = World(sandbox)
    with sandbox.locked():
        process = sandbox.begin("reserve", cwd=world.here, **world.environment)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
    stdout, stderr = process.communicate(timeout=PATIENCE)

    assert (stdout, stderr, process.returncode) == ("5000\n", "", 0)


def test_forty_at_once(sandbox: Sandbox) -> None:
    world = World(sandbox)
    processes = [sandbox.begin("reserve", "--tag", "web", cwd=world.here, **world.environment) for _ in range(40)]
    answers = {process.communicate(timeout=PATIENCE) for process in processes}

    assert answers == {("5001\n", "")}
    assert sandbox.integrity() == "ok"


@pytest.mark.parametrize("redirected", [">&-", ">/dev/full", "2>&-"])
def test_what_cannot_be_printed(sandbox: Sandbox, redirected: str) -> None:
    world = World(sandbox)

    def run(*program: str) -> tuple[str, str, int]:
        done = sandbox.run(
            "sh",
            "-c",
            f'"$@" {redirected}',
            "sh",
            sys.executable,
            *program,
            "reserve",
            cwd=world.here,
            **world.environment,
        )
        return done.stdout, done.stderr, done.returncode

    assert run(TROP) == run("-c", ORDINARY)


def test_a_reader_that_is_gone(sandbox: Sandbox) -> None:
    world = World(sandbox)

    done = sandbox.run(
        "bash", "-c", '"$1" reserve | true; echo "${PIPESTATUS[0]}"', "bash", TROP, cwd=world.here, **world.environment
    )

    assert (done.stdout, done.stderr) == ("0\n", "")
