"""What a dry run has promised is done by whoever has its token, once, soon, and only if it is still the same."""

from __future__ import annotations

import base64
import itertools
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import pytest
from support.doors import DOORS, JSON_DOORS, Answer, DoorName, ask
from support.mcp import call, connected, refused
from support.operations import perform

from trop_core.errors.plans import PlanExpired
from trop_core.models import PLAN_SECONDS
from trop_core.plans import PlanToken

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.client import Client
    from support.sandbox import Sandbox

LONG_AGO = 1_000_000
NOW = 2_000_000_000


class Kind(NamedTuple):
    """A command that takes something away, and the fields with which it takes the one row that is there."""

    command: str
    given: dict[str, object]

    @property
    def name(self) -> str:
        return self.command.removeprefix("trop.")


KINDS = [
    Kind("trop.release", {}),
    Kind("trop.release", {"tag": "web", "recursive": True}),
    Kind("trop.migrate", {"from": "{work}", "to": "{work}-moved", "recursive": True}),
    Kind("trop.prune", {}),
    Kind("trop.expire", {"days": 1}),
    Kind("trop.autoclean", {"days": 1}),
    Kind("trop.init", {"overwrite": True}),
    Kind("trop.undo", {"any": True}),
    Kind("trop.swap", {"path": "{work}/gone", "tag": "api", "force": True}),
]


class Stage:
    """A store with rows that each kind takes."""

    def __init__(self, sandbox: Sandbox, client: Client, kind: Kind, door: DoorName = "server") -> None:
        self.door = door
        self.sandbox = sandbox
        self.client = client
        self.kind = kind
        sandbox.make_store()
        self.insert(str(sandbox.work), "web", 5000)
        self.insert(str(sandbox.work / "gone"), "", 5001)
        if kind.command == "trop.undo":
            done = sandbox.trop("release", "--path", str(sandbox.work), "--tag", "web")
            assert done.returncode == 0, done.stderr
        elif kind.command == "trop.swap":
            self.insert(str(sandbox.work), "api", 5010)
            self.insert(str(sandbox.work / "gone"), "api", 5011)

    def insert(self, path: str, tag: str, port: int) -> None:
        self.sandbox.execute(
            "INSERT INTO reservations VALUES (?, ?, ?, NULL, NULL, 0, ?)", [(path, tag, port, LONG_AGO)]
        )

    def ask(self, door: DoorName, **more: object) -> Answer:
        given = {
            name: value.format(work=self.sandbox.work) if isinstance(value, str) else value
            for name, value in self.kind.given.items()
        }
        return ask(self.sandbox, self.client, door, self.kind.command, {**given, **more})

    def plan(self, door: DoorName = "call") -> dict[str, Any]:
        answer = self.ask(door, dryRun=True)
        assert answer.code == 0, answer
        plan: dict[str, Any] = answer.data["plan"]
        return plan

    def does(self, token: str) -> Answer:
        """The call with a token."""
        answer = self.ask(self.door, plan=token)
        assert answer.code in (0, 6 if self.door != "server" else -32803), answer
        return answer

    def rows(self) -> list[Any]:
        return list(self.sandbox.rows())

    def operations(self) -> list[tuple[str, bool]]:
        """The operations on record: the command, and whether a plan was carried out."""
        return [
            (command, plan is not None)
            for command, plan in self.sandbox.query("SELECT command, plan FROM operations ORDER BY id")
        ]


@pytest.fixture(
    params=zip(KINDS, itertools.cycle(DOORS)),
    ids=lambda found: f"{found[0].name}{'-recursive' if 'tag' in found[0].given else ''}-{found[1]}",
)
def stage(request: pytest.FixtureRequest, sandbox: Sandbox, client: Client) -> Stage:
    """Each kind, and a door for it; the doors take turns, for none knows anything of plans."""
    kind, door = request.param
    return Stage(sandbox, client, kind, door)


def kind_of(answer: Answer) -> str:
    if answer.data is not None:
        kind: str = answer.data["kind"]
        return kind
    told = answer.message
    known = {"carried out already": "plan_used", "too old": "plan_expired", "not what was planned": "plan_changed"}
    return next((kind for words, kind in known.items() if words in told), told)


def test_a_plan_is_carried_out_through_another_door_once(stage: Stage) -> None:
    before = stage.rows()
    plan = stage.plan("call" if stage.door == "server" else "server")
    assert stage.rows() == before
    assert plan["summary"] != "nothing changes"

    answer = stage.does(plan["token"])

    assert answer.code == 0, answer
    after = stage.rows()
    assert after != before
    assert stage.operations()[-1] == (stage.kind.command, True)

    again = stage.does(plan["token"])

    assert kind_of(again) == "plan_used"
    assert stage.rows() == after


def test_what_has_changed_meanwhile_is_not_done(stage: Stage) -> None:
    token = stage.plan()["token"]
    stage.insert(str(stage.sandbox.work / "gone"), "web", 5002)
    stage.insert(str(stage.sandbox.work), "web" if stage.kind.name == "undo" else "db", 5003)
    stage.sandbox.execute("UPDATE reservations SET port = 5004 WHERE tag = 'api' AND port = 5010")
    before = stage.rows()

    answer = stage.does(token)

    assert kind_of(answer) == "plan_changed"
    assert stage.rows() == before


def test_a_port_that_changed_hands_is_another_plan(sandbox: Sandbox, client: Client) -> None:
    stage = Stage(sandbox, client, Kind("trop.prune", {}))
    token = stage.plan()["token"]
    stage.sandbox.execute("UPDATE reservations SET port = port + 100")
    before = stage.rows()

    assert kind_of(stage.does(token)) == "plan_changed"
    assert stage.rows() == before


def test_the_time_of_last_use_is_no_part_of_a_plan(sandbox: Sandbox, client: Client) -> None:
    stage = Stage(sandbox, client, Kind("trop.autoclean", {"days": 1}))
    token = stage.plan()["token"]
    stage.sandbox.execute("UPDATE reservations SET last_used_at = last_used_at + 1")

    assert stage.does(token).code == 0


def test_other_fields_are_another_plan(sandbox: Sandbox, client: Client) -> None:
    stage = Stage(sandbox, client, Kind("trop.release", {}))
    token = stage.plan()["token"]

    answer = stage.ask("server", plan=token, force=True)

    assert kind_of(answer) == "plan_changed"
    assert len(stage.rows()) == 2


def test_another_command_with_the_same_rows_is_another_plan(sandbox: Sandbox, client: Client) -> None:
    stage = Stage(sandbox, client, Kind("trop.autoclean", {"days": 1}))
    token = stage.plan()["token"]
    stage.kind = Kind("trop.expire", {"days": 1})

    assert kind_of(stage.does(token)) == "plan_changed"
    assert len(stage.rows()) == 2


def test_what_cannot_be_planned_any_more_has_changed(sandbox: Sandbox, client: Client) -> None:
    stage = Stage(sandbox, client, Kind("trop.migrate", {"from": "{work}", "to": "/moved"}))
    token = stage.plan()["token"]
    sandbox.execute("DELETE FROM reservations")

    answer = stage.does(token)

    assert kind_of(answer) == "plan_changed"
    assert "nothing is reserved" in answer.message


def test_that_nothing_was_there_to_do_is_on_record_as_well(sandbox: Sandbox, client: Client) -> None:
    stage = Stage(sandbox, client, Kind("trop.release", {"tag": "nothing"}))
    token = stage.plan()["token"]

    assert stage.does(token).code == 0
    assert stage.operations()[-1:] == [("trop.release", True)]
    assert kind_of(stage.does(token)) == "plan_used"


def _changed_letter(token: str) -> str:
    return token[:20] + ("A" if token[20] != "A" else "B") + token[21:]


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda token: "", id="nothing"),
        pytest.param(lambda token: "plan", id="a word"),
        pytest.param(_changed_letter, id="another letter"),
        pytest.param(lambda token: token[:-1], id="cut off"),
        pytest.param(lambda token: token + "AAAA", id="longer"),
        pytest.param(lambda token: "é" * 76, id="another alphabet"),
        pytest.param(lambda token: base64.urlsafe_b64encode(bytes(57)).decode(), id="zeros"),
    ],
)
@pytest.mark.parametrize("door", JSON_DOORS)
def test_what_is_no_token_is_refused(
    sandbox: Sandbox, client: Client, door: DoorName, spoil: Callable[[str], str]
) -> None:
    stage = Stage(sandbox, client, Kind("trop.release", {}))

    answer = stage.ask(door, plan=spoil(stage.plan()["token"]))

    assert kind_of(answer) == "invalid_argument"
    assert answer.data["details"]["field"] == "plan"
    assert len(stage.rows()) == 2


def test_a_plan_holds_for_five_minutes(sandbox: Sandbox, client: Client) -> None:
    stage = Stage(sandbox, client, Kind("trop.expire", {"days": 1}))
    token = perform(sandbox.data, "expire", {"days": 1, "dryRun": True}, now=lambda: NOW).plan.token
    planned = {"days": 1, "plan": token}

    with pytest.raises(PlanExpired):
        perform(sandbox.data, "expire", planned, now=lambda: NOW + PLAN_SECONDS + 1)
    assert len(stage.rows()) == 2

    assert perform(sandbox.data, "expire", planned, now=lambda: NOW + PLAN_SECONDS).removed_count == 2


def test_used_comes_before_expired(sandbox: Sandbox, client: Client) -> None:
    stage = Stage(sandbox, client, Kind("trop.release", {}))
    plan = stage.plan()
    stage.does(plan["token"])
    expired = PlanToken.read(plan["token"])._replace(expires_at=1)

    assert kind_of(stage.ask("server", plan=str(expired))) == "plan_used"
    assert kind_of(stage.ask("server", plan=str(expired._replace(name="00" * 12)))) == "plan_expired"


def test_a_dry_run_says_at_the_command_line_how_to_do_exactly_that(sandbox: Sandbox, client: Client) -> None:
    stage = Stage(sandbox, client, Kind("trop.release", {}))

    *_, told, last = ask(sandbox, client, "cli", "trop.release", {"dryRun": True}, "--verbose").told

    assert last == "Dry run - no changes made."
    assert sandbox.trop("release", *told.split()[-2:]).returncode == 0
    assert len(stage.rows()) == 1


def test_a_plan_that_is_refused_makes_no_store(sandbox: Sandbox) -> None:
    token = PlanToken.of(bytes(32), now=NOW)

    done = sandbox.trop("release", "--plan", str(token))

    assert (done.returncode, sandbox.data.exists()) == (6, False)


class TestWhereNothingTellsWhatMayBeTouched:
    """A session that began at home, without roots: the folder that a call names is the caller's own word."""

    GIVEN: ClassVar[tuple[tuple[str, dict[str, Any]], ...]] = (
        ("trop_release", {"folder": "{work}"}),
        ("trop_migrate", {"folder": None, "from": "{work}", "to": "{work}-moved"}),
        ("trop_prune", {}),
        ("trop_expire", {"days": 1}),
        ("trop_autoclean", {}),
        ("trop_init", {"overwrite": True}),
    )

    @pytest.mark.parametrize(("tool", "given"), GIVEN, ids=[tool for tool, _ in GIVEN])
    @pytest.mark.asyncio
    async def test_what_takes_away_needs_a_plan(self, sandbox: Sandbox, tool: str, given: dict[str, Any]) -> None:
        sandbox.make_store()
        path = str(sandbox.work)
        sandbox.execute("INSERT INTO reservations VALUES (?, '', 5000, NULL, NULL, 0, ?)", [(path, LONG_AGO)])
        fields = {name: value.format(work=path) if isinstance(value, str) else value for name, value in given.items()}
        fields = {name: value for name, value in fields.items() if value is not None}
        home = sandbox.root / "home"
        home.mkdir(exist_ok=True)

        async with connected(sandbox, cwd=home, HOME=str(home)) as client:
            error = await refused(client, tool, **fields)
            assert (error["kind"], error["details"]["field"]) == ("invalid_argument", "plan")
            assert "dryRun" in error["hint"]
            assert len(sandbox.rows()) == 1

            planned = await call(client, tool, **fields, dryRun=True)
            done = await call(client, tool, **fields, plan=planned["plan"]["token"])

        assert done["dryRun"] is False
        assert ("trop." + tool.removeprefix("trop_"), "mcp") in sandbox.query("SELECT command, door FROM operations")

    @pytest.mark.asyncio
    async def test_where_a_root_tells_none_is_needed(self, sandbox: Sandbox) -> None:
        async with connected(sandbox, roots=[sandbox.work.as_uri()]) as client:
            await call(client, "trop_reserve")
            assert (await call(client, "trop_release"))["releasedCount"] == 1
