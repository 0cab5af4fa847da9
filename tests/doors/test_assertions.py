"""``assert-reservation``, ``assert-port`` and ``assert-data-dir``: the same table through each door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from support import stores
from support.cleanup import used
from support.doors import DOORS, DoorName
from support.rows import fill, listed, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.bench import Bench
    from support.client import Client
    from support.sandbox import Sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is asked, which of the stored rows is found (if any), and what is said to be the case."""

    id: str
    command: str
    given: Mapping[str, object] = field(default_factory=dict)
    holds: bool
    finds: int | None = None
    says: str
    warns: Sequence[str] = ()


ROWS = (
    used("{work}", 5000),
    used("{work}", 5001, "web"),
    used("{work}/tagged", 5002, "api"),
    used("/elsewhere", 5003),
    used("{work}/real", 5004),
)


def both(
    name: str, command: str, given: Mapping[str, object], *, finds: int | None, says: str, warns: Sequence[str] = ()
) -> tuple[Case, Case]:
    """An assertion and its opposite."""
    holds = finds is not None
    return (
        Case(id=name, command=command, given=given, holds=holds, finds=finds, says=says, warns=warns),
        Case(
            id=f"not-{name}",
            command=command,
            given={**given, "not": True},
            holds=not holds,
            finds=finds,
            says=says,
            warns=warns,
        ),
    )


TABLE = (
    *both("here", "trop.assertReservation", {}, finds=0, says='port 5000 is reserved for "{work}"'),
    *both(
        "with-a-tag",
        "trop.assertReservation",
        {"tag": "web"},
        finds=1,
        says='port 5001 is reserved for "{work}" (tag "web")',
    ),
    *both(
        "with-another-tag",
        "trop.assertReservation",
        {"tag": "db"},
        finds=None,
        says='nothing is reserved for "{work}" (tag "db")',
    ),
    *both(
        "a-path",
        "trop.assertReservation",
        {"path": "/elsewhere"},
        finds=3,
        says='port 5003 is reserved for "/elsewhere"',
    ),
    *both(
        "nothing-untagged",
        "trop.assertReservation",
        {"path": "{work}/tagged"},
        finds=None,
        says='nothing is reserved for "{work}/tagged"',
    ),
    *both(
        "a-link-to-one",
        "trop.assertReservation",
        {"path": "{work}/link"},
        finds=None,
        says='nothing is reserved for "{work}/link"',
        warns=("{work}/link leads to {work}/real, which has this reservation",),
    ),
    *both("a-port", "trop.assertPort", {"port": 5001}, finds=1, says='port 5001 is reserved for "{work}" (tag "web")'),
    *both("a-free-port", "trop.assertPort", {"port": 6000}, finds=None, says="port 6000 is not reserved"),
)


@pytest.mark.parametrize(
    ("case", "door"),
    [
        pytest.param(case, door, id=f"{case.command.removeprefix('trop.')}-{case.id}-{door}")
        for case in TABLE
        for door in DOORS
    ],
)
def test_a_row_of_the_table(bench: Bench, case: Case, door: DoorName) -> None:
    rows = bench.furnish(stored=ROWS, directories=["real"], links={"link": "real"})

    answer = bench.ask(door, case.command, bench.filled_in(case.given))

    says = bench.filled_in(case.says)
    warnings = [f"warning: {warning}" for warning in bench.filled_in(list(case.warns))]
    found = None if case.finds is None else rows[case.finds]
    assert bench.rows() == sorted(rows)
    if door == "cli":
        refusal = [] if case.holds else [f"error: {says}", "hint: trop list shows what is reserved."]
        assert (answer.code, list(answer.told)) == (0 if case.holds else 1, [*warnings, *refusal])
        assert answer.stdout == (f"{found[2]}\n" if case.holds and found is not None else "")
    else:
        assert answer.code == 0
        assert answer.data == {
            "holds": case.holds,
            "explanation": says,
            "reservation": None if found is None else listed(found),
            "violations": [],
            "truncated": False,
            "warnings": bench.filled_in(list(case.warns)),
        }


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "port is missing: expected a port from 1 to 65535"),
        ({"port": 0}, "port: expected a port from 1 to 65535, not 0"),
        ({"port": 65536}, "port: expected a port from 1 to 65535, not 65536"),
        ({"port": "5000"}, 'port: expected a port from 1 to 65535, not "5000"'),
        ({"port": True}, "port: expected a port from 1 to 65535, not true"),
        ({"port": {"a": None}}, 'port: expected a port from 1 to 65535, not {"a": null}'),
        ({"port": ["größer"]}, 'port: expected a port from 1 to 65535, not ["größer"]'),
        ({"port": 1e999}, "port: expected a port from 1 to 65535, not a number that is too large"),
    ],
)
def test_a_port_has_to_be_one(bench: Bench, given: dict[str, object], says: str) -> None:
    served = bench.ask("server", "trop.assertPort", given)
    called = bench.ask("call", "trop.assertPort", given)

    assert (served.code, served.message) == (-32602, says)
    assert (called.code, called.data["kind"]) == (4, "invalid_argument")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "the following arguments are required: PORT"),
        (("0",), "PORT: expected a port from 1 to 65535, not 0"),
        (("five",), 'PORT: expected a port from 1 to 65535, not "five"'),
        (("5000", "5001"), "unrecognized arguments: 5001"),
    ],
)
def test_the_port_stands_without_a_flag(sandbox: Sandbox, arguments: tuple[str, ...], says: str) -> None:
    done = sandbox.trop("assert-port", *arguments)

    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith(f"error: {says}\nhint: ")


def test_an_assertion_neither_creates_nor_refreshes(sandbox: Sandbox) -> None:
    absent = [sandbox.trop(*arguments).returncode for arguments in (("assert-reservation",), ("assert-port", "5000"))]
    created = sandbox.data.exists()
    fill(sandbox.data, [used(str(sandbox.work), 5000, days=9)])
    before = rows_of(sandbox.data)

    present = [sandbox.trop(*arguments).stdout for arguments in (("assert-reservation",), ("assert-port", "5000"))]

    assert (absent, created, present) == ([1, 1], False, ["5000\n", "5000\n"])
    assert rows_of(sandbox.data) == before


@pytest.mark.parametrize("arguments", [("assert-reservation",), ("assert-port", "5000")])
def test_without_a_store_that_may_not_be_created_there_is_no_answer(
    sandbox: Sandbox, arguments: tuple[str, ...]
) -> None:
    done = sandbox.trop(*arguments, "--not", "--disable-autoinit")

    assert (done.returncode, done.stdout) == (3, "")


def test_trop_path_says_what_is_asserted_of(sandbox: Sandbox) -> None:
    fill(sandbox.data, [used("/there", 5000)])

    done = sandbox.trop("assert-reservation", TROP_PATH="/there")

    assert (done.returncode, done.stdout) == (0, "5000\n")


def test_quietly_the_answer_stays(sandbox: Sandbox) -> None:
    fill(sandbox.data, [used(str(sandbox.work), 5000)])

    met, unmet = sandbox.trop("assert-reservation", "--quiet"), sandbox.trop("assert-port", "1", "--quiet")
    data = sandbox.trop("assert-data-dir", "--validate", "--quiet")

    assert (met.stdout, met.stderr) == ("5000\n", "")
    assert (unmet.returncode, unmet.stderr.splitlines()[0]) == (1, "error: port 1 is not reserved")
    assert (data.returncode, data.stdout, data.stderr) == (0, "", "")


# The data directory

VALIDATE, NOT, NO_AUTOINIT = "--validate", "--not", "--disable-autoinit"


@pytest.mark.parametrize("flags", [(), (VALIDATE,), (NO_AUTOINIT,), (VALIDATE, NO_AUTOINIT)], ids=" ".join)
@pytest.mark.parametrize("there", ["nothing", "an empty directory", "a directory", "a dead link", "a file above"])
def test_no_store_is_no_store_and_none_is_created(
    sandbox: Sandbox, client: Client, there: str, flags: tuple[str, ...]
) -> None:
    if there == "a file above":
        sandbox.data.write_text("")
    elif there != "nothing":
        sandbox.data.mkdir()
    if there == "a directory":
        sandbox.database.mkdir()
    elif there == "a dead link":
        sandbox.database.symlink_to(sandbox.data / "nowhere")
    says = f'there is no store at "{sandbox.database}"'

    unmet, met = sandbox.trop("assert-data-dir", *flags), sandbox.trop("assert-data-dir", *flags, NOT)
    served = client.call("trop.assertDataDir", {"validate": VALIDATE in flags})

    hint = "hint: trop show-data-dir prints where the store is looked for. trop init creates one."
    assert (unmet.returncode, unmet.stdout, unmet.stderr.splitlines()) == (1, "", [f"error: {says}", hint])
    assert (met.returncode, met.stdout, met.stderr) == (0, "", f"{says}\n")
    assert (served["holds"], served["explanation"]) == (False, says)
    assert sandbox.database.is_file() is False
    assert sandbox.data.exists() == (there != "nothing")


@pytest.mark.parametrize(("flags", "word"), [((), "there is a store at"), ((VALIDATE,), "is sound")])
def test_a_sound_store_meets_the_assertion_and_not_its_opposite(
    sandbox: Sandbox, flags: tuple[str, ...], word: str
) -> None:
    fill(sandbox.data, [used("/a", 5000)])
    before = stores.snapshot(sandbox.data)

    met, unmet = sandbox.trop("assert-data-dir", *flags), sandbox.trop("assert-data-dir", *flags, NOT)

    assert (met.returncode, met.stdout) == (0, "")
    assert word in met.stderr
    assert (unmet.returncode, unmet.stdout) == (1, "")
    assert unmet.stderr.startswith("error: ")
    assert "trop init" not in unmet.stderr
    assert stores.snapshot(sandbox.data) == before


@pytest.mark.parametrize("negated", [(), (NOT,)], ids=["asserted", "asserted not"])
def test_a_damaged_store_is_an_error_either_way(
    sandbox: Sandbox, start: Callable[..., Client], negated: tuple[str, ...]
) -> None:
    sandbox.data.mkdir()
    schema = stores.V2_SCHEMA.replace("CHECK (created_at >= 0)", "CHECK (1)")
    odd = "/b\x1b[2J"
    stores.make_v2(
        sandbox.database, [("/a", "", 5000, None, None, -1, 2), (odd, "", 5001, None, None, -2, 2)], schema=schema
    )
    before = stores.snapshot(sandbox.data)

    done = sandbox.trop("assert-data-dir", VALIDATE, *negated)
    quiet = sandbox.trop("assert-data-dir", VALIDATE, *negated, "--quiet")
    unvalidated = sandbox.trop("assert-data-dir", *negated)
    after = stores.snapshot(sandbox.data)
    called = sandbox.trop("call", "trop.assertDataDir", '{"validate": true}')
    client = start()
    client.initialize(str(sandbox.work))
    served = client.call("trop.assertDataDir", {"validate": True, "not": bool(negated)})

    rule = "the rule valid_created_at, CHECK (created_at >= 0), is missing"
    error = f'error: the store "{sandbox.database}" is damaged: reservations.created_at: {rule} (and 2 more violations)'
    assert (done.returncode, done.stdout) == (6, "")
    assert done.stderr.splitlines()[:-1] == [
        f"  reservations.created_at: {rule}",
        "  reservations.created_at at /a: -1 is no time",
        "  reservations.created_at at /b\\x1b[2J: -2 is no time",
        error,
    ]
    assert (quiet.returncode, quiet.stderr.splitlines()[0]) == (6, error)
    assert unvalidated.returncode == (1 if negated else 0)
    assert called.returncode == 0
    assert served["holds"] is False
    assert served["violations"] == [
        {"table": "reservations", "column": "created_at", "key": None, "message": rule},
        {"table": "reservations", "column": "created_at", "key": "/a", "message": "-1 is no time"},
        {"table": "reservations", "column": "created_at", "key": odd, "message": "-2 is no time"},
    ]
    assert served["truncated"] is False
    assert after == before


def test_of_many_violations_an_answer_lists_the_first_and_a_terminal_all(
    sandbox: Sandbox, start: Callable[..., Client]
) -> None:
    sandbox.data.mkdir()
    schema = stores.V2_SCHEMA.replace(" CONSTRAINT valid_created_at CHECK (created_at >= 0)", "")
    rows = [(f"/{number:04}", "", 1 + number, None, None, -1, 2) for number in range(1200)]
    stores.make_v2(sandbox.database, rows, schema=schema)

    done = sandbox.trop("assert-data-dir", VALIDATE)
    client = start()
    client.initialize(str(sandbox.work))
    served = client.call("trop.assertDataDir", {"validate": True})

    assert done.stderr.count("is no time") == 1200
    assert "(and 1,200 more violations)" in done.stderr
    assert (len(served["violations"]), served["truncated"], served["holds"]) == (1000, True, False)
    assert "1,201 violations found" in served["explanation"]


@pytest.mark.parametrize("negated", [(), (NOT,)], ids=["asserted", "asserted not"])
def test_what_keeps_from_validating_is_an_error_of_its_own(sandbox: Sandbox, negated: tuple[str, ...]) -> None:
    sandbox.data.mkdir()
    stores.make_v1(sandbox.database, [])

    with stores.locked(sandbox.database, "BEGIN EXCLUSIVE"):
        locked = sandbox.trop("assert-data-dir", VALIDATE, *negated, "--busy-timeout", "0.05")
    stores.run(sandbox.database, "UPDATE metadata SET value = '99'")
    newer = sandbox.trop("assert-data-dir", VALIDATE, *negated)

    assert (locked.returncode, newer.returncode) == (2, 6)
    assert "has schema version 99" in newer.stderr


def test_a_server_validates_the_store_that_it_has_open(sandbox: Sandbox, client: Client) -> None:
    """Its own locks and its own -wal are in the way of nobody."""
    port = client.call("trop.reserve")["reservation"]["port"]

    sound = client.call("trop.assertDataDir", {"validate": True})
    again = client.call("trop.reserve")["reservation"]["port"]
    sandbox.execute("UPDATE metadata SET value = 'x' WHERE key = 'schema_version'")
    damaged = client.call("trop.assertDataDir", {"validate": True})

    assert (sound["holds"], again) == (True, port)
    assert [(found["table"], found["key"]) for found in damaged["violations"]] == [("metadata", "schema_version")]
