"""The rows about ``migrate``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.changes.case import A, B, Case, Done, moved
from support.doors import DRY, JSON_DOORS
from support.refusals import Refused
from support.rows import listed, row

if TYPE_CHECKING:
    from collections.abc import Sequence

A_ROW, A_WEB, A_BELOW = row(A, 5000, "", "shop", "login"), row(A, 5001, "web"), row(f"{A}/x", 5002)
SIBLING = row("{work}/ab", 5010)


def migrate(**given: object) -> dict[str, object]:
    return {"from": A, "to": B, **given}


def complete(*rows: str, counts: str, in_the_way: Sequence[str] = ()) -> dict[str, Any]:
    """What a person is told of a move, really made and planned."""
    lines = [f"  {line}" for line in rows]
    removed = [f"  in the way: {line}" for line in in_the_way]
    return {
        "told": [*lines, *removed, f"Migration complete: {counts}."],
        "told_dry": [*lines, *(f"{line}, would be removed" for line in removed), DRY],
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
