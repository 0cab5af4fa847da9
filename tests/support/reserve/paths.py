"""The rows about paths."""

from __future__ import annotations

from support.refusals import Refused
from support.reserve.case import RANGE, Case, Row
from support.reserve.outcomes import created, reused

PATHS = (
    Case(id="path-below", given={"path": "sub"}, stored=(Row("sub", tag="web"),), expected=created(path="sub")),
    Case(
        id="path-with-dots-and-slashes",
        given={"path": "./sub//x/../"},
        stored=(Row("sub", tag="web"),),
        expected=created(path="sub"),
    ),
    Case(
        id="path-absolute", given={"path": "{work}/sub"}, stored=(Row("sub", tag="web"),), expected=created(path="sub")
    ),
    Case(
        id="path-missing",
        given={"path": "missing"},
        expected=created(path="missing", warnings=("{work}/missing is not an existing directory",)),
    ),
    Case(
        id="path-of-a-file",
        given={"path": "trop.yaml"},
        project_file="",
        expected=created(path="trop.yaml", warnings=("{work}/trop.yaml is not an existing directory",)),
    ),
    Case(
        id="path-empty",
        given={"path": ""},
        expected=Refused(kind="invalid_path", code=4, details={"path": ""}, alone=True),
    ),
    Case(
        id="path-through-a-link-is-kept",
        given={"path": "link"},
        links={"link": "sub"},
        stored=(Row("sub/x"),),
        expected=created(path="link"),
    ),
    Case(
        id="path-through-a-link-to-something-reserved",
        given={"path": "link"},
        links={"link": "sub"},
        stored=(Row("sub"),),
        expected=created(path="link", warnings=("{work}/link leads to {work}/sub, which has reservations of its own",)),
    ),
    Case(
        id="path-through-a-link-to-another-tag",
        given={"path": "link"},
        links={"link": "sub"},
        stored=(Row("sub", tag="web"),),
        expected=created(path="link", warnings=("{work}/link leads to {work}/sub, which has reservations of its own",)),
    ),
    Case(
        id="path-through-a-link-that-has-reservations-itself",
        given={"path": "link"},
        links={"link": "sub"},
        stored=(Row("sub"), Row("link", tag="web", port=5005, exists=False)),
        expected=created(path="link"),
    ),
    Case(
        id="path-through-a-link-again",
        given={"path": "link"},
        links={"link": "sub"},
        stored=(Row("sub"), Row("link", port=5005, exists=False)),
        expected=reused(5005, path="link", project=None, task=None),
    ),
    Case(
        id="path-through-a-dangling-link",
        given={"path": "link"},
        links={"link": "nowhere"},
        expected=created(path="link", warnings=("{work}/link is not an existing directory",)),
    ),
    Case(id="path-through-a-link-loop", given={"path": "loop"}, links={"loop": "loop"}, expected=created(path="loop")),
    Case(
        id="unrelated",
        given={"path": "{root}/elsewhere"},
        expected=Refused(kind="unrelated_path", code=1, details={"path": "{root}/elsewhere", "anchors": ["{work}"]}),
    ),
    Case(id="unrelated-but-begins-alike", given={"path": "{work}ing"}, expected=Refused(kind="unrelated_path", code=1)),
    Case(
        id="unrelated-sibling",
        given={"path": "../sibling"},
        expected=Refused(kind="unrelated_path", code=1, details={"path": "{root}/sibling", "anchors": ["{work}"]}),
    ),
    Case(
        id="unrelated-existing-key",
        given={"path": "../data"},
        stored=(Row("../data"),),
        expected=Refused(kind="unrelated_path", code=1),
    ),
    Case(
        id="unrelated-is-not-permitted-by-overwrite",
        given={"path": "../data", "overwrite": True, "allow_change": True},
        expected=Refused(kind="unrelated_path", code=1),
    ),
    Case(
        id="unrelated-allowed",
        given={"path": "../data", "allow_unrelated_path": True},
        expected=created(path="../data"),
    ),
    Case(id="unrelated-by-force", given={"path": "../data", "force": True}, expected=created(path="../data")),
    Case(
        id="unrelated-by-variable",
        given={"path": "../data"},
        environment={"TROP_ALLOW_UNRELATED_PATH": "1"},
        expected=created(path="../data"),
    ),
    Case(
        id="unrelated-by-config",
        given={"path": "../data"},
        config=RANGE + "allow_unrelated_path: true\n",
        expected=created(path="../data"),
    ),
    Case(
        id="unrelated-through-the-variable",
        environment={"TROP_PATH": "../data"},
        expected=Refused(kind="unrelated_path", code=1),
    ),
    Case(id="ancestor", given={"path": ".."}, expected=created(path="..")),
    Case(id="root-of-no-worktree", given={"root": True}, expected=created()),
    Case(
        id="root-of-a-path",
        given={"root": True, "path": "sub"},
        expected=Refused(kind="invalid_argument", code=4, details={"field": "root"}),
    ),
    Case(id="the-root", given={"path": "/"}, expected=created(path="/"), through_doors=False),
    Case(
        id="link-out-of-the-anchor-is-spelled-below-it",
        given={"path": "out"},
        links={"out": "../data"},
        expected=created(path="out"),
    ),
)
