"""The rows about which ports a new group gets."""

from __future__ import annotations

from typing import Any

from support.groups.case import GROUP, KEPT, PREFERS, Grouped, case, made, scattered, stored
from support.refusals import Refused
from support.reserve.case import RANGE, Row


def exhausted(says: str, **details: object) -> Refused:
    return Refused(kind="port_exhausted", code=6, says=says, details=details)


OTHER = Row(path="other", tag="web", port=5001)
FULL = tuple(Row(path=f"other-{port}", port=port) for port in range(5000, 5010, 2))
HALF_GONE = tuple(Row(path=f"gone-{port}", port=port, exists=port == 5000) for port in range(5000, 5010, 2))
NEW = (
    case("new", made()),
    case("new-from-the-base", made(5003, 5004, 5007), GROUP.replace("  services", "  base: 5003\n  services", 1)),
    case(
        "new-from-a-base-below-the-range",
        made(5003, 5004, 5007),
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
        made(5050, 5051, 5054),
        PREFERS.replace("offset: 1", "offset: 1, preferred: 5051").replace("offset: 4", "offset: 4, preferred: 5054"),
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
NO_BROWSER = "port 6666 is preferred, and browsers do not open it"
AVOIDED = (
    case("new-around-what-is-avoided", made(6670, 6671, 6674), config="ports: {min: 6665, max: 6674}\n"),
    case(
        "avoided-is-given-where-it-is-preferred",
        made(6666, 5001, 5004, warnings=(NO_BROWSER,)),
        GROUP.replace("offset: 0", "offset: 0, preferred: 6666"),
    ),
    case("avoided-stays-where-it-is-stored", made(6665, 6666, 6669, "reused"), stored=stored(6665, 6666, 6669)),
    case(
        "avoided-and-nothing-else",
        exhausted("0 reserved, 0 excluded, 5 avoided, 0 occupied", avoided=5),
        config="ports: {min: 6665, max: 6669}\n",
    ),
)
SCATTERED = made(5001, 5003, 5005, warnings=scattered(web=5001, api=5003, db=5005))
PAIR = "reservations: {services: {web: {}, api: {}}}\n"
TWO = "ports: {min: 5000, max: 5001}\n"
DAYS = 86_400


def pair(web: int = 5000, api: int = 5001, **more: Any) -> Grouped:
    return Grouped(outcome="created", ports={"web": web, "api": api}, **more)


def dropped(missing: int, expired: int) -> tuple[str, ...]:
    return (f"to make room, reservations were dropped: {missing} of missing directories, {expired} expired",)


CROWDED = (
    case("no-base-among-reserved-ports", SCATTERED, stored=FULL),
    case("no-base-among-listeners", SCATTERED, occupied={5000, 5002, 5004, 5006, 5008}),
    case("no-base-and-nothing-is-dropped-for-one", SCATTERED, stored=HALF_GONE),
    case(
        "no-room-above-the-base",
        made(5000, 5001, 5002, warnings=scattered(web=5000, api=5001, db=5002)),
        GROUP.replace("  services", "  base: 5006\n  services", 1),
    ),
    case(
        "no-base-for-those-without-their-preference",
        made(5050, 5001, 5003, warnings=scattered(api=5001, db=5003)),
        PREFERS,
        stored=FULL,
    ),
)
EXHAUSTED = (
    case(
        "full-of-exclusions",
        exhausted("0 reserved, 10 excluded, 0 avoided, 0 occupied", excluded=10),
        config=RANGE + "excluded_ports: [5000..5009]\n",
    ),
    case(
        "full",
        exhausted("no port from 5000 to 5001 is free: 2 reserved", min=5000, max=5001, reserved=2, cleanup=True),
        PAIR,
        config=TWO,
        stored=(Row(path="one", port=5000), Row(path="two", port=5001)),
    ),
    case(
        "full-for-one-of-two",
        exhausted("only 1 port is free from 5000 to 5001, and the group needs 2: 1 reserved", reserved=1),
        PAIR,
        config=TWO,
        stored=(Row(path="one", port=5000),),
    ),
    case(
        "too-narrow-for-the-group",
        exhausted("only 2 ports are free from 5000 to 5001, and the group needs 3: 0 reserved, 0 excluded", reserved=0),
        config=TWO,
    ),
    case(
        "full-of-what-nobody-needs",
        pair(dropped=("one", "two"), warnings=dropped(2, 0)),
        PAIR,
        config=TWO,
        stored=(Row(path="one", port=5000, exists=False), Row(path="two", port=5001, exists=False)),
    ),
    case(
        "full-of-what-expired-drops-none-of-it",
        exhausted("autoexpire is off, a project's group never makes", reserved=2, cleanup=True),
        PAIR,
        config="ports: {min: 5000, max: 5002}\n",
        stored=(Row(path="one", port=5000, age=31 * DAYS), Row(path="two", port=5001, age=32 * DAYS)),
    ),
    case(
        "full-and-what-is-elsewhere-stays",
        pair(dropped=("one",), warnings=dropped(1, 0)),
        PAIR,
        config=TWO,
        stored=(Row(path="one", port=5000, exists=False), Row(path="far", port=6100, exists=False)),
    ),
    case(
        "full-cleanup-disabled",
        exhausted("cleanup is disabled", reserved=2, cleanup=False),
        PAIR,
        config=TWO,
        stored=(Row(path="one", port=5000, exists=False), Row(path="two", port=5001, exists=False)),
        given={"disable_autoprune": True, "disable_autoexpire": True},
    ),
    case(
        "full-cleanup-does-not-help",
        exhausted("without a port", reserved=1, cleanup=True),
        PAIR,
        config=TWO,
        stored=(Row(path="one", port=5000), Row(path="gone", port=5001, exists=False)),
    ),
)
