"""Stores of a size, in the current layout and in that of version 1."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from trop_core.database import directories
from trop_core.database.connection import Database
from trop_core.database.directories import Directory
from trop_core.database.migrations import v1
from trop_core.database.migrations.executor import MigrationExecutor
from trop_core.database.migrations.registry import MigrationRegistry
from trop_core.database.waiting import Patience

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

ROWS = 60_000
FIRST_PORT = 2000


def rows(ports: Iterable[int]) -> list[tuple[object, ...]]:
    """One row a port, two tags a directory, in the order of the columns."""
    return [
        (f"/home/somebody/work/repository-{port // 2:05}", "web" if port % 2 else "", port, "project", None, port, port)
        for port in ports
    ]


def current(path: str, ports: Iterable[int] = range(FIRST_PORT, FIRST_PORT + ROWS)) -> str:
    """A store in the current layout, closed."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    database = Database.open(path)
    with database.write(Patience(5.0), "fill it") as connection:
        connection.executemany("INSERT INTO reservations VALUES (?, ?, ?, ?, ?, ?, ?)", rows(ports))
    database.close()
    return path


def version_1(path: str, count: int) -> str:
    """A store as the field has it, in WAL mode, closed."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        executor = MigrationExecutor(connection, MigrationRegistry(), path=path)
        executor.execute(executor.plan(v1.MIGRATION.version))
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO reservations VALUES (?, nullif(?, ''), ?, ?, ?, ?, ?)",
            rows(range(FIRST_PORT, FIRST_PORT + count)),
        )
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")
    return path


def trees(path: str, *, moving: int, staying: int) -> str:
    """A store with a tree that is to move, /old/tree, and another. Each row's task is the path that it began at."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    paths = [f"/old/tree/branch-{number % 97:02}/directory-{number:05}" for number in range(moving)]
    paths += [f"/old/other-tree/branch-{number % 97:02}/directory-{number:05}" for number in range(staying)]
    database = Database.open(path)
    with database.write(Patience(5.0), "fill it") as connection:
        connection.executemany(
            "INSERT INTO reservations VALUES (?, '', ?, 'project', ?, 1, 1)",
            [(name, 2000 + number, name) for number, name in enumerate(paths)],
        )
    database.close()
    return path


def below(path: str, directory: str, count: int) -> None:
    """Put rows of so many directories below one into a store that exists, each with which directory it was."""
    paths = [f"{directory}/branch-{number % 97:02}/directory-{number:05}" for number in range(count)]
    database = Database.open(path)
    with database.write(Patience(5.0), "fill it") as connection:
        connection.executemany(
            "INSERT INTO reservations VALUES (?, '', ?, 'project', NULL, 1, 1)",
            [(name, 10_000 + number) for number, name in enumerate(paths)],
        )
        for number, name in enumerate(paths):
            directories.record(connection, Directory(name, "1", str(number), 1 + number))
    database.close()


def half_dead(path: str, places: Path, count: int) -> list[str]:
    """A store with one row for each of so many directories, of which every second exists; returns them all."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    directories = [places / f"repository-{number % 97:02}" / f"worktree-{number:05}" for number in range(count)]
    for directory in directories[::2]:
        directory.mkdir(parents=True)
    database = Database.open(path)
    with database.write(Patience(5.0), "fill it") as connection:
        connection.executemany(
            "INSERT INTO reservations VALUES (?, '', ?, 'project', NULL, 1, 1)",
            [(str(directory), FIRST_PORT + number) for number, directory in enumerate(directories)],
        )
    database.close()
    return [str(directory) for directory in directories]
