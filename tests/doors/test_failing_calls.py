"""Every system call about the store fails once: the store is the old or the new one, the error typed and true."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from fnmatch import fnmatch
from typing import TYPE_CHECKING, NamedTuple

import pytest
from support import stores
from support.failing.calls import ERRORS, failing_calls
from support.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.failing.calls import FailingCalls, Outcome

EVERY_ERROR = bool(os.environ.get("TROP_EVERY_ERROR"))
"""Whether each call fails with each of the errors, and not with one of them in turn: five times as long."""

KINDS = {"io_error", "permission_denied", "migration_failed"}
ANSWERS = {5, 6}

Row = tuple[str, str, int]


class Scene(NamedTuple):
    """A command, what is there before it, and what it may leave in the data directory besides the store's files.

    What it leaves are patterns of names; each of them that ends in ``.bak`` is a store, whole.
    """

    arguments: list[str]
    prepare: Callable[[Sandbox], None]
    leaves: tuple[str, ...] = ()


def nothing(sandbox: Sandbox) -> None:
    pass


def two_rows(sandbox: Sandbox) -> None:
    sandbox.reserve("--path", str(sandbox.work / "a"), "--quiet")
    sandbox.reserve("--path", str(sandbox.work / "a"), "--tag", "web", "--quiet")


def old_store(sandbox: Sandbox) -> None:
    sandbox.data.mkdir()
    stores.make_v1(sandbox.database, [(str(sandbox.work / "a"), None, 5000, None, None, 1, 2)])


def a_backup_of_less(sandbox: Sandbox) -> None:
    two_rows(sandbox)
    sandbox.trop("backup", str(sandbox.work / "old.bak"))
    sandbox.reserve("--path", str(sandbox.work / "b"), "--quiet")


SCENES = {
    "reserve": Scene(["reserve"], two_rows),
    "reserve in a new store": Scene(["reserve"], nothing),
    "list": Scene(["list"], two_rows),
    "migrate": Scene(["migrate", "--from", "a", "--to", "b"], two_rows),
    "init --overwrite": Scene(["init", "--overwrite", "--with-config"], two_rows, ("trop.db.bak", "config.yaml")),
    "exclude": Scene(["exclude", "6001", "--global"], two_rows, ("config.yaml",)),
    "upgrade": Scene(["list"], old_store, ("trop.db.v1.bak",)),
    "backup": Scene(["backup"], two_rows, ("trop.db.*.bak",)),
    "restore": Scene(["restore", "old.bak"], a_backup_of_less, ("trop.db.*.bak",)),
    "undo": Scene(["undo", "--any"], two_rows),
}


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """A sandbox whose files lie below one directory, beside which a test has its own."""
    (tmp_path / "run").mkdir()
    made = Sandbox(tmp_path)
    for name in ("home", "data", "work"):
        setattr(made, name, tmp_path / "run" / name)
    made.home.mkdir()
    made.work.mkdir()
    return made


@pytest.fixture
def failing(sandbox: Sandbox) -> Iterator[FailingCalls]:
    with failing_calls(sandbox) as started:
        yield started


def rows(sandbox: Sandbox) -> set[Row]:
    """What is stored, whatever the version; nothing is where there is no store yet, or one without any table."""
    if not sandbox.database.exists():
        return set()
    assert stores.integrity_of(sandbox.database) == "ok"
    with closing(sqlite3.connect(sandbox.database)) as connection:
        if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            return set()
        return set(connection.execute("SELECT path, coalesce(tag, ''), port FROM reservations"))


def config(sandbox: Sandbox) -> str | None:
    path = sandbox.data / "config.yaml"
    return path.read_text() if path.exists() else None


State = tuple[set[Row], str | None, str | None]


def state(sandbox: Sandbox) -> State:
    stored = rows(sandbox)
    return stored, config(sandbox), stores.version_of(sandbox.database) if stored else None


def restore(sandbox: Sandbox, kept: Path) -> None:
    shutil.rmtree(sandbox.root / "run")
    shutil.copytree(kept, sandbox.root / "run", symlinks=True)


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("name", SCENES)
def test_each_call_fails_once(sandbox: Sandbox, failing: FailingCalls, name: str) -> None:
    scene = SCENES[name]
    scene.prepare(sandbox)
    kept = sandbox.root / "kept"
    shutil.copytree(sandbox.root / "run", kept, symlinks=True)
    before = state(sandbox)
    whole = failing.run(scene.arguments)
    after = state(sandbox)
    assert whole.code == 0, whole.stderr

    for number in range(1, whole.calls + 1):
        for error in ERRORS if EVERY_ERROR else [ERRORS[number % len(ERRORS)]]:
            restore(sandbox, kept)
            outcome = failing.run(scene.arguments, number=number, error=error)
            said = (name, number, error, outcome)
            check(sandbox, scene, outcome, (before, after), said)


def check(
    sandbox: Sandbox, scene: Scene, outcome: Outcome, states: tuple[State, State], said: tuple[object, ...]
) -> None:
    found = state(sandbox)
    assert found in states, (said, found)
    if outcome.code == 0:
        # What only reads may have read a copy, and have left an older schema as it is.
        assert found[:2] == states[1][:2], said
    else:
        assert outcome.code in ANSWERS, said
        assert outcome.stdout == "", said
        assert "internal error" not in outcome.stderr, said
        assert "Traceback" not in outcome.stderr, said
        assert outcome.stderr.startswith("error: "), said
    left = {path.name for path in sandbox.data.iterdir()} if sandbox.data.exists() else set()
    allowed = {"trop.db", "trop.db-wal", "trop.db-shm", ".trop.lock"}
    allowed |= {path.name for path in (sandbox.root / "kept" / "data").glob("*")}
    if found == states[1] and (outcome.code == 0 or states[0] != states[1]):
        allowed |= {name for name in left if any(fnmatch(name, pattern) for pattern in scene.leaves)}
    if not outcome.failed.startswith("unlink"):
        assert left <= allowed, (said, left - allowed)
    for name in left & allowed:
        if name.endswith(".bak"):
            assert stores.integrity_of(sandbox.data / name) == "ok", said
