"""The table of ``exclude`` and ``compact-exclusions``: what the files hold, what is asked, what they hold then.

It is written down once and run through every door. ``{work}`` and ``{data}`` stand for the directories of a run; files
are named relative to the working directory.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from support.bench import GLOBAL
from support.doors import DOORS, DRY, JSON_DOORS, DoorName
from support.refusals import Refused
from support.rows import Row, row


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """Fields of the result, what a person is told, and the files that have changed."""

    result: Mapping[str, object] = field(default_factory=dict)
    told: Sequence[str]
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def told_dry(self) -> list[str]:
        """What a person is told in a dry run."""
        return [DRY if line.startswith(("Changed", "Compacted")) else line for line in self.told]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One row of the table."""

    id: str
    command: str = "trop.exclude"
    given: Mapping[str, object]
    files: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    stored: Sequence[Row] = ()
    expected: Done | Refused
    doors: Collection[DoorName] = DOORS


FILE = "{work}/trop.yaml"
OLD = "# The shop's.\nproject: shop\nexcluded_ports: [5001] # mine\n"
OTHER = row("/elsewhere", 5003, "web")


def added(*ports: str, file: str = FILE, warnings: Sequence[str] = (), files: Mapping[str, str]) -> Done:
    """What comes of an exclusion that changes a file."""
    return Done(
        result={"file": file, "added": list(ports), "changed": True, "warnings": list(warnings), "truncated": False},
        told=[
            *(f"warning: {warning}" for warning in warnings),
            *(f"  exclude: {each}" for each in ports),
            f"Changed {file}.",
        ],
        files=files,
    )


def compacted(before: Sequence[str], after: Sequence[str], text: str, *, file: str = FILE) -> Done:
    """What comes of compacting a list that is not compact."""
    entries = "entry" if len(before) == 1 else "entries"
    return Done(
        result={"file": file, "before": list(before), "after": list(after), "changed": True, "warnings": []},
        told=[
            f"  before: {', '.join(before)}",
            f"  after: {', '.join(after)}",
            f"Compacted {file}: {len(before)} {entries} became {len(after)}.",
        ],
        files={"trop.yaml": text},
    )


EXCLUDE = (
    Case(
        id="a-port",
        given={"ports": "6000"},
        files={"trop.yaml": OLD},
        expected=added("6000", files={"trop.yaml": OLD.replace("[5001]", "[5001, 6000]")}),
    ),
    Case(
        id="a-range-that-is-there-in-part",
        given={"ports": "5000..5002"},
        files={"trop.yaml": OLD},
        expected=added("5000", "5002", files={"trop.yaml": OLD.replace("[5001]", "[5000..5002]")}),
    ),
    Case(
        id="a-range-of-one-port",
        given={"ports": "6000..6000"},
        files={"trop.yaml": OLD},
        expected=added("6000", files={"trop.yaml": OLD.replace("[5001]", "[5001, 6000]")}),
    ),
    Case(
        id="what-is-excluded-already",
        given={"ports": "5001"},
        files={"trop.yaml": OLD},
        expected=Done(
            result={"file": FILE, "ports": "5001", "added": [], "changed": False},
            told=[f"Nothing to do: {FILE} stays as it is."],
        ),
    ),
    Case(
        id="into-an-empty-file",
        given={"ports": "6000..6001"},
        files={"trop.yaml": ""},
        expected=added("6000..6001", files={"trop.yaml": "excluded_ports: [6000..6001]\n"}),
    ),
    Case(
        id="the-shared-file-of-two",
        given={"ports": "6000"},
        files={"trop.yaml": "", "trop.local.yaml": "excluded_ports: [6000, 7000]\n"},
        expected=added("6000", files={"trop.yaml": "excluded_ports: [6000]\n"}),
    ),
    Case(
        id="the-local-file-where-there-is-no-other",
        given={"ports": "6000"},
        files={"trop.local.yaml": "", "sub/x": ""},
        expected=added("6000", file="{work}/trop.local.yaml", files={"trop.local.yaml": "excluded_ports: [6000]\n"}),
    ),
    Case(
        id="the-nearest-file-above",
        given={"ports": "6000", "folder": "{work}/sub/below"},
        files={"trop.yaml": OLD, "sub/trop.local.yaml": "{}\n", "sub/below/x": ""},
        expected=added(
            "6000",
            file="{work}/sub/trop.local.yaml",
            files={"sub/trop.local.yaml": "{excluded_ports: [6000]}\n"},
        ),
        doors=JSON_DOORS,
    ),
    Case(
        id="nothing-of-other-layers-is-written",
        given={"ports": "6000"},
        files={"trop.yaml": "", GLOBAL: "excluded_ports: [5001, 6000]\nports: {min: 5500}\n"},
        expected=added("6000", files={"trop.yaml": "excluded_ports: [6000]\n"}),
    ),
    Case(
        id="for-all-projects-in-a-new-file",
        given={"ports": "6000", "global": True},
        files={"trop.yaml": OLD},
        expected=added("6000", file="{data}/config.yaml", files={GLOBAL: "excluded_ports: [6000]\n"}),
    ),
    Case(
        id="for-all-projects-without-a-project",
        given={"ports": "6000", "global": True},
        files={GLOBAL: "# All.\noutput_format: json\n"},
        expected=added(
            "6000",
            file="{data}/config.yaml",
            files={GLOBAL: "# All.\noutput_format: json\nexcluded_ports: [6000]\n"},
        ),
    ),
    Case(
        id="without-a-project-file",
        given={"ports": "6000"},
        files={GLOBAL: "excluded_ports: [1]\n"},
        expected=Refused(
            kind="not_found",
            code=6,
            says='there is no trop.yaml or trop.local.yaml in "{work}" or a directory above it',
            hint="Make a trop.yaml in the project's directory (an empty file will do), or exclude ports",
            details={"path": "{work}"},
        ),
    ),
    Case(
        id="a-reserved-port",
        given={"ports": "5003"},
        files={"trop.yaml": OLD},
        stored=(OTHER,),
        expected=Refused(
            kind="reservation_conflict",
            code=6,
            says="port 5003 is reserved for /elsewhere (tag web)",
            hint="Release what",
        ),
    ),
    Case(
        id="reserved-ports-of-a-range",
        given={"ports": "5000..5010"},
        files={"trop.yaml": OLD},
        stored=(row("/w/1", 5010), OTHER, row("/w/2", 5011), row("/w/3", 5000)),
        expected=Refused(
            kind="reservation_conflict",
            code=6,
            says="3 of the ports 5000..5010 are reserved: 5000 for /w/3, 5003 for /elsewhere (tag web), 5010 for /w/1",
        ),
    ),
    Case(
        id="reserved-ports-by-force",
        given={"ports": "5002..5003", "force": True},
        files={"trop.yaml": OLD},
        stored=(OTHER,),
        expected=added(
            "5002..5003",
            warnings=["port 5003 stays reserved for /elsewhere (tag web)"],
            files={"trop.yaml": OLD.replace("[5001]", "[5001..5003]")},
        ),
    ),
    Case(
        id="for-all-projects-a-reserved-port",
        given={"ports": "5003", "global": True},
        stored=(OTHER,),
        expected=Refused(kind="reservation_conflict", code=6, says="port 5003 is reserved"),
    ),
    *(
        Case(
            id=f"{number}-is-no-port",
            given={"ports": text},
            files={"trop.yaml": OLD},
            expected=Refused(
                kind="invalid_argument",
                code=4,
                says="expected a port from 1 to 65535, or a range such as 5005..5009, not",
                details={"field": "ports", "given": text},
                alone=True,
            ),
        )
        for number, text in enumerate(
            [
                "0",
                "65536",
                "5005-5009",
                "5005...5009",
                "5001,5002",
                "",
                " 5001",
                "\u0665\u0660\u0660\u0661",
                "1e3",
                "5005..99999",
            ]
        )
    ),
    Case(
        id="a-range-upside-down",
        given={"ports": "5009..5005"},
        files={"trop.yaml": OLD},
        expected=Refused(
            kind="invalid_argument",
            code=4,
            says="expected a range whose first port is not above its last, such as 5005..5009, not",
            details={"field": "ports", "given": "5009..5005"},
        ),
    ),
    Case(
        id="a-number",
        given={"ports": 5001},
        files={"trop.yaml": OLD},
        expected=Refused(
            kind="invalid_argument",
            code=4,
            says="ports: expected a port from 1 to 65535, or a range such as 5005..5009",
            alone=True,
        ),
        doors=JSON_DOORS,
    ),
    Case(
        id="no-ports",
        given={},
        files={"trop.yaml": OLD},
        expected=Refused(kind="invalid_argument", code=4, says="ports is missing", alone=True),
        doors=JSON_DOORS,
    ),
    Case(
        id="a-broken-file",
        given={"ports": "6000"},
        files={"trop.yaml": "project: shop\nexcluded_ports: [5001\n"},
        expected=Refused(kind="config_error", code=7, says=f"{FILE}:3:1: broken YAML"),
    ),
    Case(
        id="a-broken-global-file",
        given={"ports": "6000", "global": True},
        files={GLOBAL: "project: shop\n"},
        expected=Refused(kind="config_error", code=7, says="config.yaml:1:1: project: this key belongs in trop.yaml"),
    ),
    Case(
        id="an-entry-over-several-lines",
        given={"ports": "6000"},
        files={"trop.yaml": "excluded_ports:\n- 5001\n- |-\n  5010..5011\n"},
        expected=Refused(
            kind="config_error", code=7, says=f"{FILE}:2:1: excluded_ports: trop cannot tell how to change"
        ),
    ),
    Case(
        id="a-list-that-cannot-be-changed-with-certainty",
        given={"ports": "6000"},
        files={"trop.yaml": "? excluded_ports\n: - 5001\n"},
        expected=Refused(
            kind="config_error", code=7, says=f"{FILE}:2:3: excluded_ports: trop cannot tell how to change"
        ),
    ),
    Case(
        id="elsewhere",
        given={"ports": "6000", "folder": "{data}"},
        files={GLOBAL.replace("config", "trop"): ""},
        expected=Refused(kind="unrelated_path", code=1, details={"path": "{data}"}),
        doors=JSON_DOORS,
    ),
    Case(
        id="behind-a-link",
        given={"ports": "6000"},
        files={"real/mine.yaml": OLD},
        links={"trop.yaml": "real/mine.yaml"},
        expected=added(
            "6000",
            files={
                "real/mine.yaml": OLD.replace("[5001]", "[5001, 6000]"),
                "trop.yaml": OLD.replace("[5001]", "[5001, 6000]"),
            },
        ),
    ),
    Case(
        id="with-a-byte-order-mark-and-other-line-ends",
        given={"ports": "6000"},
        files={"trop.yaml": "\ufeff" + OLD.replace("\n", "\r\n") + "# no line feed"},
        expected=added(
            "6000",
            files={
                "trop.yaml": "\ufeff" + OLD.replace("[5001]", "[5001, 6000]").replace("\n", "\r\n") + "# no line feed"
            },
        ),
    ),
)

LOOSE = "# c\nexcluded_ports:\n- 7000 # a\n- 5002 # b\n- 5001 # c\nproject: shop\n"

COMPACT = (
    Case(
        id="sorted-and-merged",
        command="trop.compactExclusions",
        given={"config": "trop.yaml"},
        files={"trop.yaml": LOOSE},
        stored=(row("/elsewhere", 5001),),
        expected=compacted(
            ["7000", "5002", "5001"],
            ["5001..5002", "7000"],
            "# c\nexcluded_ports:\n# 5001: c\n- 5001..5002 # b\n- 7000 # a\nproject: shop\n",
        ),
    ),
    Case(
        id="nothing-to-do",
        command="trop.compactExclusions",
        given={"config": FILE},
        files={"trop.yaml": "excluded_ports: [ 1,3..4 ] # x"},
        expected=Done(
            result={"file": FILE, "before": ["1", "3..4"], "after": ["1", "3..4"], "changed": False},
            told=[f"Nothing to do: the exclusions of {FILE} are compact."],
        ),
    ),
    Case(
        id="no-exclusions",
        command="trop.compactExclusions",
        given={"config": "./x/../trop.yaml"},
        files={"trop.yaml": "project: shop"},
        expected=Done(
            result={"file": FILE, "before": [], "after": [], "changed": False},
            told=[f"Nothing to do: the exclusions of {FILE} are compact."],
        ),
    ),
    Case(
        id="the-global-file",
        command="trop.compactExclusions",
        given={"config": "{data}/config.yaml"},
        files={GLOBAL: "excluded_ports: [2, 1]\n"},
        expected=Done(
            result={"file": "{data}/config.yaml", "before": ["2", "1"], "after": ["1..2"]},
            told=["  before: 2, 1", "  after: 1..2", "Compacted {data}/config.yaml: 2 entries became 1."],
            files={GLOBAL: "excluded_ports: [1..2]\n"},
        ),
    ),
    Case(
        id="a-file-that-is-not-there",
        command="trop.compactExclusions",
        given={"config": "other.yaml"},
        expected=Refused(
            kind="invalid_path", code=4, says="there is no such file", details={"path": "{work}/other.yaml"}
        ),
    ),
    Case(
        id="a-directory",
        command="trop.compactExclusions",
        given={"config": "sub"},
        files={"sub/x": ""},
        expected=Refused(kind="config_error", code=7, says="{work}/sub: expected a file, and this is a directory"),
    ),
    Case(
        id="a-broken-one",
        command="trop.compactExclusions",
        given={"config": "other.yaml"},
        files={"other.yaml": "excluded_ports: [2, 1]\nbogus: 1\n"},
        expected=Refused(kind="config_error", code=7, says="{work}/other.yaml:2:1: bogus: unknown key"),
    ),
    Case(
        id="no-file-is-named",
        command="trop.compactExclusions",
        given={},
        expected=Refused(kind="invalid_argument", code=4, says="config is missing", alone=True),
        doors=JSON_DOORS,
    ),
)

TABLE = (*EXCLUDE, *COMPACT)
