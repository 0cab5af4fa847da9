"""The rows about a range that is full, and what is dropped to make room."""

from __future__ import annotations

from support.reserve.case import DAY, RANGE, Case, Row
from support.reserve.outcomes import OWN, created, exhausted, reallocated, reused

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
        id="prunes-nothing-outside-of-the-range",
        stored=(GONE, ALIVE, Row("gone-too", port=5050, exists=False)),
        given=FULL,
        expected=created(5000, dropped=("gone",), warnings=told(1)),
    ),
    Case(
        id="prunes-all-that-is-gone-and-was-not-used-for-a-week",
        stored=(GONE._replace(age=8 * DAY), Row("gone-too", port=5001, age=8 * DAY, exists=False)),
        given=FULL,
        expected=created(5000, dropped=("gone", "gone-too"), warnings=told(2)),
    ),
    Case(
        id="prunes-the-longest-unused-of-what-was-used-lately",
        stored=(GONE, Row("gone-too", port=5001, age=6 * DAY, exists=False)),
        given=FULL,
        expected=created(5001, dropped=("gone-too",), warnings=told(1)),
    ),
    Case(
        id="expires-the-longest-unused-and-no-more",
        stored=(EXPIRED, Row("expired-too", port=5000, age=99 * DAY)),
        given=FULL,
        expected=created(5000, dropped=("expired-too",), warnings=told(0, 1)),
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
        id="prunes-before-it-expires",
        stored=(GONE, EXPIRED),
        given=FULL,
        expected=created(5000, dropped=("gone",), warnings=told(1)),
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
        expected=created(5001, dropped=("gone-too",), warnings=told(1)),
    ),
    Case(
        id="cleanup-frees-the-preferred-port",
        stored=(GONE, Row("gone-too", port=5001, exists=False)),
        given={**FULL, "port": 5001},
        expected=created(5001, dropped=("gone-too",), warnings=told(1)),
    ),
    Case(
        id="cleanup-leaves-the-preferred-port-outside-of-the-range",
        stored=(ALIVE, ALSO_ALIVE, Row("gone", port=5050, exists=False)),
        given={**FULL, "port": 5050},
        expected=exhausted(5000, 5001, reserved=2),
    ),
    Case(
        id="cleanup-frees-a-preferred-port-that-is-excluded",
        stored=(GONE, Row("gone-too", port=5001, exists=False)),
        config=RANGE + "excluded_ports: [5001]\n",
        given={**FULL, "port": 5001},
        expected=created(
            5000, dropped=("gone",), warnings=("the preferred port 5001 is reserved for {work}/gone-too", *told(1))
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
        stored=(
            Row("gone", port=5000, project="shop", exists=False, age=9 * DAY),
            Row("gone-too", port=5001, exists=False, age=9 * DAY),
        ),
        config=RANGE + "excluded_ports: [5000]\n",
        given={**FULL, "overwrite": True, "path": "gone"},
        expected=reallocated(
            5001,
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
