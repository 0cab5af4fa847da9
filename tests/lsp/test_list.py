"""``trop.list`` and ``trop.listCommands``."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from support.client import Client
from support.sandbox import Sandbox

from trop_core.catalogue import by_command, operations
from trop_server.wire.schemas import input_schema, output_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

COUNT = 2500


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A server whose store nobody changes: 2,500 rows below /stored, and a few others."""
    sandbox = Sandbox(tmp_path_factory.mktemp("filled"))
    sandbox.fill(COUNT)
    sandbox.execute(
        "INSERT INTO reservations VALUES (?, ?, ?, ?, ?, 0, 253402300800)",
        [
            ("/w/a", "", 5000, "shop", "t"),
            ("/w/a", "web", 5001, "shop", None),
            ("/w/a/sub", "web", 5002, None, None),
            ("/w/a%", "", 5003, None, None),
            ("/w/a_", "", 5004, None, None),
            ("/w/ab", "", 5005, "shop", None),
            ("/w/größe", "", 5006, "größe", None),
        ],
    )
    client = Client(cwd=str(sandbox.work), env=sandbox.environment())
    client.initialize(str(sandbox.work))
    yield client
    client.kill()


def listing(client: Client, **argument: object) -> dict[str, Any]:
    answer = client.call("trop.list", argument)
    operation = by_command("trop.list")
    assert operation is not None
    Draft202012Validator(output_schema(operation), format_checker=FormatChecker()).validate(answer)
    return answer


@pytest.mark.parametrize(
    ("argument", "ports"),
    [
        pytest.param({"path": "/w"}, [5000, 5001, 5003, 5002, 5004, 5005, 5006], id="everything below"),
        pytest.param({"path": "/w/a"}, [5000, 5001, 5002], id="by component"),
        pytest.param({"path": "/w/a%"}, [5003], id="no pattern"),
        pytest.param({"path": "/w/a/"}, [5000, 5001, 5002], id="a trailing slash"),
        pytest.param({"path": "file:///w/a%25"}, [5003], id="a URI"),
        pytest.param({"folder": "/w/a/sub"}, [5002], id="a folder"),
        pytest.param({"path": "/w", "tag": "web"}, [5001, 5002], id="a tag"),
        pytest.param({"project": "shop"}, [5000, 5001, 5005], id="a project"),
        pytest.param({"project": " shop "}, [5000, 5001, 5005], id="a project, trimmed"),
        pytest.param({"project": "shop", "tag": "web"}, [5001], id="both"),
        pytest.param({"project": "größe"}, [5006], id="Unicode"),
        pytest.param({"project": "sho"}, [], id="no part of a name"),
        pytest.param({"path": "/nowhere"}, [], id="nothing"),
    ],
)
def test_filters(filled: Client, argument: dict[str, Any], ports: list[int]) -> None:
    answer = listing(filled, **argument)

    assert [entry["port"] for entry in answer["reservations"]] == ports
    assert (answer["next"], answer["truncated"]) == (None, False)


def test_a_time_beyond_all_calendars_is_the_last_one_of_the_calendar(filled: Client) -> None:
    [entry] = listing(filled, path="/w/ab")["reservations"]

    assert (entry["createdAt"], entry["lastUsedAt"]) == ("1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z")


def test_without_a_limit_a_thousand_are_given_and_truncated_says_so(filled: Client) -> None:
    answer = listing(filled)

    assert len(answer["reservations"]) == 1000
    assert answer["truncated"] is True
    assert answer["next"] is not None


def test_a_page_that_was_asked_for_is_not_truncated(filled: Client) -> None:
    answer = listing(filled, limit=10)

    assert len(answer["reservations"]) == 10
    assert answer["truncated"] is False
    assert answer["next"] is not None


@pytest.mark.parametrize("limit", [1, 3, 7, 8])
def test_pages_together_are_the_whole(filled: Client, limit: int) -> None:
    pages, after = [], None
    while True:
        answer = listing(filled, path="/w", limit=limit, after=after)
        pages += answer["reservations"]
        after = answer["next"]
        assert len(answer["reservations"]) <= limit
        if after is None:
            break

    assert pages == listing(filled, path="/w")["reservations"]


def test_all_of_a_large_store_comes_in_three_pages(filled: Client) -> None:
    sizes: list[int] = []
    paths: list[str] = []
    after: str | None = None
    while not sizes or after is not None:
        answer = listing(filled, path="/stored", after=after)
        sizes.append(len(answer["reservations"]))
        paths += [entry["path"] for entry in answer["reservations"]]
        after = answer["next"]

    assert sizes == [1000, 1000, 500]
    assert paths == [f"/stored/{number:05d}" for number in range(COUNT)]


@pytest.mark.parametrize(
    "cursor",
    [
        pytest.param("", id="empty"),
        pytest.param("bogus", id="noise"),
        pytest.param("größe", id="not ASCII"),
        pytest.param("\ud800", id="half a character"),
        pytest.param("=" * 10_000, id="padding"),
        pytest.param(base64.urlsafe_b64encode(b"\xff").decode(), id="bytes"),
        pytest.param(base64.urlsafe_b64encode(b"5").decode(), id="a number"),
        pytest.param(base64.urlsafe_b64encode(b'["/w"]').decode(), id="one text"),
        pytest.param(base64.urlsafe_b64encode(b'["/w", 5]').decode(), id="a text and a number"),
        pytest.param(base64.urlsafe_b64encode(b'{"a": 1, "b": 2}').decode(), id="an object"),
        pytest.param(base64.urlsafe_b64encode(b'["a", "b", "c"]').decode(), id="three texts"),
        pytest.param(base64.urlsafe_b64encode(b"[" * 50_000).decode(), id="nested without end"),
        pytest.param(base64.urlsafe_b64encode(json.dumps(["\ud800", ""]).encode()).decode(), id="half a path"),
    ],
)
def test_a_cursor_that_was_made_up_is_refused(filled: Client, cursor: str) -> None:
    refusal = filled.refused("trop.list", {"after": cursor})

    assert (refusal.code, refusal.data["kind"]) == (-32602, "invalid_argument")
    assert refusal.data["details"]["field"] == "after"


def test_occupancy_is_told_where_it_is_asked_for(filled: Client) -> None:
    answer = listing(filled, path="/w", includeOccupancy=True)

    assert {(entry["occupied"], entry["holder"]) for entry in answer["reservations"]} == {(None, None)}  # not looked at
    assert "the check is skipped (TROP_SKIP_OCCUPANCY_CHECK)" in answer["warnings"][0]
    assert "occupied" not in listing(filled, path="/w")["reservations"][0]


def test_what_is_reserved_where_a_path_leads_to_is_listed_as_well(client: Client, sandbox: Sandbox) -> None:
    project, link = sandbox.directory("project"), sandbox.work / "link"
    link.symlink_to(project)
    client.call("trop.reserve", {"folder": str(project)})

    answer = listing(client, path=str(link))

    assert [row["path"] for row in answer["reservations"]] == [str(project)]


def test_listing_creates_nothing(client: Client, sandbox: Sandbox) -> None:
    assert listing(client)["reservations"] == []
    assert not sandbox.data.exists()


def test_the_list_of_commands_is_the_catalogue(filled: Client) -> None:
    answer = filled.call("trop.listCommands")

    operation = by_command("trop.listCommands")
    assert operation is not None
    Draft202012Validator(output_schema(operation)).validate(answer)
    assert [entry["command"] for entry in answer["commands"]] == [operation.command for operation in operations()]
    for entry, known in zip(answer["commands"], operations(), strict=True):
        assert entry["inputSchema"] == input_schema(known)
        assert entry["outputSchema"] == output_schema(known)
        assert entry["title"]
        assert entry["description"].endswith(".")
    by_name = {entry["command"]: entry for entry in answer["commands"]}
    assert by_name["trop.list"]["readOnly"] is True
    assert by_name["trop.reserve"]["readOnly"] is False
    assert by_name["trop.reserve"]["idempotent"] is True


@pytest.mark.parametrize("name", ["trop.showPath", "trop.showDataDir"])
def test_what_shows_a_place_fits_its_schema(filled: Client, name: str) -> None:
    answer = filled.call(name)

    operation = by_command(name)
    assert operation is not None
    Draft202012Validator(output_schema(operation)).validate(answer)
