"""The user's other directories, whose reservations nobody may touch, and a place for every hostile repository."""

from __future__ import annotations

import itertools
import json
import time
from typing import TYPE_CHECKING, Any

from support.hostile.case import PORT, SECRET
from support.hostile.table import HOSTILE
from support.rows import fill, row, rows_of
from trop_core.paths import is_within

if TYPE_CHECKING:
    from pathlib import Path

    from support.hostile.case import Hostile, Place
    from support.rows import Row
    from support.sandbox import Sandbox

LONG_AGO = int(time.time()) - 100 * 86_400


class Land:
    """A store in which others have all ports from 5000 to 5002, unused for long, and a secret in the home directory."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.numbers = itertools.count()
        self.places = sandbox.root / "places"
        others = sandbox.root / "others"
        self.victim, self.gone = others / "victim", others / "gone"
        self.victim.mkdir(parents=True)
        self.secret = sandbox.home / ".git-credentials"
        self.secret.write_text(f"https://ann:{SECRET}@example.org\n")
        rows = [_unused(self.victim, tag, port) for tag, port in (("", 5000), ("api", 5001), ("db", 5002))]
        fill(sandbox.data, [*rows, _unused(self.gone, "web", 6500)])

    def lay_out(self, case: Hostile) -> tuple[Place, Path]:
        """Make a hostile repository in a place of its own; returns that and the directory for the calls."""
        place = self.places / f"{next(self.numbers)}"
        place.mkdir(parents=True)
        return case.lay_out(place, secret=self.secret, victim=self.victim, gone=self.gone)

    def others(self, place: Path) -> list[Row]:
        """What is stored for all directories but those below one."""
        return [row for row in rows_of(self.sandbox.data) if not is_within(row[0], str(place))]

    def projects(self, place: Path) -> set[str | None]:
        """The projects that are noted with the reservations below a directory."""
        return {row[3] for row in rows_of(self.sandbox.data) if is_within(row[0], str(place))}


class Window(Land):
    """The repositories whose danger reaches an editor, all to be opened in one window.

    ``reserves`` says of one whether it has a port once it is opened, ``answers`` whether it gets one on request.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self.repositories: list[dict[str, Any]] = []
        for case in HOSTILE:
            if case.reaches_editors:
                _, target = self.lay_out(case)
                answers = case.outcomes.reserve == PORT
                facts = {"answers": answers, "reserves": answers and not case.asks}
                self.repositories.append({"name": case.name, "folder": str(target), **facts})
        self._before = self.others(self.places)

    def variables(self) -> dict[str, str]:
        """The environment of an editor: which repositories there are, and one that lends its modules."""
        modules = next(each["folder"] for each in self.repositories if "PYTHONPATH" in each["name"])
        return {"TROP_TEST_HOSTILE": json.dumps(self.repositories), "PYTHONPATH": modules}

    def check(self, *said: str) -> None:
        """Fail if somebody's reservation has changed, if a stranger's code has run, or if a secret was told."""
        rows = self.others(self.places)
        assert [row for row in rows if row in self._before] == self._before
        assert not [*self.places.rglob("canary*")]
        assert not [text for text in said if SECRET in text]


def _unused(path: Path, tag: str, port: int) -> Row:
    return (*row(str(path), port, tag, "victim")[:5], LONG_AGO, LONG_AGO)
