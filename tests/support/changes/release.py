"""The rows about ``release``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.changes.case import A, B, Case, Done
from support.doors import DRY, JSON_DOORS
from support.refusals import Refused
from support.rows import Row, listed, row

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    released(
        *TREE,
        where={"path": "/", "recursive": True, "allowUnrelatedPath": True},
        case="above-the-caller-all-there-is-with-permission",
    ),
    Case(
        id="above-the-caller-what-has-nothing-to-do-with-it",
        command="trop.release",
        given={"path": "/", "recursive": True},
        stored=TREE,
        expected=Refused(
            kind="unrelated_path",
            code=1,
            says='"/elsewhere" is neither above nor below "{work}"',
            details={"path": "/elsewhere", "anchors": [WORK]},
        ),
    ),
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
