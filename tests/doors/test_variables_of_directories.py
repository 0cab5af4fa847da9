"""The variables and the address of a directory, the same through every door."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.doors import DOORS, ask

if TYPE_CHECKING:
    from pathlib import Path

    from support.bench import Bench
    from support.client import Client
    from support.doors import Answer, DoorName
    from support.sandbox import Sandbox

GROUP = """\
reservations:
  services: {web: {preferred: 3000}, api: {}, db: {env: PGPORT_PORT}}
  environment:
    API_URL: "http://localhost:{port:api}/v1"
    PIP_INDEX_URL: "http://localhost:{port:web}/"
    COMPOSE_PROJECT_NAME: "{name}"
"""
INVALID = {"cli": 4, "call": 4, "server": -32803}


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest) -> DoorName:
    found: DoorName = request.param
    return found


class Asking:
    """Asks for variables and addresses in the working directory, through one door."""

    def __init__(self, sandbox: Sandbox, client: Client, door: DoorName) -> None:
        self.sandbox, self.client, self.door = sandbox, client, door

    def env(self, **given: object) -> Answer:
        return self._ask("trop.env", given, *(["--format", "json"] if self.door == "cli" else []))

    def variables(self, **given: object) -> Any:
        answer = self.env(**given)
        assert answer.code == 0, answer.message
        return json.loads(answer.stdout) if self.door == "cli" else answer.data["environment"]

    def url(self, **given: object) -> Answer:
        return self._ask("trop.url", given)

    def address(self, **given: object) -> str:
        answer = self.url(**given)
        assert answer.code == 0, answer.message
        return answer.stdout.strip() if self.door == "cli" else str(answer.data["url"])

    def _ask(self, command: str, given: dict[str, object], *options: str) -> Answer:
        return ask(self.sandbox, self.client, self.door, command, given, *options)


@pytest.fixture
def asking(sandbox: Sandbox, client: Client, door: DoorName) -> Asking:
    return Asking(sandbox, client, door)


def test_a_directory_without_services_has_one_port_and_keeps_it(asking: Asking, sandbox: Sandbox) -> None:
    first = asking.variables()

    assert first == {"PORT": 5000} == asking.variables()
    assert sandbox.reserve() == 5000
    assert len(sandbox.rows()) == 1


def test_a_tag_has_its_own_port(asking: Asking, sandbox: Sandbox) -> None:
    untagged = sandbox.reserve()

    assert asking.variables(tag="admin") == {"PORT": untagged + 1}
    assert asking.address(tag="admin") == f"http://localhost:{untagged + 1}/"


def test_services_have_theirs_and_what_is_made_from_them(asking: Asking, sandbox: Sandbox) -> None:
    (sandbox.work / "trop.yaml").write_text(GROUP)

    assert asking.variables() == {
        "PORT": 3000,
        "WEB_PORT": 3000,
        "API_PORT": 5001,
        "PGPORT_PORT": 5002,
        "API_URL": "http://localhost:5001/v1",
        "PIP_INDEX_URL": "http://localhost:3000/",
        "COMPOSE_PROJECT_NAME": "work-3000",
    }
    assert asking.address() == "http://localhost:3000/"


def test_a_service_by_its_tag_has_the_port_that_the_group_gives_it(asking: Asking, sandbox: Sandbox) -> None:
    (sandbox.work / "trop.yaml").write_text(GROUP)

    alone = asking.variables(tag="api")

    assert alone == {"PORT": asking.variables()["API_PORT"]}


@pytest.mark.parametrize(
    ("services", "port"),
    [
        ("{api: {}}", 5000),
        ("{api: {}, web: {}}", 5001),
        ("{api: {}, db: {}}", None),
        ("{api: {env: PORT}, web: {}}", 5000),
        ("{api: {env: PORT}, db: {}}", 5000),
    ],
    ids=["the only service", "the service called web", "neither", "not web if another says so", "as it says"],
)
def test_port_is_that_of_the_foremost_service(
    asking: Asking, sandbox: Sandbox, services: str, port: int | None
) -> None:
    (sandbox.work / "trop.yaml").write_text(f"reservations: {{services: {services}}}\n")

    assert asking.variables().get("PORT") == port


def test_an_address_of_several_services_without_a_foremost_one_is_refused_and_nothing_stored(
    asking: Asking, sandbox: Sandbox, door: DoorName
) -> None:
    (sandbox.work / "trop.yaml").write_text("reservations: {services: {api: {}, db: {}}}\n")

    answer = asking.url()

    assert answer.code == INVALID[door]
    assert "one of the services, of which none is called web: api, db" in answer.message
    assert sandbox.rows() == []


def test_services_are_insisted_on(asking: Asking, sandbox: Sandbox, door: DoorName) -> None:
    answer = asking.env(services=True)

    assert answer.code == {"cli": 6, "call": 6, "server": -32803}[door]
    assert "trop.yaml" in answer.message
    assert sandbox.rows() == []


def test_services_and_a_tag_are_at_odds(asking: Asking, sandbox: Sandbox, door: DoorName) -> None:
    answer = asking.env(services=True, tag="web")

    assert answer.code == INVALID[door]
    assert "either this or a tag, not both" in answer.message
    assert sandbox.rows() == []


def test_a_dry_run_tells_and_stores_nothing(asking: Asking, sandbox: Sandbox, door: DoorName) -> None:
    answer = asking.env(dryRun=True)

    assert answer.code == 0
    assert "5000" in answer.stdout or answer.data["environment"] == {"PORT": 5000}
    assert sandbox.rows() == []


def test_a_broken_file_is_an_error_and_not_a_directory_without_services(
    asking: Asking, sandbox: Sandbox, door: DoorName
) -> None:
    sandbox.reserve()
    (sandbox.work / "trop.yaml").write_text("reservations: {services: {web: {prefered: 1}}}\n")

    answer = asking.env()

    assert answer.code == {"cli": 7, "call": 7, "server": -32803}[door]
    assert "prefered" in answer.message


def test_what_the_directory_has_besides_is_told_and_not_touched(bench: Bench, work: Path) -> None:
    for tag in ("admin", "old"):
        bench.sandbox.reserve("--tag", tag, cwd=work)
    bench.sandbox.execute("UPDATE reservations SET last_used_at = created_at - 5000 WHERE tag = 'old'")

    found = ask(bench.sandbox, bench.client, "call", "trop.env", {"tag": "admin"}, work=work).data

    assert [row["tag"] for row in found["reservations"]] == ["admin"]
    assert [row["tag"] for row in found["others"]] == ["old"]
    assert found["others"][0]["lastUsedAt"] < found["reservations"][0]["lastUsedAt"]


@pytest.fixture
def work(bench: Bench) -> Path:
    return bench.work


def test_a_group_of_a_moved_directory_comes_along(asking: Asking, sandbox: Sandbox) -> None:
    before, after = sandbox.directory("before"), sandbox.work / "after"
    (before / "trop.yaml").write_text(GROUP)
    stored = sandbox.trop("env", "--format", "json", cwd=before)
    before.rename(after)

    moved = ask(sandbox, asking.client, "call", "trop.env", {}, work=after).data

    assert moved["outcome"] == "moved"
    assert {**moved["environment"], "COMPOSE_PROJECT_NAME": None} == {
        **json.loads(stored.stdout),
        "COMPOSE_PROJECT_NAME": None,
    }
