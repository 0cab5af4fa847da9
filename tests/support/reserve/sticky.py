"""The rows about project and task, which stay unless a change is permitted."""

from __future__ import annotations

from typing import Any

from support.reserve.case import RANGE, Case, Reserved, Row
from support.reserve.outcomes import OWN, invalid, reused, sticky, updated


def _permissions() -> list[tuple[str, dict[str, Any], bool, bool]]:
    """Ways to give a permission: whether it is good for the project, and whether for the task."""
    return [
        ("nothing", {}, False, False),
        ("overwrite", {"given": {"overwrite": True}}, False, False),
        ("flag-project", {"given": {"allow_change_project": True}}, True, False),
        ("flag-task", {"given": {"allow_change_task": True}}, False, True),
        ("flag-both", {"given": {"allow_change": True}}, True, True),
        ("force", {"given": {"force": True}}, True, True),
        ("unrelated", {"given": {"allow_unrelated_path": True}}, False, False),
        ("env-project", {"environment": {"TROP_ALLOW_CHANGE_PROJECT": "1"}}, True, False),
        ("env-task", {"environment": {"TROP_ALLOW_CHANGE_TASK": "yes"}}, False, True),
        ("env-both", {"environment": {"TROP_ALLOW_CHANGE": "on"}}, True, True),
        ("env-project-alias", {"environment": {"TROP_ALLOW_PROJECT_CHANGE": "True"}}, True, False),
        ("env-task-alias", {"environment": {"TROP_ALLOW_TASK_CHANGE": "1"}}, False, True),
        ("env-both-denied", {"environment": {"TROP_ALLOW_CHANGE": "off"}}, False, False),
        ("config-project", {"config": RANGE + "allow_change_project: true\n"}, True, False),
        ("config-task", {"config": RANGE + "allow_change_task: true\n"}, False, True),
        ("config-both", {"config": RANGE + "allow_change: true\n"}, True, True),
        ("project-file-both", {"project_file": "allow_change: true\n"}, True, True),
        ("local-file-project", {"local_file": "allow_change_project: true\n"}, True, False),
        (
            "local-file-denies",
            {"config": RANGE + "allow_change: true\n", "local_file": "allow_change: false\n"},
            False,
            False,
        ),
        ("flag-over-env", {"environment": {"TROP_ALLOW_CHANGE": "0"}, "given": {"allow_change": True}}, True, True),
    ]


def _sticky_cases() -> list[Case]:
    """Each wish about each field, against each stored value, under each permission."""
    cases = []
    for way, extra, permits_project, permits_task in _permissions():
        for field, permitted in (("project", permits_project), ("task", permits_task)):
            for stored in (None, "old"):
                wishes: list[tuple[str, dict[str, object], dict[str, str], str | None]] = [
                    ("argument", {field: "new"}, {}, "new"),
                    ("environment", {}, {f"TROP_{field.upper()}": "new"}, "new"),
                ]
                if stored is not None:
                    wishes.append(("clearing", {f"clear_{field}": True}, {}, None))
                for wish, given, environment, value in wishes:
                    row = Row(**{field: stored})  # type: ignore[arg-type]
                    done = Reserved(outcome="updated", port=5004, **{field: value})  # type: ignore[arg-type]
                    cases.append(
                        Case(
                            id=f"sticky-{field}-{stored}-{wish}-{way}",
                            stored=(row,),
                            given={**extra.get("given", {}), **given},
                            environment={**extra.get("environment", {}), **environment},
                            config=extra.get("config", RANGE),
                            project_file=extra.get("project_file"),
                            local_file=extra.get("local_file"),
                            expected=done if permitted else sticky(field, stored, value),
                            through_doors=stored == "old"
                            and wish == "argument"
                            and (field == "project") is permits_project,
                        )
                    )
    return cases


STICKY = (
    *_sticky_cases(),
    Case(
        id="same-values-need-no-permission",
        stored=(OWN,),
        given={"project": "shop", "task": "login"},
        expected=reused(),
    ),
    Case(id="same-values-once-trimmed", stored=(OWN,), given={"project": " shop "}, expected=reused()),
    Case(
        id="same-values-from-the-environment",
        stored=(OWN,),
        environment={"TROP_PROJECT": "shop", "TROP_TASK": "login"},
        expected=reused(),
    ),
    Case(
        id="values-differ-in-case", stored=(OWN,), given={"project": "Shop"}, expected=sticky("project", "shop", "Shop")
    ),
    Case(
        id="clearing-what-is-empty",
        stored=(Row(),),
        given={"clear_project": True, "clear_task": True},
        expected=Reserved(outcome="reused", port=5004),
    ),
    Case(
        id="project-alone-permitted-of-both",
        stored=(OWN,),
        given={"project": "mall", "task": "pay", "allow_change_project": True},
        expected=sticky("task", "login", "pay"),
    ),
    Case(
        id="task-alone-permitted-of-both",
        stored=(OWN,),
        given={"project": "mall", "task": "pay", "allow_change_task": True},
        expected=sticky("project", "shop", "mall"),
    ),
    Case(
        id="each-permission-by-itself",
        stored=(OWN,),
        given={"project": "mall", "task": "pay", "allow_change_project": True, "allow_change_task": True},
        expected=updated(project="mall", task="pay"),
    ),
    Case(
        id="one-given-the-other-stays",
        stored=(OWN,),
        given={"project": "mall", "allow_change": True},
        expected=updated(project="mall"),
    ),
    Case(
        id="argument-goes-before-the-variable",
        stored=(OWN,),
        given={"project": "shop"},
        environment={"TROP_PROJECT": "mall"},
        expected=reused(),
    ),
    Case(
        id="clearing-goes-before-the-variables",
        stored=(OWN,),
        given={"clear_project": True, "clear_task": True, "allow_change": True},
        environment={"TROP_PROJECT": "mall", "TROP_TASK": "pay"},
        expected=updated(project=None, task=None),
    ),
    Case(
        id="clearing-with-a-variable-needs-the-permission",
        stored=(OWN,),
        given={"clear_project": True},
        environment={"TROP_PROJECT": "shop"},
        expected=sticky("project", "shop", None),
    ),
    Case(
        id="clear-project-and-project",
        stored=(OWN,),
        given={"clear_project": True, "project": "shop"},
        expected=invalid("clearProject"),
    ),
    Case(
        id="clear-task-and-task",
        stored=(OWN,),
        given={"clear_task": True, "task": "login"},
        expected=invalid("clearTask"),
    ),
    Case(
        id="clear-project-and-project-by-force",
        given={"clear_project": True, "project": "shop", "force": True},
        expected=invalid("clearProject"),
    ),
    Case(
        id="clear-project-and-task",
        stored=(OWN,),
        given={"clear_project": True, "task": "login", "allow_change_project": True},
        expected=updated(project=None),
    ),
    Case(id="configured-project-is-for-new-keys", stored=(OWN,), project_file="project: mall\n", expected=reused()),
    Case(
        id="configured-project-does-not-fill-an-empty-one",
        stored=(Row(),),
        project_file="project: mall\nallow_change: true\n",
        expected=Reserved(outcome="reused", port=5004),
    ),
    Case(id="git-is-for-new-keys", stored=(OWN,), git=("mall", "main"), given={"force": True}, expected=reused()),
    Case(
        id="an-empty-variable-is-not-given",
        stored=(OWN,),
        environment={"TROP_PROJECT": "", "TROP_TASK": ""},
        expected=reused(),
    ),
    Case(
        id="of-one-tag-only",
        stored=(OWN, Row(tag="web", port=5005, project="shop")),
        given={"tag": "web", "project": "mall", "allow_change": True},
        expected=Reserved(outcome="updated", port=5005, tag="web", project="mall"),
    ),
)
