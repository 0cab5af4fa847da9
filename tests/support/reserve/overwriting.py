"""The rows about a reservation that is to get another port."""

from __future__ import annotations

from support.reserve.case import Case, Row
from support.reserve.outcomes import (
    NO_5004,
    NO_5006,
    OTHER,
    OWN,
    PREFERS_EXCLUDED,
    PREFERS_OCCUPIED,
    TAKEN,
    reallocated,
    reused,
    sticky,
    updated,
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
