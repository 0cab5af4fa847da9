"""Commands that wait for a lock that somebody else holds: they hold up nobody, and they can be taken back."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from typing import TYPE_CHECKING

import pytest
from support.messages import cancellation, command, request
from support.patience import AT_ONCE, PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.client import Client
    from support.sandbox import Sandbox


def test_a_waiting_command_is_cancelled_at_once_and_stores_nothing(client: Client, sandbox: Sandbox) -> None:
    with sandbox.locked():
        client.send(command(1, "trop.reserve"))
        client.call("trop.list")

        client.send(cancellation(1))
        answer = client.answer(1)

    assert answer["error"]["code"] == -32800
    assert answer["error"]["data"]["kind"] == "cancelled"
    assert sandbox.rows() == []
    assert client.call("trop.reserve")["outcome"] == "created"


def test_a_queued_command_is_cancelled_and_the_others_go_on(client: Client, sandbox: Sandbox) -> None:
    with sandbox.locked():
        client.send(*(command(number, "trop.reserve", {"tag": f"t{number}"}) for number in range(5)))
        client.send(cancellation(3))
        cancelled = client.answer(3)
    answers = [client.answer(number) for number in (0, 1, 2, 4)]

    assert cancelled["error"]["code"] == -32800
    assert [answer["result"]["outcome"] for answer in answers] == ["created"] * 4
    assert [row[1] for row in sandbox.rows()] == ["t0", "t1", "t2", "t4"]


def test_a_cancellation_in_the_same_piece_as_its_command_counts(client: Client, sandbox: Sandbox) -> None:
    with sandbox.locked():
        for number in range(20):
            client.send(command(number, "trop.reserve"), cancellation(number))

            assert client.answer(number)["error"]["code"] == -32800

    assert sandbox.rows() == []


@pytest.mark.parametrize("message_id", [True, 1.0], ids=["true", "a float"])
def test_a_cancellation_of_another_type_of_id_cancels_nothing(
    client: Client, sandbox: Sandbox, message_id: object
) -> None:
    with sandbox.locked():
        client.send(command(1, "trop.reserve"), cancellation(message_id), cancellation("1"))
        client.call("trop.list")
    answer = client.answer(1)

    assert answer["result"]["outcome"] == "created"


def test_what_has_been_answered_cannot_be_cancelled(client: Client, sandbox: Sandbox) -> None:
    client.send(command(1, "trop.reserve"))
    first = client.answer(1)
    client.send(cancellation(1), command(2, "trop.reserve"))
    second = client.answer(2)

    assert first["result"]["outcome"] == "created"
    assert second["result"]["outcome"] == "reused"
    assert len(sandbox.rows()) == 1


def test_a_race_between_commit_and_cancel_has_one_true_answer(client: Client, sandbox: Sandbox) -> None:
    sandbox.make_store()
    for number in range(100):
        client.send(command(number, "trop.reserve", {"tag": f"t{number:03d}"}))
        if number % 2:
            client.call("trop.showPath")
        client.send(cancellation(number))
    answers = {number: client.answer(number) for number in range(100)}

    stored = {row[1] for row in sandbox.rows()}
    reported = {f"t{number:03d}" for number, answer in answers.items() if "result" in answer}
    assert stored == reported
    assert {answer["error"]["code"] for answer in answers.values() if "error" in answer} <= {-32800}


def test_five_hundred_waiting_commands_hold_up_nobody(start: Callable[..., Client], sandbox: Sandbox) -> None:
    client = start(TROP_BUSY_TIMEOUT="60")
    client.initialize(str(sandbox.work))
    sandbox.make_store()
    numbers = range(500)
    with sandbox.locked():
        client.send(*(command(number, "trop.reserve", {"tag": f"t{number:03d}"}) for number in range(20)))
        client.call("trop.list")
        threads, descriptors = client.threads(), client.descriptors()
        client.send(*(command(number, "trop.reserve", {"tag": f"t{number:03d}"}) for number in range(20, 500)))
        client.call("trop.list")

        listed = client.call("trop.list")
        client.send(*map(cancellation, numbers[::5]))
        cancelled = [client.answer(number) for number in numbers[::5]]
        more_threads, more_descriptors = client.threads(), client.descriptors()
        assert client.unmatched == []
    rest = [client.answer(number) for number in numbers if number % 5]

    assert listed["reservations"] == []
    assert {answer["error"]["code"] for answer in cancelled} == {-32800}
    assert {answer["result"]["outcome"] for answer in rest} == {"created"}
    assert {row[1] for row in sandbox.rows()} == {f"t{number:03d}" for number in numbers if number % 5}
    # The threads that prepare are started as they are needed, and there is a bound to them; 480 more would show.
    assert more_threads - threads < 40
    assert more_descriptors - descriptors < 20


def test_the_time_to_wait_runs_from_the_arrival(start: Callable[..., Client], sandbox: Sandbox) -> None:
    client = start(TROP_BUSY_TIMEOUT="0.5")
    client.initialize(str(sandbox.work))
    client.call("trop.showPath")
    with sandbox.locked():
        begin = time.monotonic()
        client.send(*(command(number, "trop.reserve", {"tag": f"t{number}"}) for number in range(100)))
        refusals = [client.answer(number)["error"] for number in range(100)]
        took = time.monotonic() - begin

    assert {refusal["code"] for refusal in refusals} == {-32803}
    assert {refusal["data"]["kind"] for refusal in refusals} == {"lock_timeout"}
    assert {refusal["data"]["retryable"] for refusal in refusals} == {True}
    assert {refusal["data"]["details"]["timeoutSeconds"] for refusal in refusals} == {0.5}
    assert {refusal["data"]["details"]["operation"] for refusal in refusals} == {"reserve"}
    # One after the other they would take fifty seconds.
    assert 0.5 <= took < AT_ONCE
    assert sandbox.rows() == []
    assert client.call("trop.reserve")["outcome"] == "created"


def test_no_waiting_at_all_is_possible(start: Callable[..., Client], sandbox: Sandbox) -> None:
    client = start(TROP_BUSY_TIMEOUT="0")
    client.initialize(str(sandbox.work))
    with sandbox.locked():
        refusal = client.refused("trop.reserve")
    free = client.call("trop.reserve")

    assert refusal.data["kind"] == "lock_timeout"
    assert free["outcome"] == "created"


def test_a_dry_run_waits_for_the_lock_like_the_real_one(start: Callable[..., Client], sandbox: Sandbox) -> None:
    client = start(TROP_BUSY_TIMEOUT="0.2")
    client.initialize(str(sandbox.work))
    with sandbox.locked():
        refusal = client.refused("trop.reserve", {"dryRun": True})

    assert refusal.data["kind"] == "lock_timeout"


def test_two_servers_and_a_command_line_share_one_store(start: Callable[..., Client], sandbox: Sandbox) -> None:
    one, other = start(), start()
    one.initialize(str(sandbox.work))
    other.initialize(str(sandbox.work))

    for number in range(20):
        for client in (one, other):
            client.send(command(number, "trop.reserve", {"tag": f"t{number}"}))
    ports = [
        [client.answer(number)["result"]["reservation"]["port"] for number in range(20)] for client in (one, other)
    ]
    printed = [sandbox.reserve("--tag", f"t{number}") for number in (0, 19)]

    assert ports[0] == ports[1]
    assert len(set(ports[0])) == 20
    assert printed == [ports[0][0], ports[0][19]]


class TestAStoreThatChangesUnderneath:
    """A server runs for weeks; the file that it opened does not stay the same."""

    def test_a_newer_schema_is_noticed(self, client: Client, sandbox: Sandbox) -> None:
        client.call("trop.reserve")
        sandbox.execute("UPDATE metadata SET value = '3' WHERE key = 'schema_version'")

        write, read = client.refused("trop.reserve"), client.refused("trop.list")

        for refusal in (write, read):
            assert (refusal.code, refusal.data["kind"]) == (-32803, "unsupported_schema_version")
            assert refusal.data["details"] == {"found": 3, "supported": 2}

    @pytest.mark.parametrize("name", ["trop.reserve", "trop.list"])
    def test_a_store_that_was_removed_is_created_anew(self, client: Client, sandbox: Sandbox, name: str) -> None:
        client.call("trop.reserve")
        client.call("trop.list")
        for path in sandbox.data.iterdir():
            path.unlink()

        listed = client.call("trop.list")["reservations"]
        client.call(name)
        created = client.call("trop.reserve", {"tag": "new"})

        assert listed == []
        assert created["outcome"] == "created"
        assert "new" in [row[1] for row in sandbox.rows()]

    def test_a_data_directory_that_was_removed_is_created_anew(self, client: Client, sandbox: Sandbox) -> None:
        client.call("trop.reserve")
        for path in sandbox.data.iterdir():
            path.unlink()
        sandbox.data.rmdir()

        assert client.call("trop.reserve")["outcome"] == "created"
        assert len(sandbox.rows()) == 1

    def test_a_store_that_was_replaced_is_opened(self, client: Client, sandbox: Sandbox) -> None:
        client.call("trop.reserve")
        client.call("trop.list")
        other = sandbox.root / "other"
        sandbox.trop("reserve", "--port", "6500", TROP_DATA_DIR=str(other))
        connection = sqlite3.connect(other / "trop.db")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        for path in sandbox.data.iterdir():
            path.unlink()
        (other / "trop.db").rename(sandbox.database)

        reserved = client.call("trop.reserve")
        listed = client.call("trop.list")["reservations"]

        assert (reserved["outcome"], reserved["reservation"]["port"]) == ("reused", 6500)
        assert [entry["port"] for entry in listed] == [6500]

    def test_a_store_that_became_noise_is_corrupt(self, client: Client, sandbox: Sandbox) -> None:
        client.call("trop.reserve")
        for path in sandbox.data.iterdir():
            path.unlink()
        sandbox.database.write_bytes(b"noise" * 4096)

        for name in ("trop.reserve", "trop.list"):
            assert client.refused(name).data["kind"] == "database_corrupt"

    def test_a_damaged_row_is_named(self, client: Client, sandbox: Sandbox) -> None:
        client.call("trop.reserve", {"tag": "web"})
        sandbox.execute("INSERT INTO reservations VALUES ('relative', '', 6000, NULL, NULL, 0, 0)")

        refusal = client.refused("trop.list")

        assert refusal.data["kind"] == "database_corrupt"
        assert refusal.data["details"] == {
            "path": str(sandbox.database),
            "table": "reservations",
            "column": "path",
            "key": "relative",
        }

    def test_a_store_that_went_back_to_version_one_is_upgraded_again(self, client: Client, sandbox: Sandbox) -> None:
        client.call("trop.list")
        sandbox.data.mkdir(exist_ok=True)
        connection = sqlite3.connect(sandbox.database, timeout=PATIENCE)
        connection.executescript(
            """
            CREATE TABLE metadata (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL);
            CREATE TABLE reservations (path TEXT NOT NULL, tag TEXT, port INTEGER NOT NULL UNIQUE, project TEXT,
              task TEXT, created_at INTEGER NOT NULL, last_used_at INTEGER NOT NULL, PRIMARY KEY (path, tag));
            CREATE INDEX idx_reservations_port ON reservations(port);
            CREATE INDEX idx_reservations_project ON reservations(project);
            CREATE INDEX idx_reservations_last_used ON reservations(last_used_at);
            INSERT INTO metadata VALUES ('schema_version', '1');
            INSERT INTO reservations VALUES ('/old', NULL, 6001, 'p', NULL, 1, 2);
            """
        )
        connection.close()

        listed = client.call("trop.list")["reservations"]

        assert [(entry["path"], entry["port"], entry["tag"]) for entry in listed] == [("/old", 6001, None)]
        assert client.request("workspace/executeCommand", {"command": "trop.reserve"})["result"]["outcome"] == "created"


def test_a_request_that_is_no_command_is_answered_while_commands_wait(client: Client, sandbox: Sandbox) -> None:
    with sandbox.locked():
        client.send(command(1, "trop.reserve"))
        client.send(request(2, "nobody/knowsThis"), 5)
        unknown, refused = client.answer(2), client.answer(None)
    first = client.answer(1)

    assert unknown["error"]["code"] == -32601
    assert refused["error"]["code"] == -32600
    assert first["result"]["outcome"] == "created"


def test_a_scan_that_only_looks_does_not_wait_for_those_that_write(client: Client, sandbox: Sandbox) -> None:
    sandbox.make_store()
    with sandbox.locked():
        client.send(command(1, "trop.reserve"))
        looked = client.call("trop.scan", {"min": 6000, "max": 6001})
    first = client.answer(1)

    assert (looked["min"], looked["max"], looked["changed"]) == (6000, 6001, False)
    assert first["result"]["outcome"] == "created"


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("trop.exclude", {"ports": "5100"}),
        ("trop.compactExclusions", {"config": "trop.yaml"}),
        ("trop.env", {"write": ".env"}),
    ],
)
def test_a_command_that_waits_for_a_directory_holds_up_no_reservation(
    start: Callable[..., Client], sandbox: Sandbox, name: str, argument: dict[str, object]
) -> None:
    folder, other = sandbox.directory("shop"), sandbox.directory("other")
    folder.joinpath("trop.yaml").write_text("excluded_ports: [5001, 5000]\n")
    client = start(TROP_BUSY_TIMEOUT=str(PATIENCE))
    client.initialize(str(folder))
    directory = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        # As many as a server would do beside each other, and more.
        client.send(*(command(number, name, argument) for number in range(20)))

        reserved = client.call("trop.reserve", {"path": str(other), "allowUnrelatedPath": True}, timeout=PATIENCE / 2)
    finally:
        os.close(directory)

    assert reserved["outcome"] == "created"
    answers = [client.answer(number) for number in range(20)]
    assert [answer.get("error") for answer in answers] == [None] * 20
