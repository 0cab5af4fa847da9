"""The rows about which ports a new group gets."""

from __future__ import annotations

from support.groups.case import GROUP, KEPT, PREFERS, Grouped, case, made, stored
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
