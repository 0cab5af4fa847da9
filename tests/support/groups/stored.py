"""The rows about groups that are stored already, whole or in part."""

from __future__ import annotations

from support.groups.case import GROUP, KEPT, PREFERS, case, conflict, made, stored
from support.refusals import Refused
from support.reserve.case import RANGE, Row

STICKY = Refused(kind="sticky_field", code=1, details={"field": "task", "stored": "login", "requested": "logout"})
STORED = (
    case("stored", made(5003, 5004, 5007, "reused"), stored=stored(5003, 5004, 5007)),
    case("stored-and-listening", made(outcome="reused"), stored=stored(), occupied={5000, 5001, 5004}),
    case(
        "stored-and-now-excluded",
        made(outcome="reused"),
        stored=stored(),
        config=RANGE + "excluded_ports: [5000..5009]\n",
    ),
    case("stored-outside-of-the-range", made(5020, 5021, 5024, "reused"), stored=stored(5020, 5021, 5024)),
    case(
        "stored-below-the-base",
        made(outcome="reused"),
        GROUP.replace("  services", "  base: 5003\n  services", 1),
        stored=stored(),
    ),
    case("stored-with-the-preferred-port", made(5050, 5001, 5004, "reused"), PREFERS, stored=stored(5050)),
    case("stored-when-the-preferred-port-was-taken", made(outcome="reused"), PREFERS, stored=stored()),
    case(
        "stored-beside-what-is-no-service",
        made(outcome="reused"),
        stored=(*stored(), Row(port=5005), Row(tag="old", port=5006), Row(path="sub", tag="web", port=5007)),
    ),
    case("stored-keeps-its-facts", made(outcome="reused", **KEPT), "project: other" + GROUP, stored=stored(**KEPT)),
    case("stored-same-task", made(outcome="reused", **KEPT), stored=stored(**KEPT), given={"task": "login"}),
    case("stored-other-task", STICKY, stored=stored(**KEPT), given={"task": "logout"}),
    case(
        "stored-other-task-of-one-service",
        STICKY,
        stored=(*stored(db=None, task="logout"), Row(tag="db-main", port=5004, task="login")),
        given={"task": "logout"},
    ),
    case("stored-other-task-of-the-environment", STICKY, stored=stored(**KEPT), environment={"TROP_TASK": "logout"}),
    case(
        "stored-change-of-task",
        made(outcome="updated", project="shop", task="logout"),
        stored=stored(**KEPT),
        given={"task": "logout", "allow_change_task": True},
    ),
    case(
        "stored-change-of-any",
        made(outcome="updated", project="shop", task="logout"),
        stored=stored(**KEPT),
        given={"task": "logout", "allow_change": True},
    ),
    case(
        "stored-wrong-permission", STICKY, stored=stored(**KEPT), given={"task": "logout", "allow_change_project": True}
    ),
    case(
        "stored-forced-task",
        made(outcome="updated", project="shop", task="logout"),
        stored=stored(**KEPT),
        given={"task": "logout", "force": True},
    ),
    case(
        "stored-other-project-of-the-environment",
        Refused(kind="sticky_field", code=1, details={"field": "project"}),
        stored=stored(**KEPT),
        environment={"TROP_PROJECT": "other"},
    ),
    case(
        "stored-and-forced-stays",
        made(5003, 5004, 5007, "reused"),
        PREFERS,
        stored=stored(5003, 5004, 5007),
        given={"force": True},
    ),
)
IN_PART = conflict('is reserved in part: "api" is missing ("db-main" has 5004, "web" has 5000)')
MISFIT = conflict("no longer has the ports that its configuration describes")
REPLACED = (
    case("in-part", IN_PART, stored=stored(api=None)),
    case(
        "in-part-two-missing",
        conflict('"api", "db-main" are missing ("web" has 5000)'),
        stored=stored(api=None, db=None),
    ),
    case("in-part-forced", made(outcome="reallocated"), stored=stored(api=None), given={"force": True}),
    case(
        "in-part-forced-while-it-listens",
        made(outcome="reallocated"),
        stored=stored(api=None),
        occupied={5000, 5004},
        given={"force": True},
    ),
    case(
        "in-part-forced-prefers-its-own-port",
        made(5050, 5001, 5004, "reallocated"),
        PREFERS,
        stored=stored(5050, None),
        occupied={5050},
        given={"force": True},
    ),
    case(
        "in-part-forced-keeps-facts",
        made(
            outcome="reallocated", facts={"web": ("shop", "login"), "db-main": ("shop", "login"), "api": ("new", None)}
        ),
        "project: new" + GROUP,
        stored=stored(api=None, **KEPT),
        given={"force": True},
    ),
    case(
        "in-part-forced-changes-tasks",
        made(outcome="reallocated", facts={"web": ("shop", "x"), "db-main": ("shop", "x"), "api": (None, "x")}),
        stored=stored(api=None, **KEPT),
        given={"force": True, "task": "x"},
    ),
    case("distances-changed", MISFIT, stored=stored(db=5005)),
    case("preferred-port-changed", MISFIT, PREFERS, stored=stored(5049)),
    case("distances-changed-forced", made(outcome="reallocated"), stored=stored(db=5005), given={"force": True}),
    case("swapped-forced", made(outcome="reallocated"), stored=stored(5001, 5000, 5004), given={"force": True}),
    case(
        "swapped-forced-leaves-others",
        made(outcome="reallocated"),
        stored=(
            *stored(5001, 5000, 5004),
            Row(port=5005),
            Row(tag="old", port=5006),
            Row(path="sub", tag="web", port=5007),
        ),
        given={"force": True},
    ),
)
