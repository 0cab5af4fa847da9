"""The table of groups: what a project's files say, what is stored, what is asked, and what has to come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from support.reserve import RANGE, Case, Refused, Reserved, Row, StoredRow, below

if TYPE_CHECKING:
    from pathlib import Path

GROUP = """
reservations:
  services:
    web: {offset: 0, env: WEB_PORT}
    api: {offset: 1}
    db-main: {offset: 4}
"""
VARIABLES = {"web": "WEB_PORT", "api": "API", "db-main": "DB_MAIN"}
PREFERS = GROUP.replace("offset: 0", "offset: 0, preferred: 5050")


@dataclass(frozen=True, kw_only=True)
class Grouped(Reserved):
    """What has to come of a group: the port of each service. ``path`` is where the group stands."""

    port: int = 0
    ports: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)

    def facts_of(self, tag: str) -> tuple[str | None, str | None]:
        """Project and task of a service."""
        return self.facts.get(tag, (self.project, self.task))


@dataclass(frozen=True, kw_only=True)
class GroupCase(Case):
    """One row of the table."""

    command: str = "autoreserve"
    files: Mapping[str, str] = field(default_factory=dict)

    def rows_after(self, work: Path, now: int, used: int) -> list[StoredRow]:
        """What has to be stored after, if the call came at the time ``used``."""
        before = self.rows_before(work, now)
        expected = self.expected
        if not isinstance(expected, Grouped):
            return before
        path = below(work, expected.path)
        created = {row[1]: row[5] for row in before if row[0] == path}
        gone = {below(work, name) for name in expected.dropped}
        others = [row for row in before if not (row[0] == path and row[1] in expected.ports) and row[0] not in gone]
        own = [
            (path, tag, port, *expected.facts_of(tag), created.get(tag, used), used)
            for tag, port in expected.ports.items()
        ]
        return sorted([*others, *own])

    def furnish(self, data: Path, work: Path, now: int) -> None:
        """Make the directories, files and rows of the case."""
        super().furnish(data, work, now)
        for name, text in self.files.items():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            (work / name).write_text(text)


def made(web: int = 5000, api: int = 5001, db: int = 5004, outcome: str = "created", **more: Any) -> Grouped:
    return Grouped(outcome=outcome, ports={"web": web, "api": api, "db-main": db}, **more)


def stored(web: int | None = 5000, api: int | None = 5001, db: int | None = 5004, **more: Any) -> tuple[Row, ...]:
    ports = {"web": web, "api": api, "db-main": db}
    return tuple(Row(tag=tag, port=port, **more) for tag, port in ports.items() if port is not None)


def case(name: str, expected: Grouped | Refused, project_file: str | None = GROUP, **more: Any) -> GroupCase:
    return GroupCase(id=name, expected=expected, project_file=project_file, **more)


def conflict(says: str) -> Refused:
    return Refused(kind="reservation_conflict", code=6, says=says)


def broken(says: str) -> Refused:
    return Refused(kind="config_error", code=7, says=says)


def exhausted(says: str, **details: object) -> Refused:
    return Refused(kind="port_exhausted", code=6, says=says, details=details)


OTHER = Row(path="other", tag="web", port=5001)
KEPT: dict[str, Any] = {"project": "shop", "task": "login"}
STICKY = Refused(kind="sticky_field", code=1, details={"field": "task", "stored": "login", "requested": "logout"})
FULL = tuple(Row(path=f"other-{port}", port=port) for port in range(5000, 5010, 2))
HALF_GONE = tuple(Row(path=f"gone-{port}", port=port, exists=port == 5000) for port in range(5000, 5010, 2))

NEW = (
    case("new", made()),
    case("new-from-the-base", made(5003, 5004, 5007), GROUP.replace("  services", "  base: 5003\n  services", 1)),
    case(
        "new-from-a-base-below-the-range",
        made(),
        GROUP.replace("  services", "  base: 5000\n  services", 1),
        config="ports: {min: 5003, max: 5009}\n",
    ),
    case("new-around-a-reserved-port", made(5002, 5003, 5006), stored=(OTHER,)),
    case("new-around-an-excluded-port", made(5001, 5002, 5005), config=RANGE + "excluded_ports: [5004]\n"),
    case("new-around-an-excluded-range", made(5005, 5006, 5009), config=RANGE + "excluded_ports: [5001..5004]\n"),
    case("new-around-an-occupied-port", made(5002, 5003, 5006), occupied={5001}),
    case("new-last-that-fits", made(5005, 5006, 5009), stored=(Row(path="other", port=5004),), occupied={5001, 5003}),
    case("new-without-looking", made(), occupied={5001}, given={"skip_occupancy_check": True}),
    case("new-with-project-and-task", made(project="shop", task="t"), "project: shop" + GROUP, given={"task": " t "}),
    case("new-facts-of-git", made(project="repository", task="login"), git=("repository", "login")),
    case("new-facts-of-the-environment", made(**KEPT), environment={"TROP_PROJECT": "shop", "TROP_TASK": "login"}),
    case(
        "new-beside-others",
        made(5003, 5004, 5007),
        stored=(Row(port=5000), Row(tag="old", port=5001), Row(path="sub", tag="web", port=5002)),
    ),
    case("new-in-the-local-file", made(), None, local_file=GROUP),
    case(
        "new-local-file-goes-first",
        made(5002, 5003, 5006),
        local_file=GROUP.replace("  services", "  base: 5002\n  services", 1),
    ),
    case("new-range-of-the-local-file", made(5005, 5006, 5009), local_file="ports: {min: 5005}\n"),
    case(
        "new-in-the-nearest-directory-above",
        made(),
        given={"folder": "{work}/sub/deeper"},
        files={"sub/deeper/notes": ""},
    ),
    case(
        "new-one-service-alone", Grouped(outcome="created", ports={"web": 5000}), "reservations: {services: {web: }}\n"
    ),
)

PREFERRED = (
    case("preferred", made(5050, 5000 + 1, 5004), PREFERS),
    case(
        "preferred-may-be-all",
        made(5050, 5051, 5060),
        PREFERS.replace("offset: 1", "offset: 1, preferred: 5051").replace("offset: 4", "offset: 4, preferred: 5060"),
    ),
    case(
        "preferred-is-in-the-way-of-the-pattern",
        made(5001, 5002, 5005),
        GROUP.replace("offset: 0", "offset: 0, preferred: 5001"),
    ),
    case(
        "preferred-is-reserved",
        made(
            5000,
            5001,
            5004,
            warnings=("web gets 5000: its preferred port 5050 is reserved for {work}/other (tag web)",),
        ),
        PREFERS,
        stored=(Row(path="other", tag="web", port=5050),),
    ),
    case(
        "preferred-is-excluded",
        made(5000, 5001, 5004, warnings=("web gets 5000: its preferred port 5050 is excluded",)),
        PREFERS,
        config=RANGE + "excluded_ports: [5040..5060]\n",
    ),
    case(
        "preferred-is-occupied",
        made(5000, 5001, 5004, warnings=("web gets 5000: its preferred port 5050 is occupied",)),
        PREFERS,
        occupied={5050},
    ),
    case(
        "preferred-is-kept-for-the-project-itself",
        made(5000, 5001, 5004, warnings=("web gets 5000: its preferred port 5050 is reserved for {work}",)),
        PREFERS,
        stored=(Row(port=5050),),
    ),
    case(
        "force-does-not-take-what-others-listen-on",
        made(5000, 5001, 5004, warnings=("web gets 5000: its preferred port 5050 is occupied",)),
        PREFERS,
        occupied={5050},
        given={"force": True},
    ),
)

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

FITS_NOWHERE = "the group fits nowhere from 5000 to 5009: no base has the ports at the offsets 0, 1, 4 free"

EXHAUSTED = (
    case(
        "full",
        exhausted(FITS_NOWHERE, min=5000, max=5009, reserved=5, excluded=0, occupied=0, cleanup=True),
        stored=FULL,
    ),
    case(
        "full-of-listeners",
        exhausted("0 ports are reserved, 0 excluded, 4 of those looked at occupied", min=5000, max=5009, reserved=0),
        occupied={5000, 5002, 5004, 5006, 5008},
    ),
    case(
        "full-of-exclusions",
        exhausted("0 ports are reserved, 10 excluded", excluded=10),
        config=RANGE + "excluded_ports: [5000..5009]\n",
    ),
    case(
        "full-from-the-base",
        exhausted("the group fits nowhere from 5006 to 5009", min=5006),
        GROUP.replace("  services", "  base: 5006\n  services", 1),
    ),
    case(
        "full-beyond-the-range",
        exhausted("the group fits nowhere from 5030 to 5009", min=5030, max=5009),
        GROUP.replace("  services", "  base: 5030\n  services", 1),
    ),
    case("full-but-for-what-is-preferred", exhausted("at the offsets 1, 4 free", reserved=5), PREFERS, stored=FULL),
    case(
        "full-of-what-nobody-needs",
        made(
            5001,
            5002,
            5005,
            dropped=("gone-5002", "gone-5004", "gone-5006", "gone-5008"),
            warnings=("to make room, reservations were dropped: 4 of missing directories, 0 expired",),
        ),
        stored=HALF_GONE,
    ),
    case(
        "full-cleanup-disabled",
        exhausted("cleanup is disabled", reserved=5, cleanup=False),
        stored=HALF_GONE,
        given={"disable_autoprune": True, "disable_autoexpire": True},
    ),
    case(
        "full-cleanup-does-not-help",
        exhausted(FITS_NOWHERE, reserved=6, cleanup=True),
        stored=(*FULL, Row(path="gone", port=5009, exists=False)),
    ),
    case(
        "full-of-what-expired",
        made(
            dropped=("other",),
            warnings=("to make room, reservations were dropped: 0 of missing directories, 1 expired",),
        ),
        config="ports: {min: 5000, max: 5004}\n",
        stored=(Row(path="other", port=5001, age=31 * 86_400),),
    ),
    case(
        "full-in-part-forced-does-not-clean-up-its-own",
        made(
            outcome="reallocated",
            dropped=("gone",),
            warnings=("to make room, reservations were dropped: 1 of missing directories, 0 expired",),
        ),
        config="ports: {min: 5000, max: 5004}\n",
        stored=(Row(tag="web", port=5003, age=31 * 86_400), Row(path="gone", port=5001, exists=False)),
        given={"force": True},
    ),
    case(
        "full-in-part-forced-keeps-its-own",
        exhausted("the group fits nowhere", reserved=5),
        stored=(*stored(5001, None, None, age=31 * 86_400), *FULL),
        given={"force": True},
    ),
)

NAMED: dict[str, Any] = {"command": "reserve_group"}

FILES = (
    case("file", made(), given={"config": "trop.yaml"}, **NAMED),
    case(
        "file-of-a-pair",
        made(5002, 5003, 5006),
        local_file=GROUP.replace("  services", "  base: 5002\n  services", 1),
        given={"config": "trop.yaml"},
        **NAMED,
    ),
    case(
        "local-file-of-a-pair",
        made(5005, 5006, 5009),
        local_file="ports: {min: 5005}\n",
        given={"config": "./trop.local.yaml"},
        **NAMED,
    ),
    case(
        "file-of-another-name",
        made(5003, 5004, 5007),
        "project: shop\nports: {max: 5001}\n",
        files={"dev.yaml": GROUP.replace("  services", "  base: 5003\n  services", 1)},
        given={"config": "dev.yaml"},
        **NAMED,
    ),
    case(
        "file-below",
        made(path="sub"),
        None,
        files={"sub/trop.yaml": GROUP},
        given={"config": "sub/../sub//trop.yaml"},
        **NAMED,
    ),
    case(
        "no-such-file",
        Refused(kind="invalid_path", code=4, says="there is no such file"),
        given={"config": "trop.yml"},
        **NAMED,
    ),
    case(
        "no-such-directory",
        Refused(kind="invalid_path", code=4, says="there is no such file"),
        given={"config": "trop.yaml/trop.yaml"},
        **NAMED,
    ),
    case(
        "a-directory",
        broken("expected a file, and this is a directory"),
        None,
        files={"sub/x": ""},
        given={"config": "sub"},
        **NAMED,
    ),
    case(
        "file-without-a-group",
        broken("trop.yaml: reservations: there is nothing to reserve: add a mapping such as"),
        "project: shop\n",
        given={"config": "trop.yaml"},
        **NAMED,
    ),
    case(
        "the-global-file",
        broken("this key belongs in trop.yaml"),
        None,
        files={"config.yaml": GROUP},
        given={"config": "config.yaml"},
        **NAMED,
    ),
    case(
        "unrelated",
        Refused(kind="unrelated_path", code=1),
        None,
        files={"../elsewhere/trop.yaml": GROUP},
        given={"config": "../elsewhere/trop.yaml"},
        **NAMED,
    ),
    case(
        "unrelated-allowed",
        made(path="../elsewhere"),
        None,
        files={"../elsewhere/trop.yaml": GROUP},
        given={"config": "../elsewhere/trop.yaml", "allow_unrelated_path": True},
        **NAMED,
    ),
    case(
        "unrelated-forced",
        made(path="../elsewhere"),
        None,
        files={"../elsewhere/trop.yaml": GROUP},
        given={"config": "../elsewhere/trop.yaml", "force": True},
        **NAMED,
    ),
    case(
        "no-file-anywhere",
        Refused(
            kind="not_found",
            code=6,
            says='there is no trop.yaml or trop.local.yaml in "{work}" or a directory above it',
        ),
        None,
    ),
    case("no-group", broken("trop.yaml: reservations: there is nothing to reserve"), "project: shop\n"),
    case("group-taken-away", broken("there is nothing to reserve"), local_file="reservations:\n"),
    case("no-services", broken("expected at least one service"), "reservations: {services: {}}\n"),
    case(
        "nearest-file-has-no-group",
        broken("sub/trop.yaml: reservations: there is nothing to reserve"),
        given={"folder": "{work}/sub"},
        files={"sub/trop.yaml": "project: shop\n"},
    ),
)


def _named(name: str, says: str) -> GroupCase:
    text = f"reservations: {{services: {{web: {{env: {name}}}}}}}\n"
    return case(f"name-{len(says)}-{name[:20]}", broken(says), text)


A_NAME = "expected a name of letters, digits and _ that does not begin with a digit, 255 bytes at most"
TAKEN = "for something else: give another env"

HOSTILE = (
    *(
        _named(name, A_NAME)
        for name in (
            '"X; rm -rf ."',
            '"$(touch owned)"',
            '"`touch owned`"',
            '"X=1\\ntouch owned\\nY"',
            '"X\\n"',
            "'X\" \"'",
            '"X Y"',
            '"1X"',
            '""',
            '"-X"',
            '"X-Y"',
            '"X.Y"',
            "\u0420ORT",
            "\uff38",
            '"X\\u00e9"',
            '"X\\u200b"',
            "X" * 256,
        )
    ),
    *(_named(name, TAKEN) for name in ("PATH", "path", "Bash_Env", "LD_PRELOAD", "TROP_DATA_DIR", "PYTHONPATH")),
    case(
        "name-of-a-service-that-makes-none",
        broken('the service\'s name makes no name of a variable, "WEB;ID"'),
        'reservations: {services: {"web;id": {}}}\n',
    ),
    case(
        "name-of-a-service-that-means-something",
        broken("the variable HOME " + TAKEN),
        "reservations: {services: {home: {}}}\n",
    ),
    case(
        "names-that-differ-in-case-alone",
        broken("has the same variable, PORT"),
        "reservations: {services: {a: {env: port}, b: {offset: 1, env: PORT}}}\n",
    ),
    case(
        "longest-name",
        Grouped(outcome="created", ports={"web": 5000}),
        f"reservations: {{services: {{web: {{env: {'X' * 255}}}}}}}\n",
    ),
    case(
        "hostile-tag-with-a-good-name",
        Grouped(outcome="created", ports={"$(touch owned)": 5000}),
        'reservations: {services: {"$(touch owned)": {env: X}}}\n',
    ),
)

TABLE: tuple[GroupCase, ...] = (*NEW, *PREFERRED, *STORED, *REPLACED, *EXHAUSTED, *FILES, *HOSTILE)
