"""The rows about the port that is wished for, and the range that it may come from."""

from __future__ import annotations

from support.reserve.case import RANGE, Case, Row
from support.reserve.outcomes import (
    KEPT,
    NO_5006,
    OTHER,
    PREFERS_EXCLUDED,
    PREFERS_OCCUPIED,
    TAKEN,
    created,
    exhausted,
    invalid,
    reallocated,
    reused,
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

NO_BROWSER = "port 6666 is preferred, and browsers do not open it"

AVOIDED = (
    Case(id="avoided-is-passed-over", given={"min": 6665, "max": 6670}, expected=created(6670)),
    Case(
        id="avoided-by-nobody",
        config="ports: {min: 6665, max: 6670, avoid: []}\n",
        expected=created(6665),
    ),
    Case(
        id="avoided-is-given-where-it-is-preferred",
        given={"port": 6666},
        expected=created(6666, warnings=(NO_BROWSER,)),
    ),
    Case(id="avoided-stays-where-it-is-stored", stored=(Row(port=6666, **KEPT),), expected=reused(6666)),
    Case(
        id="avoided-is-left-by-an-overwrite",
        stored=(Row(port=6666, **KEPT),),
        given={"overwrite": True, "min": 6665, "max": 6670},
        expected=reallocated(6670),
    ),
    Case(
        id="avoided-and-nothing-else",
        stored=(Row(path="other", port=6667),),
        config="excluded_ports: [6669]\n",
        given={"min": 6665, "max": 6669},
        expected=exhausted(6665, 6669, reserved=1, excluded=1, avoided=3),
    ),
    Case(
        id="avoided-is-not-what-a-cleanup-is-for",
        stored=(Row(path="gone", port=6667, exists=False),),
        given={"min": 6665, "max": 6669},
        expected=exhausted(6665, 6669, reserved=1, avoided=4),
    ),
)
