"""The rows about a key that is new, and one that is there already."""

from __future__ import annotations

from support.reserve.case import DAY, RANGE, Case, Row
from support.reserve.outcomes import KEPT, NO_5004, OTHER, OWN, created, invalid, reused

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
        expected=reused(warnings=("port 5004 stays reserved: to have 5006 instead, add --overwrite",)),
    ),
    Case(
        id="again-with-another-port-and-both-ignores",
        stored=(OWN,),
        given={"port": 5006, "ignore_occupied": True, "ignore_exclusions": True},
        expected=reused(warnings=("port 5004 stays reserved: to have 5006 instead, add --overwrite",)),
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
