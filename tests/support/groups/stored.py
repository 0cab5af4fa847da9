"""The rows about groups that are stored already, whole or in part."""

from __future__ import annotations

from support.groups.case import GROUP, KEPT, PREFERS, case, drifted, gone, made, scattered, stored
from support.refusals import Refused
from support.reserve.case import RANGE, Row

FORCED = {"force": True}
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
    case(
        "stored-when-the-preferred-port-was-taken",
        made(outcome="reused", warnings=(drifted("web", 5000, 5050),)),
        PREFERS,
        stored=stored(),
    ),
    case(
        "stored-while-the-preferred-port-is-taken",
        made(outcome="reused"),
        PREFERS,
        stored=(*stored(), Row(path="other", port=5050)),
    ),
    case("stored-while-something-listens-there", made(outcome="reused"), PREFERS, stored=stored(), occupied={5050}),
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
    case("stored-and-forced-stays", made(5003, 5004, 5007, "reused"), stored=stored(5003, 5004, 5007), given=FORCED),
    case(
        "stored-and-forced-to-its-preference",
        made(5050, 5004, 5007, "reallocated", warnings=(gone("web", 5003, 5050),)),
        PREFERS,
        stored=stored(5003, 5004, 5007),
        given={"force": True},
    ),
)
EXTENDED = (
    case("in-part", made(outcome="extended"), stored=stored(api=None)),
    case("in-part-two-missing", made(outcome="extended"), stored=stored(api=None, db=None)),
    case("in-part-while-it-listens", made(outcome="extended"), stored=stored(api=None), occupied={5000, 5004}),
    case(
        "in-part-beside-what-runs-elsewhere",
        made(5003, 5004, 5007, "extended"),
        stored=stored(5003, None, 5007),
        occupied={5003, 5007},
    ),
    case(
        "in-part-and-its-place-is-taken",
        made(5000, 5002, 5004, "extended", warnings=scattered(api=5002)),
        stored=(*stored(api=None), Row(path="other", port=5001)),
    ),
    case(
        "in-part-and-something-listens-at-its-place",
        made(5000, 5002, 5004, "extended", warnings=scattered(api=5002)),
        stored=stored(api=None),
        occupied={5001},
    ),
    case("in-part-prefers", made(5050, 5001, 5004, "extended"), PREFERS, stored=stored(None)),
    case(
        "in-part-keeps-facts",
        made(outcome="extended", facts={"web": ("shop", "login"), "db-main": ("shop", "login"), "api": ("new", None)}),
        "project: new" + GROUP,
        stored=stored(api=None, **KEPT),
    ),
    case("in-part-forced", made(outcome="extended"), stored=stored(api=None), given=FORCED),
    case(
        "in-part-forced-prefers-its-own-port",
        made(5050, 5001, 5004, "extended"),
        PREFERS,
        stored=stored(5050, None),
        occupied={5050},
        given=FORCED,
    ),
    case(
        "in-part-forced-changes-what-the-file-says",
        made(outcome="extended", facts={"web": ("new", "login"), "db-main": ("new", "login"), "api": ("new", None)}),
        "project: new" + GROUP,
        stored=stored(api=None, **KEPT),
        given=FORCED,
    ),
    case(
        "in-part-forced-changes-tasks",
        made(outcome="extended", facts={"web": ("shop", "x"), "db-main": ("shop", "x"), "api": (None, "x")}),
        stored=stored(api=None, **KEPT),
        given={"force": True, "task": "x"},
    ),
    case(
        "the-file-changed-its-project",
        made(outcome="updated", project="new", task="login"),
        "project: new" + GROUP,
        stored=stored(**KEPT),
        given={"allow_change_project": True},
    ),
)
SWAPPED = (gone("web", 5001, 5000), gone("api", 5000, 5001))
DRIFTED = (
    case(
        "distances-changed",
        made(5000, 5001, 5005, "reused", warnings=(drifted("db-main", 5005, 5004),)),
        stored=stored(db=5005),
    ),
    case(
        "preferred-port-changed",
        made(5049, 5001, 5004, "reused", warnings=(drifted("web", 5049, 5050),)),
        PREFERS,
        stored=stored(5049),
    ),
    case(
        "distances-changed-forced",
        made(outcome="reallocated", warnings=(gone("db-main", 5005, 5004),)),
        stored=stored(db=5005),
        given=FORCED,
    ),
    case(
        "distances-changed-forced-while-it-listens",
        made(outcome="reallocated", warnings=(gone("db-main", 5005, 5004),)),
        stored=stored(db=5005),
        occupied={5000, 5001},
        given=FORCED,
    ),
    case(
        "swapped-forced", made(outcome="reallocated", warnings=SWAPPED), stored=stored(5001, 5000, 5004), given=FORCED
    ),
    case(
        "swapped-forced-while-one-listens",
        made(5001, 5002, 5005, "reallocated", warnings=(gone("api", 5000, 5002), gone("db-main", 5004, 5005))),
        stored=stored(5001, 5000, 5004),
        occupied={5001},
        given=FORCED,
    ),
    case(
        "swapped-forced-leaves-others",
        made(outcome="reallocated", warnings=SWAPPED),
        stored=(
            *stored(5001, 5000, 5004),
            Row(port=5005),
            Row(tag="old", port=5006),
            Row(path="sub", tag="web", port=5007),
        ),
        given=FORCED,
    ),
    case(
        "forced-where-the-group-fits-nowhere",
        made(5001, 5003, 5005, "extended", warnings=scattered(web=5001, api=5003, db=5005)),
        stored=(*stored(5001, None, None), *(Row(path=f"other-{port}", port=port) for port in range(5000, 5010, 2))),
        given=FORCED,
    ),
)
