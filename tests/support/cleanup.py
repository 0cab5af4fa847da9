"""The table of ``prune``, ``expire`` and ``autoclean``: what is stored, what is asked, what has to come of it.

It is written down once and run through every door. ``{work}`` stands for the directory of a run.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from support.rows import Row

DAY = 86_400
NOW = int(time.time())
"""The time at which the tests were collected: days, not seconds, are what a real process can be tested on."""


def used(path: str, port: int, tag: str = "", *, days: int = 1) -> Row:
    """A row that was last used so many days ago."""
    return (path, tag, port, "shop", None, NOW - 400 * DAY, NOW - days * DAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One row of the table. ``goes`` are the stored rows that go, by their place, each with its reason.

    ``directories``, ``files`` and ``links`` are made below the working directory; a link leads to a name there.
    """

    id: str
    command: str
    given: Mapping[str, object] = field(default_factory=dict)
    stored: Sequence[Row] = ()
    goes: Mapping[int, str] = field(default_factory=dict)
    warns: Sequence[str] = ()
    directories: Sequence[str] = ("a", "b")
    files: Sequence[str] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    config: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedCase:
    """A call that one field's own schema refuses; ``given`` in JSON, ``flags`` on the command line."""

    id: str
    command: str
    given: Mapping[str, object]
    flags: Sequence[str]
    says: str


A, B, GONE = "{work}/a", "{work}/b", "{work}/gone"

TABLE = (
    Case(
        id="those-of-missing-directories-alone",
        command="trop.prune",
        stored=(used(A, 5000, days=500), used(GONE, 5001), used(GONE, 5002, "web"), used(f"{GONE}/x", 5003)),
        goes={1: "missing", 2: "missing", 3: "missing"},
    ),
    Case(id="an-empty-store", command="trop.prune"),
    Case(id="nothing-is-missing", command="trop.prune", stored=(used(A, 5000), used(B, 5001, "web", days=500))),
    Case(
        id="what-is-no-directory-any-more-is-missing",
        command="trop.prune",
        stored=(used("{work}/file", 5000), used("{work}/file/below", 5001), used("{work}/dead", 5002)),
        files=("file",),
        links={"dead": "nowhere"},
        goes={0: "missing", 1: "missing", 2: "missing"},
    ),
    Case(
        id="a-link-to-a-directory-is-one",
        command="trop.prune",
        stored=(used("{work}/link", 5000), used("{work}/link/below", 5001)),
        directories=("a/below",),
        links={"link": "a"},
    ),
    Case(
        id="a-loop-of-links-says-nothing-of-the-directory",
        command="trop.prune",
        stored=(used("{work}/loop", 5000), used("{work}/loop/below", 5001), used(GONE, 5002)),
        links={"loop": "loop"},
        goes={2: "missing"},
        warns=(
            (
                '2 directories, "{work}/loop" the first of them, cannot be looked at (permissions, a loop of links, an '
                "I/O error): their reservations stay"
            ),
        ),
    ),
    Case(
        id="after-thirty-days-unless-configured",
        command="trop.expire",
        stored=(used(A, 5000, days=29), used(B, 5001, days=31), used(GONE, 5002, days=29), used(GONE, 5003, "w")),
        goes={1: "expired"},
    ),
    Case(
        id="after-as-many-days-as-are-given",
        command="trop.expire",
        given={"days": 3},
        stored=(used(A, 5000, days=2), used(B, 5001, days=4), used(A, 5002, "web", days=4000)),
        goes={1: "expired", 2: "expired"},
        config="cleanup: {expire_after_days: 1}\n",
    ),
    Case(
        id="after-as-many-days-as-are-configured",
        command="trop.expire",
        stored=(used(A, 5000, days=2), used(B, 5001, days=4)),
        goes={1: "expired"},
        config="cleanup: {expire_after_days: 3}\n",
    ),
    Case(id="after-one-day", command="trop.expire", given={"days": 1}, stored=(used(A, 5000, days=0),)),
    Case(id="after-longer-than-there-is-time", command="trop.expire", given={"days": 10**18}, stored=(used(A, 5000),)),
    Case(id="a-time-in-the-future", command="trop.expire", given={"days": 1}, stored=(used(A, 5000, days=-500),)),
    Case(
        id="each-row-once-and-missing-before-expired",
        command="trop.autoclean",
        given={"days": 10},
        stored=(
            used(A, 5000, days=9),
            used(A, 5001, "old", days=11),
            used(GONE, 5002, days=9),
            used(GONE, 5003, "old", days=11),
        ),
        goes={1: "expired", 2: "missing", 3: "missing"},
    ),
    Case(
        id="by-the-configuration",
        command="trop.autoclean",
        stored=(used(A, 5000, days=2), used(B, 5001, days=4), used(GONE, 5002)),
        goes={1: "expired", 2: "missing"},
        config="cleanup: {expire_after_days: 3}\n",
    ),
    Case(id="nothing-at-all", command="trop.autoclean", stored=(used(A, 5000), used(B, 5001))),
)

REFUSED = tuple(
    RefusedCase(
        id=f"{command}-{id_}",
        command=f"trop.{command}",
        given={"days": given},
        flags=(f"--days={flag}",),
        says=f"expected a whole number, 1 or more, not {said}",
    )
    for command in ("expire", "autoclean")
    for id_, given, flag, said in (
        ("no-days", 0, "0", "0"),
        ("negative", -1, "-1", "-1"),
        ("a-text", "x", "x", '"x"'),
    )
)
