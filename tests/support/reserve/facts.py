"""The rows about where project, task and tag come from, and what they may be."""

from __future__ import annotations

from typing import Any

from support.refusals import Refused
from support.reserve.case import Case, Row
from support.reserve.outcomes import KEPT, created

_ALL_SOURCES: Any = {
    "given": {"project": "argument", "task": "task-argument"},
    "environment": {"TROP_PROJECT": "variable", "TROP_TASK": "task-variable"},
    "local_file": "project: local\n",
    "project_file": "project: shared\n",
    "git": ("repository", "branch"),
}


def _sources(*left: str) -> Any:
    return {name: _ALL_SOURCES[name] for name in left}


SOURCES = (
    Case(id="project-from-the-argument", **_ALL_SOURCES, expected=created(project="argument", task="task-argument")),
    Case(
        id="project-from-the-variable",
        **_sources("environment", "local_file", "project_file", "git"),
        expected=created(project="variable", task="task-variable"),
    ),
    Case(
        id="project-from-trop-local-yaml",
        **_sources("local_file", "project_file", "git"),
        expected=created(project="local", task="branch"),
    ),
    Case(
        id="project-from-trop-yaml",
        **_sources("project_file", "git"),
        expected=created(project="shared", task="branch"),
    ),
    Case(id="project-from-git", **_sources("git"), expected=created(project="repository", task="branch")),
    Case(
        id="project-from-the-argument-alone",
        **_sources("local_file", "project_file"),
        given={"project": "argument"},
        expected=created(project="argument"),
    ),
    Case(
        id="task-from-the-argument-project-from-git",
        **_sources("git"),
        given={"task": "mine"},
        expected=created(project="repository", task="mine"),
    ),
    Case(
        id="project-from-the-argument-task-from-git",
        **_sources("git"),
        given={"project": "mine"},
        expected=created(project="mine", task="branch"),
    ),
    Case(
        id="variables-are-trimmed",
        environment={"TROP_PROJECT": " shop ", "TROP_TASK": "\tlogin"},
        expected=created(**KEPT),
    ),
    Case(
        id="variables-that-are-empty",
        **_sources("git"),
        environment={"TROP_PROJECT": "", "TROP_TASK": ""},
        expected=created(project="repository", task="branch"),
    ),
    Case(
        id="variable-that-is-blank",
        environment={"TROP_PROJECT": " "},
        expected=Refused(kind="invalid_identifier", code=4, details={"field": "project", "value": " "}, alone=True),
    ),
    Case(
        id="variable-with-a-control-character",
        environment={"TROP_TASK": "a\x07b"},
        expected=Refused(kind="invalid_identifier", code=4, says="U+0007", alone=True),
    ),
    Case(
        id="project-of-the-nearest-file",
        given={"path": "sub/deeper"},
        stored=(Row("sub/deeper", tag="web"),),
        project_file="project: shared\n",
        expected=created(path="sub/deeper", project="shared"),
    ),
    Case(
        id="path-from-the-variable",
        environment={"TROP_PATH": "sub"},
        stored=(Row("sub", tag="web"),),
        expected=created(path="sub"),
    ),
    Case(
        id="path-goes-before-the-variable",
        environment={"TROP_PATH": "elsewhere"},
        given={"path": "sub"},
        stored=(Row("sub", tag="web"),),
        expected=created(path="sub"),
    ),
    Case(
        id="path-from-the-variable-is-explicit",
        environment={"TROP_PATH": "link"},
        links={"link": "sub"},
        stored=(Row("sub"),),
        expected=created(path="link", warnings=("{work}/link leads to {work}/sub, which has reservations of its own",)),
    ),
)
IDENTIFIERS = tuple(
    Case(
        id=f"{field}-{what}",
        given={field: value},
        expected=Refused(
            kind="invalid_identifier", code=4, says=says, details={"field": field, "value": value}, alone=True
        ),
        through_doors=field == "tag",
    )
    for field in ("tag", "project", "task")
    for what, value, says in (
        ("empty", "", "it is empty"),
        ("blank", " \t", "it is empty"),
        ("too-long", "x" * 256, "256 characters"),
        ("newline", "a\nb", "U+000A"),
        ("delete", "a\x7fb", "U+007F"),
        ("next-line", "a\x85b", "U+0085"),
    )
) + tuple(
    Case(
        id=f"{field}-of-255",
        given={field: "é" * 255},
        expected=created(5000, **{field: "é" * 255}),
        through_doors=False,
    )
    for field in ("tag", "project", "task")
)
