"""A row of the table of groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from support.refusals import Refused
from support.reserve.case import Case, Reserved, Row, below

if TYPE_CHECKING:
    from pathlib import Path

    from support.rows import Row as StoredRow

GROUP = """
reservations:
  services:
    web: {offset: 0, env: WEB_PORT}
    api: {offset: 1}
    db-main: {offset: 4}
"""
VARIABLES = {"web": "WEB_PORT", "api": "API_PORT", "db-main": "DB_MAIN_PORT"}
PREFERS = GROUP.replace("offset: 0", "offset: 0, preferred: 5050")


@dataclass(frozen=True, kw_only=True)
class Grouped(Reserved):
    """What has to come of a group: the port of each service. ``path`` is where the group stands."""

    port: int = 0
    ports: Mapping[str, int] = field(default_factory=dict)
    variables: Mapping[str, int] | None = None
    facts: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)

    @property
    def exported(self) -> list[int]:
        """The ports that have a variable: all, unless the case says otherwise."""
        return list((self.ports if self.variables is None else self.variables).values())

    def facts_of(self, tag: str) -> tuple[str | None, str | None]:
        """Project and task of a service."""
        return self.facts.get(tag, (self.project, self.task))


@dataclass(frozen=True, kw_only=True)
class GroupCase(Case):
    """One row of the table."""

    command: str = "autoreserve"
    files: Mapping[str, str] = field(default_factory=dict)

    def rows_after(self, work: Path, now: int, used: int) -> list[StoredRow]:
        """What has to be stored after, if the call came at the time ``used``."""
        before = self.rows_before(work, now)
        expected = self.expected
        if not isinstance(expected, Grouped):
            return before
        path = below(work, expected.path)
        created = {row[1]: row[5] for row in before if row[0] == path}
        gone = {below(work, name) for name in expected.dropped}
        others = [row for row in before if not (row[0] == path and row[1] in expected.ports) and row[0] not in gone]
        own = [
            (path, tag, port, *expected.facts_of(tag), created.get(tag, used), used)
            for tag, port in expected.ports.items()
        ]
        return sorted([*others, *own])

    def furnish(self, data: Path, work: Path, now: int) -> None:
        """Make the directories, files and rows of the case."""
        super().furnish(data, work, now)
        for name, text in self.files.items():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            (work / name).write_text(text)


def made(web: int = 5000, api: int = 5001, db: int = 5004, outcome: str = "created", **more: Any) -> Grouped:
    return Grouped(outcome=outcome, ports={"web": web, "api": api, "db-main": db}, **more)


def stored(web: int | None = 5000, api: int | None = 5001, db: int | None = 5004, **more: Any) -> tuple[Row, ...]:
    ports = {"web": web, "api": api, "db-main": db}
    return tuple(Row(tag=tag, port=port, **more) for tag, port in ports.items() if port is not None)


def case(name: str, expected: Grouped | Refused, project_file: str | None = GROUP, **more: Any) -> GroupCase:
    return GroupCase(id=name, expected=expected, project_file=project_file, **more)


def scattered(**ports: int) -> tuple[str, ...]:
    """The warnings about services whose distances could not be kept."""
    names = {"db": "db-main"}
    return tuple(
        f"{names.get(tag, tag)} gets {port}: its distance to the other services could not be kept"
        for tag, port in ports.items()
    )


def gone(tag: str, before: int, now: int) -> str:
    """The word about a service whose port has changed."""
    return f"{tag} had port {before}, and has {now} now"


def drifted(tag: str, port: int, wanted: int) -> str:
    """The warning about a stored port that the file would have elsewhere."""
    return f"{tag} keeps {port}, and its file would have it at {wanted}: --force lays the group out anew"


def broken(says: str) -> Refused:
    return Refused(kind="config_error", code=7, says=says)


KEPT: dict[str, Any] = {"project": "shop", "task": "login"}
