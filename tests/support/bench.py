"""A store, a working directory of a case's own, and the three doors to them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from support.doors import ask
from support.rows import fill, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from support.client import Client
    from support.doors import Answer, DoorName
    from support.rows import Row
    from support.sandbox import Sandbox

GLOBAL = "../data/config.yaml"
"""The configuration of all projects, from a bench's working directory."""


class Bench:
    """A case is laid out on it and asked about; the store is one that cases share one after the other."""

    def __init__(self, sandbox: Sandbox, client: Client, work: Path) -> None:
        self.sandbox = sandbox
        self.client = client
        self.work = work

    def filled_in(self, value: Any) -> Any:
        """A value of a table with this run's directories in the place of the words in braces."""
        if isinstance(value, str):
            for word, place in (("work", self.work), ("home", self.sandbox.home), ("data", self.sandbox.data)):
                value = value.replace("{" + word + "}", str(place))
            return value
        if isinstance(value, Mapping):
            return {self.filled_in(key): self.filled_in(entry) for key, entry in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(map(self.filled_in, value))
        return value

    def furnish(
        self,
        *,
        stored: Iterable[Row] = (),
        directories: Iterable[str] = (),
        files: Mapping[str, str] | None = None,
        links: Mapping[str, str] | None = None,
    ) -> list[Row]:
        """Store exactly these rows and make all else below the working directory; returns the rows as they are stored.

        A link leads to a name there.
        """
        rows: list[Row] = self.filled_in(list(stored))
        (self.sandbox.work / GLOBAL).unlink(missing_ok=True)
        if self.sandbox.database.exists():
            self.sandbox.execute("DELETE FROM reservations")
        fill(self.sandbox.data, rows)
        for name in directories:
            (self.work / name).mkdir(parents=True, exist_ok=True)
        for name, text in self.filled_in(files or {}).items():
            path = self.work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        for name, target in (links or {}).items():
            (self.work / name).symlink_to(self.work / target)
        return rows

    def rows(self) -> list[Row]:
        """What is stored, in the order of path and tag."""
        return rows_of(self.sandbox.data)

    def found(self) -> dict[str, str]:
        """All files below the working directory and the configuration in the data directory, by their paths."""
        places = [path for path in self.work.rglob("*") if path.is_file()]
        places += [path for path in self.sandbox.data.iterdir() if "trop.db" not in path.name]
        return {os.path.relpath(path, self.work): path.read_bytes().decode() for path in places}

    def ask(self, door: DoorName, command: str, given: Mapping[str, object], *options: str) -> Answer:
        """Run a command through a door; ``options`` are for the subcommand alone."""
        return ask(self.sandbox, self.client, door, command, given, *options, work=self.work)
