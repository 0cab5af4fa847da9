"""One hostile repository, and the place where it is made."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from support.requirements import needs_root
from support.zoo import put

PORT, VALID, INVALID = "a port", "valid", "invalid"
"""What comes of a call besides the kinds of errors."""


class Outcomes(NamedTuple):
    """What comes of reserving a port, of reserving the services, and of checking the file."""

    reserve: str = PORT
    group: str = PORT
    validate: str = VALID


FINE = Outcomes()
WRONG = Outcomes("config_error", "config_error", INVALID)
"""A file is wrong."""

SERVICES = "reservations: {services: {web: {}}}\n"
SECRET = "hunter2"
STRANGER = 12345
STRANGERS = "strangers"
"""A name that no project is to get."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a case is made: ``work`` is its repository, ``root`` a directory around that.

    A ``canary`` exists once a stranger's code has run. The ``secret`` is a file whose words nobody may be shown, and
    ``victim`` a directory with reservations of somebody else's, ``gone`` one that is missing.
    """

    root: Path
    secret: Path
    victim: Path
    gone: Path

    @property
    def work(self) -> Path:
        """The repository."""
        return self.root / "work"

    @property
    def signs(self) -> list[Path]:
        """What shows that a stranger's code has run."""
        return [*self.root.rglob("canary*")]

    @property
    def canary(self) -> Path:
        """What a stranger's code makes."""
        return self.root / "canary"

    @property
    def git(self) -> Path:
        """The repository's git directory."""
        return self.work / ".git"

    def repository(self, directory: Path | None = None) -> Path:
        """A git repository without a commit, made by hand."""
        directory = directory or self.work
        for name in (".git/objects", ".git/refs/heads"):
            (directory / name).mkdir(parents=True)
        (directory / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
        (directory / ".git" / "config").write_text("[core]\n\tbare = false\n")
        return directory

    def write(self, name: str, text: str | bytes) -> Path:
        """A file below the repository, in the place of whatever is there."""
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text)
        return path

    def put(self, animal: str, name: str) -> None:
        """What is no file, in the place of one below the repository."""
        put(animal, self.work / name)

    def link(self, name: str, target: Path | str) -> None:
        """A link below the repository, in the place of whatever is there."""
        path = self.work / name
        path.unlink(missing_ok=True)
        path.symlink_to(target)

    def give_away(self, *paths: Path) -> None:
        """Let files or links belong to a stranger."""
        needs_root()
        for path in paths:
            os.lchown(path, STRANGER, STRANGER)

    @property
    def touch_canary(self) -> str:
        """A line of shell that a stranger would like to run."""
        return f"touch '{self.canary}'"

    @property
    def trap(self) -> str:
        """A Python module that a stranger would like to be imported."""
        return f"open({str(self.canary)!r}, 'w').close()\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostile:
    """A repository in which there are services, and one thing that is wrong with it.

    ``make`` makes that, in a repository that has a ``trop.yaml`` with one service, and may say in which directory of it
    the calls are made. ``tries`` says what the stranger wants, and ``outcomes`` what comes of the calls there.
    ``environment`` is that of the command line; ``evaluated`` says that its answer is run by a shell,
    and then git, as people do. Who opens it in an editor is asked something first if it ``asks``.
    """

    name: str
    tries: str
    make: Callable[[Place], Path | None]
    outcomes: Outcomes = FINE
    environment: Mapping[str, str] = field(default_factory=dict)
    evaluated: bool = False
    reaches_editors: bool = False
    asks: bool = False

    def lay_out(self, place: Path, **others: Path) -> tuple[Place, Path]:
        """Make it in a new directory; returns its place and the directory for the calls."""
        made = Place(place, **others)
        made.repository()
        made.write("trop.yaml", SERVICES)
        target = self.make(made)
        return made, made.work if target is None else target


def file_of(text: str | bytes) -> Callable[[Place], None]:
    """Makes a ``trop.yaml`` with this text."""

    def make(place: Place) -> None:
        place.write("trop.yaml", text)

    return make
