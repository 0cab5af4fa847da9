"""The table of ``migrate``, ``release`` and ``list-projects``: what is stored, what is asked, what has to come of it.

It is written down once and run through every door. ``{work}`` and ``{home}`` stand for the directories of a run.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from support.client import ServerError
from support.core import Row, fill, row, rows_of

if TYPE_CHECKING:
    from pathlib import Path

    from support.cli import Sandbox
    from support.client import Client

DoorName = Literal["cli", "call", "server"]
DOORS: tuple[DoorName, ...] = ("cli", "call", "server")
JSON_DOORS: tuple[DoorName, ...] = ("call", "server")

DRY = "Dry run - no changes made."
SUBCOMMANDS = {"trop.migrate": "migrate", "trop.release": "release", "trop.listProjects": "list-projects"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The error that a case ends with. ``alone``: one field's own schema refuses it."""

    kind: str
    code: int
    says: str = ""
    hint: str = ""
    details: Mapping[str, object] = field(default_factory=dict)
    told: Sequence[str] = ()
    alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a case comes to: fields of the result, what a person is told, what is on stdout, and the rows then."""

    result: Mapping[str, object] = field(default_factory=dict)
    told: Sequence[str] = ()
    told_dry: Sequence[str] | None = None
    prints: str = ""
    prints_quietly: str = ""
    after: Sequence[Row] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One row of the table. ``directories`` are made below the working directory, ``links`` lead to others there."""

    id: str
    command: str
    given: Mapping[str, object] = field(default_factory=dict)
    stored: Sequence[Row] = ()
    expected: Done | Refused
    directories: Sequence[str] = ("a", "b")
    links: Mapping[str, str] = field(default_factory=dict)
    doors: Collection[DoorName] = DOORS


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came through a door: an exit code or a JSON-RPC code, texts, and a result or an error's ``data``."""

    code: int
    stdout: str = ""
    told: tuple[str, ...] = ()
    message: str = ""
    data: Any = None


def moved(source: str, destination: str, port: int, tag: str | None = None) -> dict[str, object]:
    """An entry of ``migrated``."""
    return {"from": source, "to": destination, "tag": tag, "port": port}


def listed(stored: Row) -> dict[str, object]:
    """A row as a reservation in JSON."""
    path, tag, port, project, task, created_at, last_used_at = stored
    return {
        "port": port,
        "path": path,
        "tag": tag or None,
        "project": project,
        "task": task,
        "createdAt": _rfc_3339(created_at),
        "lastUsedAt": _rfc_3339(last_used_at),
    }


def _rfc_3339(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class Bench:
    """A store, a working directory of a case's own, and the three doors to them."""

    def __init__(self, sandbox: Sandbox, client: Client, work: Path) -> None:
        self.sandbox = sandbox
        self.client = client
        self.work = work

    def filled_in(self, value: Any) -> Any:
        """A value of the table with this run's directories in the place of the words in braces."""
        if isinstance(value, str):
            return value.replace("{work}", str(self.work)).replace("{home}", str(self.sandbox.home))
        if isinstance(value, Mapping):
            return {self.filled_in(key): self.filled_in(entry) for key, entry in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(map(self.filled_in, value))
        return value

    def furnish(self, case: Case) -> None:
        """Make directories and links, and store exactly the case's rows."""
        for name in case.directories:
            (self.work / name).mkdir(parents=True, exist_ok=True)
        for name, target in case.links.items():
            (self.work / name).symlink_to(self.work / target)
        if self.sandbox.database.exists():
            self.sandbox.execute("DELETE FROM reservations")
        fill(self.sandbox.data, self.filled_in(list(case.stored)))

    def rows(self) -> list[Row]:
        return rows_of(self.sandbox.data)

    def ask(self, door: DoorName, command: str, given: Mapping[str, object], *options: str) -> Answer:
        """Run a command through a door; ``options`` are for the subcommand alone."""
        if door == "server":
            try:
                return Answer(code=0, data=self.client.call(command, dict(given)))
            except ServerError as error:
                return Answer(code=error.code, message=error.message, data=error.data)
        if door == "call":
            done = self.sandbox.trop("call", command, json.dumps(given), cwd=self.work)
            return Answer(
                code=done.returncode, told=tuple(done.stderr.splitlines()), data=json.loads(done.stdout or "null")
            )
        done = self.sandbox.trop(SUBCOMMANDS[command], *as_flags(given), *options, cwd=self.work)
        return Answer(code=done.returncode, stdout=done.stdout, told=tuple(done.stderr.splitlines()))


def as_flags(given: Mapping[str, object]) -> list[str]:
    """An argument in JSON as the subcommand's flags."""
    flags: list[str] = []
    for name, value in given.items():
        flag = "--" + re.sub("[A-Z]", lambda letter: f"-{letter[0].lower()}", name)
        if value is True:
            flags.append(flag)
        elif value is not False:
            flags.append(f"{flag}={value}")
    return flags


# migrate

A, B = "{work}/a", "{work}/b"
A_ROW, A_WEB, A_BELOW = row(A, 5000, "", "shop", "login"), row(A, 5001, "web"), row(f"{A}/x", 5002)
SIBLING = row("{work}/ab", 5010)


def migrate(**given: object) -> dict[str, object]:
    return {"from": A, "to": B, **given}


def complete(*rows: str, counts: str, in_the_way: Sequence[str] = ()) -> dict[str, Any]:
    """What a person is told of a move, really made and planned."""
    lines = [*(f"  {line}" for line in rows), *(f"  in the way: {line}" for line in in_the_way)]
    return {
        "told": [*lines, f"Migration complete: {counts}."],
        "told_dry": [*lines, DRY],
        "prints_quietly": f"{B}\n",
    }


MIGRATE = (
    Case(
        id="every-tag-of-the-exact-path",
        command="trop.migrate",
        given=migrate(),
        stored=(A_ROW, A_WEB, A_BELOW, SIBLING),
        expected=Done(
            result={
                "from": A,
                "to": B,
                "migrated": [moved(A, B, 5000), moved(A, B, 5001, "web")],
                "overwritten": [],
                "migratedCount": 2,
                "overwrittenCount": 0,
                "truncated": False,
                "warnings": [],
            },
            after=(A_BELOW, SIBLING, row(B, 5000, "", "shop", "login"), row(B, 5001, "web")),
            **complete(f"{A} -> {B}: port 5000", f"{A} -> {B} (tag web): port 5001", counts="2 reservations moved"),
        ),
    ),
    Case(
        id="a-whole-tree",
        command="trop.migrate",
        given=migrate(recursive=True),
        stored=(A_ROW, A_BELOW, SIBLING, row(f"{B}/y", 5020)),
        expected=Done(
            result={"migrated": [moved(A, B, 5000), moved(f"{A}/x", f"{B}/x", 5002)], "migratedCount": 2},
            after=(SIBLING, row(B, 5000, "", "shop", "login"), row(f"{B}/x", 5002), row(f"{B}/y", 5020)),
            **complete(f"{A} -> {B}: port 5000", f"{A}/x -> {B}/x: port 5002", counts="2 reservations moved"),
        ),
    ),
    Case(
        id="a-tree-into-its-own-parent",
        command="trop.migrate",
        given={"from": B + "/b", "to": B, "recursive": True},
        stored=(row(f"{B}/b", 5000), row(f"{B}/b/b", 5001), row(f"{B}/b/b/b", 5002)),
        expected=Done(
            result={"migratedCount": 3, "overwrittenCount": 0},
            after=(row(B, 5000), row(f"{B}/b", 5001), row(f"{B}/b/b", 5002)),
            **complete(
                f"{B}/b -> {B}: port 5000",
                f"{B}/b/b -> {B}/b: port 5001",
                f"{B}/b/b/b -> {B}/b/b: port 5002",
                counts="3 reservations moved",
            ),
        ),
    ),
    Case(
        id="one-row-is-counted-as-one",
        command="trop.migrate",
        given=migrate(force=True),
        stored=(A_ROW, row(B, 5020, "", "old")),
        expected=Done(
            result={"overwritten": [listed(row(B, 5020, "", "old"))], "migratedCount": 1, "overwrittenCount": 1},
            after=(row(B, 5000, "", "shop", "login"),),
            **complete(
                f"{A} -> {B}: port 5000",
                in_the_way=[f"{B}: port 5020"],
                counts="1 reservation moved, 1 reservation overwritten",
            ),
        ),
    ),
    Case(
        id="conflicts-are-listed-all",
        command="trop.migrate",
        given=migrate(recursive=True),
        stored=(
            *(A_ROW, A_WEB, A_BELOW, row(B, 5021, "web"), row(f"{B}/x", 5020)),
            *(row(f"{A}/n{n}", 5030 + n) for n in range(5)),
            *(row(f"{B}/n{n}", 5040 + n) for n in range(5)),
        ),
        expected=Refused(
            kind="reservation_conflict",
            code=6,
            says=f"7 reservations stand where others would move to: {B} (tag web), {B}/n0, {B}/n1, {B}/n2, {B}/n3, …",
            hint="Release what is in the way, or replace it with ",
            details={
                "conflicts": [
                    listed(row(B, 5021, "web")),
                    *(listed(row(f"{B}/n{n}", 5040 + n)) for n in range(5)),
                    listed(row(f"{B}/x", 5020)),
                ]
            },
            told=[
                f"  in the way: {B} (tag web): port 5021",
                *(f"  in the way: {B}/n{n}: port {5040 + n}" for n in range(5)),
                f"  in the way: {B}/x: port 5020",
            ],
        ),
    ),
    Case(
        id="another-tag-is-not-in-the-way",
        command="trop.migrate",
        given=migrate(),
        stored=(A_WEB, row(B, 5020)),
        expected=Done(
            after=(row(B, 5020), row(B, 5001, "web")),
            **complete(f"{A} -> {B} (tag web): port 5001", counts="1 reservation moved"),
        ),
    ),
    Case(
        id="nothing-at-the-source",
        command="trop.migrate",
        given=migrate(),
        stored=(SIBLING,),
        expected=Refused(
            kind="not_found",
            code=6,
            says=f'nothing is reserved for "{A}"',
            hint="trop list shows what is reserved.",
            details={"path": A},
        ),
    ),
    Case(
        id="nothing-at-the-source-but-below-it",
        command="trop.migrate",
        given=migrate(),
        stored=(A_BELOW,),
        expected=Refused(kind="not_found", code=6, hint="Something is reserved below it: move that with recursive."),
    ),
    Case(
        id="nothing-at-the-source-but-where-it-leads-to",
        command="trop.migrate",
        given={"from": "{work}/link", "to": B},
        stored=(A_ROW,),
        links={"link": "a"},
        expected=Refused(kind="not_found", code=6, hint=f"It leads to {A}, which has reservations: name that instead."),
    ),
    Case(
        id="nothing-at-or-below-the-source",
        command="trop.migrate",
        given=migrate(recursive=True),
        stored=(SIBLING,),
        expected=Done(
            result={
                "migrated": [],
                "migratedCount": 0,
                "warnings": [f"nothing is reserved at or below {A}. trop list shows what is reserved."],
            },
            told=[
                f"warning: nothing is reserved at or below {A}. trop list shows what is reserved.",
                "No reservations to migrate.",
            ],
            prints_quietly=f"{B}\n",
        ),
    ),
    Case(
        id="onto-itself",
        command="trop.migrate",
        given={"from": A, "to": f"{A}/../a/"},
        stored=(A_ROW,),
        expected=Refused(kind="invalid_path", code=4, says="source and destination are the same"),
    ),
    Case(
        id="below-itself",
        command="trop.migrate",
        given={"from": A, "to": f"{A}/x", "recursive": True},
        stored=(A_ROW,),
        expected=Refused(kind="invalid_path", code=4, says=f"it lies below the source, {A}"),
    ),
    Case(
        id="to-a-directory-that-is-not-there-yet",
        command="trop.migrate",
        given=migrate(),
        stored=(A_ROW,),
        directories=("a",),
        expected=Done(
            result={"warnings": [f"the destination {B} is not an existing directory (yet)"]},
            told=[
                f"warning: the destination {B} is not an existing directory (yet)",
                f"  {A} -> {B}: port 5000",
                "Migration complete: 1 reservation moved.",
            ],
            told_dry=[
                f"warning: the destination {B} is not an existing directory (yet)",
                f"  {A} -> {B}: port 5000",
                DRY,
            ],
            prints_quietly=f"{B}\n",
            after=(row(B, 5000, "", "shop", "login"),),
        ),
    ),
    Case(
        id="relative-paths-start-where-the-caller-is",
        command="trop.migrate",
        given={"from": "./a//", "to": "x/../b/"},
        stored=(A_ROW,),
        expected=Done(
            result={"from": A, "to": B},
            after=(row(B, 5000, "", "shop", "login"),),
            **complete(f"{A} -> {B}: port 5000", counts="1 reservation moved"),
        ),
    ),
    Case(
        id="the-home-directory-and-elsewhere-need-no-permission",
        command="trop.migrate",
        given={"from": "~/a", "to": "/"},
        stored=(row("{home}/a", 5000),),
        expected=Done(
            result={"from": "{home}/a", "to": "/"},
            told=["  {home}/a -> /: port 5000", "Migration complete: 1 reservation moved."],
            told_dry=["  {home}/a -> /: port 5000", DRY],
            prints_quietly="/\n",
            after=(row("/", 5000),),
        ),
    ),
    Case(
        id="uris",
        command="trop.migrate",
        given={"from": "file://{work}/with%20space", "to": "file://localhost{work}/%C3%BC"},
        stored=(row("{work}/with space", 5000),),
        directories=("ü",),
        doors=JSON_DOORS,
        expected=Done(
            result={"from": "{work}/with space", "to": "{work}/ü", "warnings": []}, after=(row("{work}/ü", 5000),)
        ),
    ),
    Case(
        id="names-that-mean-something-elsewhere",
        command="trop.migrate",
        given={"from": "{work}/a%_*'\"", "to": "{work}/-- b\t", "recursive": True},
        stored=(row("{work}/a%_*'\"", 5000), row("{work}/a%_*'\"/[x]", 5001), row("{work}/axxx'\"", 5002)),
        directories=("-- b\t",),
        doors=JSON_DOORS,
        expected=Done(
            result={"migratedCount": 2},
            after=(row("{work}/-- b\t", 5000), row("{work}/-- b\t/[x]", 5001), row("{work}/axxx'\"", 5002)),
        ),
    ),
    Case(
        id="an-empty-path",
        command="trop.migrate",
        given=migrate(to=""),
        stored=(A_ROW,),
        expected=Refused(kind="invalid_path", code=4, says="it is empty", details={"path": ""}, alone=True),
    ),
    Case(
        id="a-uri-of-another-machine",
        command="trop.migrate",
        given=migrate(to="file://elsewhere/b"),
        stored=(A_ROW,),
        doors=JSON_DOORS,
        expected=Refused(
            kind="invalid_path", code=4, details={"path": "file://elsewhere/b"}, says="it names the machine", alone=True
        ),
    ),
    Case(
        id="without-a-destination",
        command="trop.migrate",
        given={"from": A},
        stored=(A_ROW,),
        doors=JSON_DOORS,
        expected=Refused(kind="invalid_argument", code=4, says="to is missing", details={"field": "to"}, alone=True),
    ),
    Case(
        id="an-unknown-field",
        command="trop.migrate",
        given=migrate(path=A),
        stored=(A_ROW,),
        doors=JSON_DOORS,
        expected=Refused(
            kind="invalid_argument", code=4, says='unknown field "path"', details={"field": "path"}, alone=True
        ),
    ),
    Case(
        id="a-text-for-a-flag",
        command="trop.migrate",
        given=migrate(recursive="yes"),
        stored=(A_ROW,),
        doors=JSON_DOORS,
        expected=Refused(kind="invalid_argument", code=4, says="recursive", alone=True),
    ),
)

# release

WORK = "{work}"
W_ROW, W_WEB, W_API, W_BELOW = row(WORK, 5000), row(WORK, 5001, "web"), row(WORK, 5002, "api"), row(A, 5003, "web")
TREE = (W_ROW, W_WEB, W_API, W_BELOW, row("/elsewhere", 5004))


def released(*gone: Row, where: Mapping[str, object] | None = None, case: str, **more: Any) -> Case:
    gone = tuple(sorted(gone))
    named = [f"  {r[0]}{f' (tag {r[1]})' if r[1] else ''}: port {r[2]}" for r in gone]
    count = f"{len(gone)} reservation{'' if len(gone) == 1 else 's'}"
    return Case(
        id=case,
        command="trop.release",
        given=where or {},
        stored=TREE,
        expected=Done(
            result={
                "released": [listed(r) for r in gone],
                "releasedCount": len(gone),
                "truncated": False,
                "warnings": [],
            },
            told=[*named, f"Released {count}."],
            told_dry=[*named, DRY],
            after=[r for r in TREE if r not in gone],
        ),
        **more,
    )


RELEASE = (
    released(W_ROW, W_WEB, W_API, case="every-tag-of-where-the-caller-is"),
    released(W_WEB, where={"tag": "web"}, case="one-tag"),
    released(W_ROW, where={"untaggedOnly": True}, case="the-one-without-a-tag"),
    released(W_ROW, W_WEB, W_API, W_BELOW, where={"recursive": True}, case="a-whole-tree"),
    released(W_WEB, W_BELOW, where={"recursive": True, "tag": "web"}, case="one-tag-of-a-whole-tree"),
    released(W_BELOW, where={"path": "./b/../a/"}, case="a-relative-path"),
    released(W_BELOW, where={"path": A}, case="a-path"),
    released(W_BELOW, where={"path": f"file://{A}"}, case="a-uri", doors=JSON_DOORS),
    released(W_BELOW, where={"folder": f"file://{A}"}, case="a-folder", doors=JSON_DOORS),
    released(W_BELOW, where={"folder": "link"}, links={"link": "a"}, case="a-folder-behind-a-link", doors=JSON_DOORS),
    released(W_ROW, where={"tag": None, "untaggedOnly": True}, case="null-counts-as-absent", doors=JSON_DOORS),
    released(TREE[4], where={"path": "/elsewhere", "allowUnrelatedPath": True}, case="elsewhere-with-permission"),
    released(TREE[4], where={"path": "/elsewhere", "force": True}, case="elsewhere-by-force"),
    released(*TREE, where={"path": "/", "recursive": True}, case="above-the-caller-all-there-is"),
    Case(
        id="nothing-to-release",
        command="trop.release",
        given={"path": B},
        stored=TREE,
        expected=Done(
            result={
                "released": [],
                "releasedCount": 0,
                "warnings": [f"nothing is reserved for {B}, so nothing was released"],
            },
            told=[f"warning: nothing is reserved for {B}, so nothing was released"],
        ),
    ),
    Case(
        id="nothing-to-release-but-where-it-leads-to",
        command="trop.release",
        given={"path": "{work}/link", "recursive": True},
        links={"link": "a"},
        stored=TREE,
        expected=Done(
            result={
                "warnings": [
                    "nothing is reserved at or below {work}/link, so nothing was released",
                    f"{{work}}/link leads to {A}, which has reservations",
                ]
            },
            told=[
                "warning: nothing is reserved at or below {work}/link, so nothing was released",
                f"warning: {{work}}/link leads to {A}, which has reservations",
            ],
        ),
    ),
    Case(
        id="elsewhere",
        command="trop.release",
        given={"path": "/elsewhere"},
        stored=TREE,
        expected=Refused(
            kind="unrelated_path",
            code=1,
            says='"/elsewhere" is neither above nor below "{work}"',
            details={"path": "/elsewhere", "anchors": [WORK]},
        ),
    ),
    Case(
        id="a-sibling-that-shares-the-prefix",
        command="trop.release",
        given={"path": "{work}-2"},
        stored=TREE,
        expected=Refused(kind="unrelated_path", code=1, details={"path": "{work}-2", "anchors": [WORK]}),
    ),
    Case(
        id="a-tag-and-untagged-only",
        command="trop.release",
        given={"tag": "web", "untaggedOnly": True},
        stored=TREE,
        expected=Refused(kind="invalid_argument", code=4, says="either this or a tag, not both"),
    ),
    Case(
        id="a-folder-and-a-path",
        command="trop.release",
        given={"folder": WORK, "path": WORK},
        stored=TREE,
        doors=JSON_DOORS,
        expected=Refused(kind="invalid_argument", code=4, says="either a folder or a path, not both"),
    ),
    Case(
        id="an-empty-tag",
        command="trop.release",
        given={"tag": " "},
        stored=TREE,
        expected=Refused(kind="invalid_identifier", code=4, details={"field": "tag", "value": " "}, alone=True),
    ),
)

# list-projects

LIST_PROJECTS = (
    Case(
        id="no-projects",
        command="trop.listProjects",
        stored=(row(A, 5000),),
        expected=Done(result={"projects": [], "warnings": []}),
    ),
    Case(
        id="projects-once-and-by-code-point",
        command="trop.listProjects",
        stored=[
            row(f"/p/{n}", 5000 + n, project=name)
            for n, name in enumerate(["zebra", "Apple", "apple", "éclair", "apple", None, "a b", "😀", "\uffee"])
        ],
        expected=Done(
            result={"projects": ["Apple", "a b", "apple", "zebra", "éclair", "\uffee", "😀"]},
            prints="Apple\na b\napple\nzebra\néclair\n\uffee\n😀\n",
            prints_quietly="Apple\na b\napple\nzebra\néclair\n\uffee\n😀\n",
        ),
    ),
)

TABLE = (*MIGRATE, *RELEASE, *LIST_PROJECTS)
