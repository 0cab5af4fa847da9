"""The table of ``reserve``: every flag alone, and in pairs where they touch each other."""

from __future__ import annotations

from typing import Any

from support.reserve import DAY, RANGE, Case, Refused, Reserved, Row

OWN = Row(port=5004, project="shop", task="login")
OTHER = Row(path="other", tag="web", port=5006)
KEPT: dict[str, Any] = {"project": "shop", "task": "login"}


def created(port: int = 5000, **more: Any) -> Reserved:
    return Reserved(outcome="created", port=port, **more)


def reused(port: int = 5004, **more: Any) -> Reserved:
    return Reserved(outcome="reused", port=port, **{**KEPT, **more})


def updated(**more: Any) -> Reserved:
    return Reserved(outcome="updated", port=5004, **{**KEPT, **more})


def reallocated(port: int, **more: Any) -> Reserved:
    return Reserved(outcome="reallocated", port=port, **{**KEPT, **more})


def exhausted(
    low: int, high: int, *, cleanup: bool = True, reserved: int, excluded: int = 0, occupied: int = 0
) -> Refused:
    counts = {"reserved": reserved, "excluded": excluded, "occupied": occupied}
    return Refused(
        kind="port_exhausted",
        code=6,
        says=f"no port from {low} to {high} is free: {reserved} reserved, {excluded} excluded, {occupied} occupied; "
        + ("a cleanup found nothing that helps" if cleanup else "cleanup is disabled"),
        details={"min": low, "max": high, **counts, "cleanup": cleanup},
    )


def invalid(field: str, says: str = "", *, alone: bool = False) -> Refused:
    return Refused(
        kind="invalid_argument", code=4, says=says, details=None if not field else {"field": field}, alone=alone
    )


def sticky(field: str, stored: str | None, requested: str | None) -> Refused:
    return Refused(kind="sticky_field", code=1, details={"field": field, "stored": stored, "requested": requested})


NO_5004 = RANGE + "excluded_ports: [5004]\n"
NO_5006 = RANGE + "excluded_ports: [5006]\n"
TAKEN = "the preferred port 5006 is reserved for {work}/other (tag web)"
PREFERS_EXCLUDED = "the preferred port 5006 is excluded"
PREFERS_OCCUPIED = "the preferred port 5006 is occupied"

NEW_KEYS = (
    Case(id="new", expected=created()),
    Case(id="new-tag", given={"tag": "web"}, expected=created(tag="web")),
    Case(id="new-tag-is-trimmed", given={"tag": " \tweb  "}, expected=created(tag="web")),
    Case(id="new-tag-beside-untagged", stored=(OWN,), given={"tag": "web"}, expected=created(tag="web")),
    Case(id="new-untagged-beside-tag", stored=(Row(tag="web", port=5000),), expected=created(5001)),
    Case(
        id="new-tag-differs-in-case",
        stored=(Row(tag="web", port=5000),),
        given={"tag": "Web"},
        expected=created(5001, tag="Web"),
    ),
    Case(id="new-project-and-task", given={"project": " shop ", "task": " login "}, expected=created(**KEPT)),
    Case(
        id="new-with-cleared-project",
        given={"clear_project": True},
        git=("repository", "login"),
        expected=created(task="login"),
    ),
    Case(
        id="new-with-cleared-task",
        given={"clear_task": True},
        git=("repository", "login"),
        expected=created(project="repository"),
    ),
    Case(id="new-skips-reserved", stored=(Row("other", port=5000), Row("third", port=5001)), expected=created(5002)),
    Case(id="new-fills-a-gap", stored=(Row("other", port=5000), Row("third", port=5002)), expected=created(5001)),
    Case(id="new-skips-excluded", config=RANGE + "excluded_ports: [5000, 5001..5003]\n", expected=created(5004)),
    Case(id="new-skips-occupied", occupied={5000, 5001}, expected=created(5002)),
    Case(
        id="new-skips-all-three",
        stored=(Row("other", port=5000),),
        config=RANGE + "excluded_ports: [5001]\n",
        occupied={5002},
        expected=created(5003),
    ),
    Case(id="new-overwrite", given={"overwrite": True}, expected=created()),
    Case(id="new-force", given={"force": True}, expected=created()),
    Case(
        id="new-force-without-port-ignores-nothing",
        given={"force": True},
        config=RANGE + "excluded_ports: [5000]\n",
        occupied={5001},
        expected=created(5002),
    ),
    Case(
        id="new-ignore-occupied-without-port", given={"ignore_occupied": True}, occupied={5000}, expected=created(5001)
    ),
    Case(
        id="new-ignore-exclusions-without-port",
        given={"ignore_exclusions": True},
        config=RANGE + "excluded_ports: [5000]\n",
        expected=created(5001),
    ),
)

EXISTING_KEYS = (
    Case(id="again", stored=(OWN, OTHER), expected=reused()),
    Case(
        id="again-with-its-tag",
        stored=(OWN, Row(tag="web", port=5005)),
        given={"tag": "web"},
        expected=reused(5005, tag="web", project=None, task=None),
    ),
    Case(id="again-occupied", stored=(OWN,), occupied={5004}, expected=reused()),
    Case(id="again-excluded", stored=(OWN,), config=NO_5004, expected=reused()),
    Case(id="again-out-of-the-range", stored=(OWN._replace(port=5050),), expected=reused(5050)),
    Case(id="again-with-a-range-elsewhere", stored=(OWN,), given={"min": 5006, "max": 5007}, expected=reused()),
    Case(id="again-with-its-own-port", stored=(OWN,), given={"port": 5004}, expected=reused()),
    Case(
        id="again-with-another-port",
        stored=(OWN,),
        given={"port": 5006},
        expected=reused(warnings=("port 5004 stays reserved: to have 5006 instead, overwrite it",)),
    ),
    Case(
        id="again-with-another-port-and-both-ignores",
        stored=(OWN,),
        given={"port": 5006, "ignore_occupied": True, "ignore_exclusions": True},
        expected=reused(warnings=("port 5004 stays reserved: to have 5006 instead, overwrite it",)),
    ),
    Case(id="again-in-a-full-range", stored=(OWN,), given={"min": 5004, "max": 5004}, expected=reused()),
    Case(
        id="again-where-its-directory-is-gone",
        stored=(Row("gone", port=5004, exists=False),),
        given={"path": "gone"},
        expected=reused(path="gone", project=None, task=None, warnings=("{work}/gone is not an existing directory",)),
    ),
    Case(id="again-expired", stored=(OWN._replace(age=400 * DAY),), expected=reused()),
    Case(id="again-upside-down", stored=(OWN,), given={"min": 5007, "max": 5006}, expected=invalid("min")),
)

OVERWRITING = (
    Case(id="overwrite-keeps-a-port-that-qualifies", stored=(OWN,), given={"overwrite": True}, expected=reused()),
    Case(
        id="overwrite-own-out-of-the-range",
        stored=(OWN._replace(port=5050),),
        given={"overwrite": True},
        expected=reallocated(5000),
    ),
    Case(
        id="overwrite-own-above-max", stored=(OWN,), given={"overwrite": True, "max": 5003}, expected=reallocated(5000)
    ),
    Case(
        id="overwrite-own-below-min", stored=(OWN,), given={"overwrite": True, "min": 5005}, expected=reallocated(5005)
    ),
    Case(
        id="overwrite-own-at-both-ends",
        stored=(OWN,),
        given={"overwrite": True, "min": 5004, "max": 5004},
        expected=reused(),
    ),
    Case(
        id="overwrite-own-excluded",
        stored=(OWN,),
        config=NO_5004,
        given={"overwrite": True},
        expected=reallocated(5000),
    ),
    Case(
        id="overwrite-own-occupied",
        stored=(OWN,),
        occupied={5004},
        given={"overwrite": True},
        expected=reallocated(5000),
    ),
    Case(
        id="overwrite-own-excluded-ignores-are-for-the-preferred",
        stored=(OWN,),
        config=NO_5004,
        given={"overwrite": True, "ignore_exclusions": True},
        expected=reallocated(5000),
    ),
    Case(
        id="overwrite-own-occupied-ignores-are-for-the-preferred",
        stored=(OWN,),
        occupied={5004},
        given={"overwrite": True, "ignore_occupied": True},
        expected=reallocated(5000),
    ),
    Case(
        id="overwrite-own-occupied-unasked",
        stored=(OWN,),
        occupied={5004},
        given={"overwrite": True, "skip_occupancy_check": True},
        expected=reused(),
    ),
    Case(
        id="overwrite-with-a-port",
        stored=(OWN, Row("other", port=5000)),
        given={"overwrite": True, "port": 5006},
        expected=reallocated(5006),
    ),
    Case(
        id="overwrite-with-a-port-outside-of-the-range",
        stored=(OWN,),
        given={"overwrite": True, "port": 5050},
        expected=reallocated(5050),
    ),
    Case(id="overwrite-with-its-own-port", stored=(OWN,), given={"overwrite": True, "port": 5004}, expected=reused()),
    Case(
        id="overwrite-with-its-own-port-outside-of-the-range",
        stored=(OWN._replace(port=5050),),
        given={"overwrite": True, "port": 5050},
        expected=reused(5050),
    ),
    Case(
        id="overwrite-with-its-own-port-occupied",
        stored=(OWN,),
        occupied={5004},
        given={"overwrite": True, "port": 5004},
        expected=reallocated(5000, warnings=("the preferred port 5004 is occupied",)),
    ),
    Case(
        id="overwrite-with-its-own-port-occupied-ignored",
        stored=(OWN,),
        occupied={5004},
        given={"overwrite": True, "port": 5004, "ignore_occupied": True},
        expected=reused(),
    ),
    Case(
        id="overwrite-with-its-own-port-excluded",
        stored=(OWN,),
        config=NO_5004,
        given={"overwrite": True, "port": 5004},
        expected=reallocated(5000, warnings=("the preferred port 5004 is excluded",)),
    ),
    Case(
        id="overwrite-with-its-own-port-excluded-ignored",
        stored=(OWN,),
        config=NO_5004,
        given={"overwrite": True, "port": 5004, "ignore_exclusions": True},
        expected=reused(),
    ),
    Case(
        id="overwrite-with-a-taken-port-keeps-its-own",
        stored=(OWN, OTHER),
        given={"overwrite": True, "port": 5006},
        expected=reused(warnings=(TAKEN,)),
    ),
    Case(
        id="overwrite-with-a-taken-port-where-its-own-does-not-do",
        stored=(OWN, OTHER),
        config=NO_5004,
        given={"overwrite": True, "port": 5006},
        expected=reallocated(5000, warnings=(TAKEN,)),
    ),
    Case(
        id="overwrite-with-an-occupied-port",
        stored=(OWN,),
        occupied={5006},
        given={"overwrite": True, "port": 5006},
        expected=reused(warnings=(PREFERS_OCCUPIED,)),
    ),
    Case(
        id="overwrite-with-an-excluded-port",
        stored=(OWN,),
        config=NO_5006,
        given={"overwrite": True, "port": 5006},
        expected=reused(warnings=(PREFERS_EXCLUDED,)),
    ),
    Case(
        id="overwrite-does-not-permit-changes",
        stored=(OWN,),
        given={"overwrite": True, "project": "mall"},
        expected=sticky("project", "shop", "mall"),
    ),
    Case(
        id="overwrite-with-a-change",
        stored=(OWN,),
        given={"overwrite": True, "port": 5006, "project": "mall", "allow_change": True},
        expected=reallocated(5006, project="mall"),
    ),
    Case(id="force", stored=(OWN,), given={"force": True}, expected=reused()),
    Case(id="force-with-a-port", stored=(OWN,), given={"force": True, "port": 5006}, expected=reallocated(5006)),
    Case(
        id="force-with-a-taken-port",
        stored=(OWN, OTHER),
        given={"force": True, "port": 5006},
        expected=reused(warnings=(TAKEN,)),
    ),
    Case(
        id="force-with-an-excluded-and-occupied-port",
        stored=(OWN,),
        config=NO_5006,
        occupied={5006},
        given={"force": True, "port": 5006},
        expected=reallocated(5006),
    ),
    Case(
        id="force-where-its-own-is-occupied",
        stored=(OWN,),
        occupied={5004},
        given={"force": True},
        expected=reallocated(5000),
    ),
    Case(
        id="force-where-its-own-is-excluded",
        stored=(OWN,),
        config=NO_5004,
        given={"force": True},
        expected=reallocated(5000),
    ),
    Case(
        id="force-changes-both",
        stored=(OWN,),
        given={"force": True, "project": "mall", "task": "pay"},
        expected=updated(project="mall", task="pay"),
    ),
    Case(
        id="force-clears-both",
        stored=(OWN,),
        given={"force": True, "clear_project": True, "clear_task": True},
        expected=updated(project=None, task=None),
    ),
    Case(
        id="overwrite-an-untagged-key-beside-a-tag",
        stored=(OWN, Row(tag="web", port=5005)),
        given={"overwrite": True, "port": 5006},
        expected=reallocated(5006),
    ),
)

PREFERRED = (
    Case(id="port", given={"port": 5006}, expected=created(5006)),
    Case(id="port-outside-of-the-range", given={"port": 5050}, expected=created(5050)),
    Case(id="port-lowest-there-is", given={"port": 1, "skip_occupancy_check": True}, expected=created(1)),
    Case(id="port-highest-there-is", given={"port": 65535, "skip_occupancy_check": True}, expected=created(65535)),
    Case(id="port-of-another", stored=(OTHER,), given={"port": 5006}, expected=created(warnings=(TAKEN,))),
    Case(
        id="port-of-another-tag",
        stored=(Row(tag="web", port=5006),),
        given={"port": 5006},
        expected=created(warnings=("the preferred port 5006 is reserved for {work} (tag web)",)),
    ),
    Case(
        id="port-of-an-untagged-key",
        stored=(Row("other", port=5006),),
        given={"port": 5006},
        expected=created(warnings=("the preferred port 5006 is reserved for {work}/other",)),
    ),
    Case(
        id="port-of-another-outside-of-the-range",
        stored=(Row("other", port=5050),),
        given={"port": 5050},
        expected=created(warnings=("the preferred port 5050 is reserved for {work}/other",)),
    ),
    Case(
        id="port-of-another-is-not-to-be-had-by-ignoring",
        stored=(OTHER,),
        given={"port": 5006, "ignore_occupied": True, "ignore_exclusions": True},
        expected=created(warnings=(TAKEN,)),
    ),
    Case(
        id="port-of-another-is-not-to-be-had-by-overwriting",
        stored=(OTHER,),
        given={"port": 5006, "overwrite": True},
        expected=created(warnings=(TAKEN,)),
    ),
    Case(
        id="port-of-another-is-not-to-be-had-by-force",
        stored=(OTHER,),
        given={"port": 5006, "force": True},
        expected=created(warnings=(TAKEN,)),
    ),
    Case(
        id="port-of-a-missing-directory",
        stored=(OTHER._replace(exists=False),),
        given={"port": 5006},
        expected=created(warnings=(TAKEN,)),
    ),
    Case(id="port-excluded", config=NO_5006, given={"port": 5006}, expected=created(warnings=(PREFERS_EXCLUDED,))),
    Case(
        id="port-excluded-outside-of-the-range",
        config=RANGE + "excluded_ports: [5050]\n",
        given={"port": 5050},
        expected=created(warnings=("the preferred port 5050 is excluded",)),
    ),
    Case(
        id="port-excluded-ignored",
        config=NO_5006,
        given={"port": 5006, "ignore_exclusions": True},
        expected=created(5006),
    ),
    Case(
        id="port-excluded-other-ignore",
        config=NO_5006,
        given={"port": 5006, "ignore_occupied": True},
        expected=created(warnings=(PREFERS_EXCLUDED,)),
    ),
    Case(id="port-occupied", occupied={5006}, given={"port": 5006}, expected=created(warnings=(PREFERS_OCCUPIED,))),
    Case(
        id="port-occupied-ignored",
        occupied={5006},
        given={"port": 5006, "ignore_occupied": True},
        expected=created(5006),
    ),
    Case(
        id="port-occupied-other-ignore",
        occupied={5006},
        given={"port": 5006, "ignore_exclusions": True},
        expected=created(warnings=(PREFERS_OCCUPIED,)),
    ),
    Case(
        id="port-excluded-and-occupied-both-ignored",
        config=NO_5006,
        occupied={5006},
        given={"port": 5006, "ignore_occupied": True, "ignore_exclusions": True},
        expected=created(5006),
    ),
    Case(
        id="port-excluded-and-occupied-force",
        config=NO_5006,
        occupied={5006},
        given={"port": 5006, "force": True},
        expected=created(5006),
    ),
    Case(
        id="port-occupied-not-looked-at",
        occupied={5006},
        given={"port": 5006, "skip_occupancy_check": True},
        expected=created(5006),
    ),
    Case(
        id="port-occupied-without-tcp", occupied={5006}, given={"port": 5006, "skip_tcp": True}, expected=created(5006)
    ),
    Case(
        id="port-occupied-without-ipv4",
        occupied={5006},
        given={"port": 5006, "skip_ipv4": True},
        expected=created(5006),
    ),
    Case(
        id="port-occupied-without-udp",
        occupied={5006},
        given={"port": 5006, "skip_udp": True},
        expected=created(warnings=(PREFERS_OCCUPIED,)),
    ),
    Case(
        id="port-occupied-without-ipv6",
        occupied={5006},
        given={"port": 5006, "skip_ipv6": True},
        expected=created(warnings=(PREFERS_OCCUPIED,)),
    ),
    Case(
        id="port-occupied-on-all-interfaces",
        occupied={5006},
        given={"port": 5006, "check_all_interfaces": True},
        expected=created(warnings=(PREFERS_OCCUPIED,)),
    ),
    Case(id="scan-without-tcp", occupied={5000}, given={"skip_tcp": True}, expected=created(5000)),
    Case(id="scan-not-looking", occupied={5000}, given={"skip_occupancy_check": True}, expected=created(5000)),
    Case(id="port-zero", given={"port": 0}, expected=invalid("port", "a port from 1 to 65535", alone=True)),
    Case(id="port-too-high", given={"port": 65536}, expected=invalid("port", "a port from 1 to 65535", alone=True)),
    Case(
        id="port-negative",
        given={"port": -1},
        expected=invalid("port", "a port from 1 to 65535", alone=True),
        through_doors=False,
    ),
)

RANGES = (
    Case(id="min", given={"min": 5005}, expected=created(5005)),
    Case(id="max", given={"max": 5000}, expected=created(5000)),
    Case(id="min-and-max", given={"min": 5020, "max": 5021}, expected=created(5020)),
    Case(id="single-port-range", given={"min": 5003, "max": 5003}, expected=created(5003)),
    Case(
        id="single-port-range-taken",
        stored=(Row("other", port=5003),),
        given={"min": 5003, "max": 5003},
        expected=exhausted(5003, 5003, reserved=1),
    ),
    Case(
        id="min-with-the-offset-of-a-file",
        config="ports: {min: 5000, max_offset: 1}\n",
        stored=(Row("other", port=5020), Row("third", port=5021)),
        given={"min": 5020},
        expected=exhausted(5020, 5021, reserved=2),
    ),
    Case(
        id="min-above-max", given={"min": 5006, "max": 5005}, expected=invalid("min", "a port up to the maximum, 5005")
    ),
    Case(
        id="min-above-the-configured-max",
        given={"min": 5010},
        expected=invalid("min", "a port up to the maximum, 5009"),
    ),
    Case(
        id="max-below-the-configured-min", given={"max": 4999}, expected=invalid("max", "a port from the minimum, 5000")
    ),
    Case(id="min-zero", given={"min": 0}, expected=invalid("min", "a port from 1 to 65535", alone=True)),
    Case(id="max-too-high", given={"max": 65536}, expected=invalid("max", "a port from 1 to 65535", alone=True)),
)


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
    Case(id="the-root", given={"path": "/"}, expected=created(path="/"), through_doors=False),
    Case(
        id="link-out-of-the-anchor-is-spelled-below-it",
        given={"path": "out"},
        links={"out": "../data"},
        expected=created(path="out"),
    ),
)

FULL = {"min": 5000, "max": 5001}
GONE = Row("gone", port=5000, exists=False)
EXPIRED = Row("expired", port=5001, age=30 * DAY + 3600)
ALIVE = Row("alive", port=5001)
ALSO_ALIVE = Row("alive-too", port=5000)


def told(missing: int = 0, expired: int = 0) -> tuple[str, ...]:
    return (f"to make room, reservations were dropped: {missing} of missing directories, {expired} expired",)


EXHAUSTION = (
    Case(id="full", stored=(ALIVE, ALSO_ALIVE), given=FULL, expected=exhausted(5000, 5001, reserved=2)),
    Case(
        id="full-counts",
        stored=(ALIVE,),
        config=RANGE + "excluded_ports: [5000, 5001, 5002]\n",
        occupied={5003, 5001, 5000},
        given={"min": 5000, "max": 5003},
        expected=exhausted(5000, 5003, reserved=1, excluded=2, occupied=1),
    ),
    Case(
        id="full-with-a-preferred-port",
        stored=(ALIVE, ALSO_ALIVE),
        given={**FULL, "port": 5001},
        expected=exhausted(5000, 5001, reserved=2),
    ),
    Case(
        id="full-but-the-preferred-port-is-outside",
        stored=(ALIVE, ALSO_ALIVE),
        given={**FULL, "port": 5050},
        expected=created(5050),
    ),
    Case(
        id="prunes-the-missing",
        stored=(GONE, ALIVE),
        given=FULL,
        expected=created(5000, dropped=("gone",), warnings=told(1)),
    ),
    Case(
        id="prunes-every-missing-one",
        stored=(GONE, ALIVE, Row("gone-too", port=5050, exists=False)),
        given=FULL,
        expected=created(5000, dropped=("gone", "gone-too"), warnings=told(2)),
    ),
    Case(
        id="prunes-only-when-it-has-to", stored=(GONE, ALIVE), given={"min": 5000, "max": 5002}, expected=created(5002)
    ),
    Case(
        id="prunes-where-a-file-is-now",
        project_file="",
        stored=(Row("trop.yaml", port=5000, exists=False), ALIVE),
        given=FULL,
        expected=created(5000, dropped=("trop.yaml",), warnings=told(1)),
    ),
    Case(
        id="prunes-below-a-file",
        project_file="",
        stored=(Row("trop.yaml/x", port=5000, exists=False), ALIVE),
        given=FULL,
        expected=created(5000, dropped=("trop.yaml/x",), warnings=told(1)),
    ),
    Case(
        id="prunes-a-dangling-link",
        links={"link": "nowhere"},
        stored=(Row("link", port=5000, exists=False), ALIVE),
        given=FULL,
        expected=created(5000, dropped=("link",), warnings=told(1)),
    ),
    Case(
        id="keeps-a-link-loop",
        links={"loop": "loop"},
        stored=(Row("loop", port=5000, exists=False), ALIVE),
        given=FULL,
        expected=exhausted(5000, 5001, reserved=2),
    ),
    Case(
        id="keeps-a-link-to-a-directory",
        links={"link": "alive"},
        stored=(ALIVE, Row("link", port=5000, exists=False)),
        given=FULL,
        expected=exhausted(5000, 5001, reserved=2),
    ),
    Case(
        id="expires",
        stored=(ALSO_ALIVE, EXPIRED),
        given=FULL,
        expected=created(5001, dropped=("expired",), warnings=told(0, 1)),
    ),
    Case(
        id="expires-not-yet",
        stored=(ALSO_ALIVE, EXPIRED._replace(age=30 * DAY - 3600)),
        given=FULL,
        expected=exhausted(5000, 5001, reserved=2),
    ),
    Case(
        id="expires-after-configured-days",
        stored=(ALSO_ALIVE, Row("expired", port=5001, age=2 * DAY + 3600)),
        config=RANGE + "cleanup: {expire_after_days: 2}\n",
        given=FULL,
        expected=created(5001, dropped=("expired",), warnings=told(0, 1)),
    ),
    Case(
        id="expires-after-days-of-the-variable",
        stored=(ALSO_ALIVE, Row("expired", port=5001, age=2 * DAY + 3600)),
        environment={"TROP_EXPIRE_AFTER_DAYS": "2"},
        given=FULL,
        expected=created(5001, dropped=("expired",), warnings=told(0, 1)),
    ),
    Case(
        id="expires-later-as-configured",
        stored=(ALSO_ALIVE, EXPIRED),
        config=RANGE + "cleanup: {expire_after_days: 31}\n",
        given=FULL,
        expected=exhausted(5000, 5001, reserved=2),
    ),
    Case(
        id="prunes-and-expires",
        stored=(GONE, EXPIRED),
        given=FULL,
        expected=created(5000, dropped=("gone", "expired"), warnings=told(1, 1)),
    ),
    Case(
        id="missing-and-expired-counts-once",
        stored=(GONE._replace(age=99 * DAY), ALIVE),
        given=FULL,
        expected=created(5000, dropped=("gone",), warnings=told(1)),
    ),
    Case(
        id="missing-expires-where-prune-is-off",
        stored=(GONE._replace(age=99 * DAY), ALIVE),
        given={**FULL, "disable_autoprune": True},
        expected=created(5000, dropped=("gone",), warnings=told(0, 1)),
    ),
    Case(
        id="cleanup-that-frees-other-ports",
        stored=(ALIVE, ALSO_ALIVE, Row("gone", port=5050, exists=False), Row("expired", port=5051, age=99 * DAY)),
        given=FULL,
        expected=exhausted(5000, 5001, reserved=2),
    ),
    Case(
        id="cleanup-that-frees-an-excluded-port",
        stored=(GONE, ALIVE),
        config=RANGE + "excluded_ports: [5000]\n",
        given=FULL,
        expected=exhausted(5000, 5001, reserved=2),
    ),
    Case(
        id="cleanup-that-frees-an-occupied-port",
        stored=(GONE, ALIVE),
        occupied={5000},
        given=FULL,
        expected=exhausted(5000, 5001, reserved=2),
    ),
    Case(
        id="cleanup-skips-to-a-port-that-does",
        stored=(GONE, Row("gone-too", port=5001, exists=False)),
        occupied={5000},
        given=FULL,
        expected=created(5001, dropped=("gone", "gone-too"), warnings=told(2)),
    ),
    Case(
        id="cleanup-frees-the-preferred-port",
        stored=(GONE, Row("gone-too", port=5001, exists=False)),
        given={**FULL, "port": 5001},
        expected=created(5001, dropped=("gone", "gone-too"), warnings=told(2)),
    ),
    Case(
        id="cleanup-frees-the-preferred-port-outside-of-the-range",
        stored=(ALIVE, ALSO_ALIVE, Row("gone", port=5050, exists=False)),
        given={**FULL, "port": 5050},
        expected=created(5050, dropped=("gone",), warnings=told(1)),
    ),
    Case(
        id="cleanup-frees-a-preferred-port-that-is-excluded",
        stored=(GONE, Row("gone-too", port=5001, exists=False)),
        config=RANGE + "excluded_ports: [5001]\n",
        given={**FULL, "port": 5001},
        expected=created(
            5000, dropped=("gone", "gone-too"), warnings=("the preferred port 5001 is excluded", *told(2))
        ),
    ),
    Case(
        id="cleanup-frees-another-than-the-preferred-port",
        stored=(GONE, ALIVE),
        given={**FULL, "port": 5001},
        expected=created(
            5000, dropped=("gone",), warnings=("the preferred port 5001 is reserved for {work}/alive", *told(1))
        ),
    ),
    Case(
        id="overwrite-in-a-full-range",
        stored=(OWN._replace(port=5000), ALIVE),
        config=RANGE + "excluded_ports: [5000]\n",
        given={**FULL, "overwrite": True},
        expected=exhausted(5000, 5001, reserved=2),
    ),
    Case(
        id="overwrite-in-a-full-range-prunes",
        stored=(OWN, GONE, ALIVE),
        given={**FULL, "overwrite": True},
        expected=reallocated(5000, dropped=("gone",), warnings=told(1)),
    ),
    Case(
        id="overwrite-never-drops-its-own-key",
        stored=(Row("gone", port=5004, project="shop", exists=False), Row("gone-too", port=5000, exists=False), ALIVE),
        given={**FULL, "overwrite": True, "path": "gone"},
        expected=reallocated(
            5000,
            path="gone",
            task=None,
            dropped=("gone-too",),
            warnings=("{work}/gone is not an existing directory", *told(1)),
        ),
    ),
    Case(
        id="overwrite-where-only-its-own-key-is-missing",
        stored=(Row("gone", port=5000, project="shop", exists=False), ALIVE),
        occupied={5000},
        given={**FULL, "overwrite": True, "path": "gone"},
        expected=exhausted(5000, 5001, reserved=2),
    ),
    Case(
        id="overwrite-where-its-own-key-is-expired",
        stored=(OWN._replace(port=5000, age=99 * DAY), ALIVE),
        given={**FULL, "overwrite": True, "port": 5001},
        expected=reused(5000, warnings=("the preferred port 5001 is reserved for {work}/alive",)),
    ),
    Case(
        id="without-prune-by-flag",
        stored=(GONE, ALIVE),
        given={**FULL, "disable_autoprune": True},
        expected=exhausted(5000, 5001, reserved=2),
    ),
    Case(
        id="without-prune-by-variable",
        stored=(GONE, ALIVE),
        given=FULL,
        environment={"TROP_DISABLE_AUTOPRUNE": "1"},
        expected=exhausted(5000, 5001, reserved=2),
    ),
    Case(
        id="without-prune-by-config",
        stored=(GONE, ALIVE),
        given=FULL,
        config=RANGE + "disable_autoprune: true\n",
        expected=exhausted(5000, 5001, reserved=2),
    ),
    Case(
        id="without-prune-expires",
        stored=(GONE, EXPIRED),
        given={**FULL, "disable_autoprune": True},
        expected=created(5001, dropped=("expired",), warnings=told(0, 1)),
    ),
    Case(
        id="without-expire-by-flag",
        stored=(ALSO_ALIVE, EXPIRED),
        given={**FULL, "disable_autoexpire": True},
        expected=exhausted(5000, 5001, reserved=2),
    ),
    Case(
        id="without-expire-by-variable",
        stored=(ALSO_ALIVE, EXPIRED),
        given=FULL,
        environment={"TROP_DISABLE_AUTOEXPIRE": "1"},
        expected=exhausted(5000, 5001, reserved=2),
    ),
    Case(
        id="without-expire-by-config",
        stored=(ALSO_ALIVE, EXPIRED),
        given=FULL,
        config=RANGE + "disable_autoexpire: true\n",
        expected=exhausted(5000, 5001, reserved=2),
    ),
    Case(
        id="without-expire-prunes",
        stored=(GONE, EXPIRED),
        given={**FULL, "disable_autoexpire": True},
        expected=created(5000, dropped=("gone",), warnings=told(1)),
    ),
    Case(
        id="without-both",
        stored=(GONE, EXPIRED),
        given={**FULL, "disable_autoprune": True, "disable_autoexpire": True},
        expected=exhausted(5000, 5001, reserved=2, cleanup=False),
    ),
    Case(
        id="without-both-by-config",
        stored=(GONE, EXPIRED),
        given=FULL,
        project_file="disable_autoprune: true\ndisable_autoexpire: true\n",
        expected=exhausted(5000, 5001, reserved=2, cleanup=False),
    ),
    Case(
        id="force-does-not-enable-cleanup",
        stored=(GONE, EXPIRED),
        given={**FULL, "force": True, "disable_autoprune": True, "disable_autoexpire": True},
        expected=exhausted(5000, 5001, reserved=2, cleanup=False),
    ),
)

TABLE: tuple[Case, ...] = (
    *NEW_KEYS,
    *EXISTING_KEYS,
    *OVERWRITING,
    *PREFERRED,
    *RANGES,
    *STICKY,
    *SOURCES,
    *IDENTIFIERS,
    *PATHS,
    *EXHAUSTION,
)
