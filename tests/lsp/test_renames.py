"""A directory that is renamed or moved in the editor takes its reservations along."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from support.messages import ServerError, command, request
from support.patience import AT_ONCE
from support.window import ASKED, SHOWN, Barrier, Decoy, choose, ending, eventually, next_of, rename, reply, said

from trop_core.caller import Caller, Door
from trop_core.cancellation import CancellationToken
from trop_core.context import Context
from trop_core.operations.call import Call
from trop_core.operations.moving.migrate import MigrateRequest
from trop_core.store import Store
from trop_server.lsp.renames import Renames
from trop_server.lsp.window import Window
from trop_server.transport.lanes import Ticket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lsprotocol.types import ShowMessageRequestParams
    from support.client import Client
    from support.sandbox import Sandbox

    from trop_core.catalogue import Operation

T = TypeVar("T")


@pytest.fixture
def start(start: Callable[..., Client]) -> Iterator[Callable[..., Client]]:
    yield from ending(start)


@pytest.fixture
def barrier(sandbox: Sandbox) -> Barrier:
    return Barrier(sandbox)


def reserve(sandbox: Sandbox, path: Path, *arguments: str) -> int:
    return sandbox.reserve("--path", str(path), *arguments)


@pytest.fixture
def conflict(client: Client, sandbox: Sandbox) -> tuple[Path, Path, int, int]:
    """A directory that was renamed to one that has a port already, and both ports; the server was told."""
    old, new = sandbox.work / "old", sandbox.work / "new"
    ports = reserve(sandbox, old), reserve(sandbox, new)
    rename(client, (old, new))
    return old, new, *ports


def test_the_server_wants_to_hear_of_folders_alone(start: Callable[..., Client]) -> None:
    capabilities = start().initialize()["capabilities"]

    assert capabilities["workspace"]["fileOperations"] == {
        "didRename": {"filters": [{"scheme": "file", "pattern": {"glob": "**", "matches": "folder"}}]}
    }


def test_a_folder_takes_along_what_is_reserved_at_and_below_it(
    client: Client, sandbox: Sandbox, barrier: Barrier
) -> None:
    old, new = sandbox.directory("old"), sandbox.work / "moved" / "new"
    (old / "api").mkdir()
    ports = [reserve(sandbox, old), reserve(sandbox, old, "--tag", "web"), reserve(sandbox, old / "api")]
    beside = reserve(sandbox, sandbox.work / "older")
    new.parent.mkdir()

    old.rename(new)
    rename(client, (old, new))
    barrier.wait(client)

    assert barrier.rows(sandbox) == [
        (str(new), "", ports[0]),
        (str(new), "web", ports[1]),
        (str(new / "api"), "", ports[2]),
        (str(sandbox.work / "older"), "", beside),
    ]
    assert said(client, ASKED) == said(client, SHOWN) == []


def test_each_folder_of_one_event_moves_by_itself(client: Client, sandbox: Sandbox, barrier: Barrier) -> None:
    one, other, third = (sandbox.work / name for name in ("one", "other", "third"))
    ports = [reserve(sandbox, path) for path in (one, other, third)]
    taken = reserve(sandbox, sandbox.work / "new-one")

    rename(client, *((path, path.with_name(f"new-{path.name}")) for path in (one, other, third)))
    barrier.wait(client)

    assert barrier.rows(sandbox) == [
        (str(sandbox.work / "new-one"), "", taken),
        (str(sandbox.work / "new-other"), "", ports[1]),
        (str(sandbox.work / "new-third"), "", ports[2]),
        (str(one), "", ports[0]),
    ]
    assert len(said(client, ASKED)) == 1


def test_renames_are_followed_in_their_order(client: Client, sandbox: Sandbox, barrier: Barrier) -> None:
    names = [f"name-{number:02d}" for number in range(20)]
    port = reserve(sandbox, sandbox.work / names[0])

    for old, new in pairwise(names):
        rename(client, (sandbox.work / old, sandbox.work / new))
    barrier.wait(client)

    assert barrier.rows(sandbox) == [(str(sandbox.work / names[-1]), "", port)]


def test_links_above_the_folder_are_followed(client: Client, sandbox: Sandbox, barrier: Barrier) -> None:
    real, link = sandbox.directory("real"), sandbox.work / "link"
    link.symlink_to(real)
    port = reserve(sandbox, real / "old")

    rename(client, (link / "old", link / "new"))
    barrier.wait(client)

    assert barrier.rows(sandbox) == [(str(real / "new"), "", port)]


def test_a_link_that_is_renamed_is_not_followed(client: Client, sandbox: Sandbox, barrier: Barrier) -> None:
    real, link = sandbox.directory("real"), sandbox.work / "link"
    link.symlink_to(real)
    ports = reserve(sandbox, link), reserve(sandbox, real)

    link.rename(sandbox.work / "other")
    rename(client, (link, sandbox.work / "other"))
    barrier.wait(client)

    assert barrier.rows(sandbox) == [(str(sandbox.work / "other"), "", ports[0]), (str(real), "", ports[1])]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("file:///nowhere/at/all", "file:///nowhere/else", id="nothing is reserved there"),
        pytest.param("vscode-remote://host/w/a", "vscode-remote://host/w/b", id="another machine"),
        pytest.param("file:///w/%ff", "file:///w/b", id="a name that is not UTF-8"),
        pytest.param("file:///barrier", "file:///barrier", id="the same place"),
        pytest.param("untitled:a", "file:///w/b", id="no place at all"),
    ],
)
def test_where_nothing_can_move_nothing_is_said(
    client: Client, sandbox: Sandbox, barrier: Barrier, old: str, new: str
) -> None:
    before = sandbox.rows()

    rename(client, (old, new))
    barrier.wait(client)

    assert said(client, ASKED) == said(client, SHOWN) == []
    assert sandbox.rows() == before


def test_a_folder_that_stays_where_it_is_keeps_what_it_has(client: Client, sandbox: Sandbox, barrier: Barrier) -> None:
    place = sandbox.work / "place"
    port = reserve(sandbox, place)

    rename(client, (place, place))
    barrier.wait(client)

    assert said(client, SHOWN) == []
    assert barrier.rows(sandbox) == [(str(place), "", port)]


def test_a_rename_creates_no_store(start: Callable[..., Client], sandbox: Sandbox) -> None:
    client = start()
    client.initialize(str(sandbox.work))

    rename(client, (sandbox.work / "old", sandbox.work / "new"))
    # Followed after the other one, and told of without a store.
    sandbox.data.mkdir()
    (sandbox.data / "config.yaml").write_text("ports: 5\n")
    rename(client, (sandbox.work / "a", sandbox.work / "b"))
    shown = next_of(client, SHOWN)["params"]["message"]

    assert "config.yaml" in shown
    assert not sandbox.database.exists()


class TestAConflict:
    """Something is reserved already where a reservation would move to."""

    def test_both_places_and_ports_are_named(self, client: Client, conflict: tuple[Path, Path, int, int]) -> None:
        old, new, moving, standing = conflict

        asked = next_of(client, ASKED)["params"]

        assert asked == {
            "type": 2,
            "message": f"{old} is now {new}, and its reservations cannot move along: "
            f"port {moving} of {old} would replace port {standing} of {new}. "
            "Overwrite what is reserved there already, or leave everything as it is?",
            "actions": [{"title": "Overwrite"}, {"title": "Leave"}],
        }

    def test_many_are_counted(self, client: Client, sandbox: Sandbox) -> None:
        old, new = sandbox.work / "old", sandbox.work / "new"
        sandbox.make_store()
        sandbox.execute(
            "INSERT INTO reservations VALUES (?, ?, ?, NULL, NULL, 1, 1)",
            [
                (str(path), f"t{number}", first + number)
                for path, first in ((old, 6000), (new, 6100))
                for number in range(7)
            ],
        )

        rename(client, (old, new))
        message = next_of(client, ASKED)["params"]["message"]

        assert message.count("would replace") == 5
        assert f"of {new} (tag t4) and 2 more. " in message

    def test_overwriting_removes_what_is_in_the_way(
        self, client: Client, sandbox: Sandbox, barrier: Barrier, conflict: tuple[Path, Path, int, int]
    ) -> None:
        _, new, moving, _ = conflict

        choose(client, next_of(client, ASKED), "Overwrite")

        eventually(lambda: barrier.rows(sandbox) == [(str(new), "", moving)])

    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param({"result": {"title": "Leave"}}, id="Leave"),
            pytest.param({"result": None}, id="no choice"),
            pytest.param({"result": {"title": 5}}, id="a title that is none"),
            pytest.param({"result": "Overwrite"}, id="a result of another form"),
            pytest.param({"error": {"code": -32601, "message": "cannot ask"}}, id="an error"),
        ],
    )
    def test_anything_else_changes_nothing(
        self,
        client: Client,
        sandbox: Sandbox,
        barrier: Barrier,
        conflict: tuple[Path, Path, int, int],
        answer: dict[str, Any],
    ) -> None:
        old, new, moving, standing = conflict

        reply(client, next_of(client, ASKED), **answer)
        # The first one may come before what the answer would have started.
        barrier.wait(client)
        barrier.wait(client)

        assert barrier.rows(sandbox) == [(str(new), "", standing), (str(old), "", moving)]
        assert said(client, SHOWN) == said(client, ASKED) == []

    def test_nothing_waits_for_the_answer(
        self, client: Client, sandbox: Sandbox, barrier: Barrier, conflict: tuple[Path, Path, int, int]
    ) -> None:
        _, new, moving, _ = conflict
        asked = next_of(client, ASKED)

        reserved = client.call("trop.reserve", {"tag": "meanwhile"})["reservation"]["port"]
        rename(client, (sandbox.work, sandbox.work))
        barrier.wait(client)
        choose(client, asked, "Overwrite")

        eventually(
            lambda: barrier.rows(sandbox) == [(str(sandbox.work), "meanwhile", reserved), (str(new), "", moving)]
        )

    def test_what_the_person_was_not_asked_about_is_asked_about(
        self, client: Client, sandbox: Sandbox, barrier: Barrier, conflict: tuple[Path, Path, int, int]
    ) -> None:
        old, new, moving, _ = conflict
        asked = next_of(client, ASKED)
        more = reserve(sandbox, old, "--tag", "web"), reserve(sandbox, new, "--tag", "web")

        choose(client, asked, "Overwrite")
        again = next_of(client, ASKED)
        before = barrier.rows(sandbox)
        choose(client, again, "Overwrite")

        assert f"port {more[1]} of {new} (tag web)" in again["params"]["message"]
        assert len(before) == 4
        eventually(lambda: barrier.rows(sandbox) == [(str(new), "", moving), (str(new), "web", more[0])])

    def test_what_would_move_instead_of_what_was_named_is_asked_about(
        self, client: Client, sandbox: Sandbox, barrier: Barrier, conflict: tuple[Path, Path, int, int]
    ) -> None:
        old, new, _, standing = conflict
        asked = next_of(client, ASKED)
        other = reserve(sandbox, old, "--port", "6999", "--overwrite")

        choose(client, asked, "Overwrite")
        again = next_of(client, ASKED)
        before = barrier.rows(sandbox)
        choose(client, again, "Overwrite")

        assert f"port {other} of {old} would replace port {standing} of {new}" in again["params"]["message"]
        assert len(before) == 2
        eventually(lambda: barrier.rows(sandbox) == [(str(new), "", other)])

    def test_what_gets_in_the_way_while_the_answer_is_carried_out_is_asked_about(self, sandbox: Sandbox) -> None:
        old, new = sandbox.work / "old", sandbox.work / "new"
        for place in (old, new):
            reserve(sandbox, place)
        reserve(sandbox, old, "--tag", "web")
        asked: list[str] = []

        async def answer(question: ShowMessageRequestParams) -> str:
            asked.append(question.message)
            return "Overwrite" if len(asked) == 1 else "Leave"

        async def follow() -> None:
            errands = _ErrandsInAHurry(sandbox, lambda: reserve(sandbox, new, "--tag", "web"))
            window = Window(answer, lambda params: pytest.fail(params.message), lambda folder, what: pytest.fail(what))
            await Renames(errands, window, asyncio.Lock()).follow(old.as_uri(), new.as_uri(), Ticket())

        asyncio.run(follow())

        assert "(tag web)" not in asked[0]
        assert f"of {new} (tag web). " in asked[1]
        assert len(sandbox.rows()) == 4

    def test_an_answer_that_comes_twice_or_to_nothing_is_ignored(
        self, client: Client, sandbox: Sandbox, barrier: Barrier, conflict: tuple[Path, Path, int, int]
    ) -> None:
        old, new, moving, standing = conflict
        asked = next_of(client, ASKED)

        choose(client, asked, "Leave")
        choose(client, asked, "Overwrite")
        reply(client, {"id": "trop-77"}, result={"title": "Overwrite"})
        reply(client, {"id": 1}, error={"code": 1, "message": "no"})
        barrier.wait(client)
        barrier.wait(client)

        assert barrier.rows(sandbox) == [(str(new), "", standing), (str(old), "", moving)]

    @pytest.mark.parametrize("end", ["shutdown and exit", "exit", "the end of the input", "SIGTERM"])
    def test_a_session_that_ends_leaves_everything_as_it_is(
        self, client: Client, sandbox: Sandbox, conflict: tuple[Path, Path, int, int], end: str
    ) -> None:
        old, new, moving, standing = conflict
        asked = next_of(client, ASKED)

        begin = time.monotonic()
        if end == "shutdown and exit":
            assert client.request("shutdown")["result"] is None
            choose(client, asked, "Overwrite")
            client.notify("exit")
        elif end == "exit":
            client.notify("exit")
        elif end == "the end of the input":
            client.close_input()
        else:
            client.process.terminate()
        code = client.wait()
        took = time.monotonic() - begin

        assert code == {"shutdown and exit": 0, "SIGTERM": 143}.get(end, 1)
        assert took < AT_ONCE
        assert [row[:3] for row in sandbox.rows()] == [(str(new), "", standing), (str(old), "", moving)]
        assert said(client, SHOWN) == []
        assert "Traceback" not in client.logged()


class _ErrandsInAHurry:
    """Carries out what a server would, and lets somebody be faster than the first change that is forced."""

    def __init__(self, sandbox: Sandbox, somebody: Callable[[], object]) -> None:
        self._data = str(sandbox.data)
        self._work = str(sandbox.work)
        self._somebody: Callable[[], object] | None = somebody

    async def look(self, ticket: Ticket, function: Callable[[], T], *, place: str) -> T:
        return function()

    async def perform(self, ticket: Ticket, operation: Operation, request: Any, *, folder: str | None = None) -> Any:
        if self._somebody is not None and isinstance(request, MigrateRequest) and request.force and not request.dry_run:
            self._somebody()
            self._somebody = None
        caller = Caller(Door.EDITOR, self._work, (self._work,))
        context = Context(
            caller=caller, data_directory=self._data, environment={}, arguments={}, token=CancellationToken()
        )
        with closing(Store(self._data)) as store:
            return Call(operation, request, context).run(store)


def test_what_fails_is_shown_with_what_to_do(start: Callable[..., Client], sandbox: Sandbox) -> None:
    old, new = sandbox.work / "old", sandbox.work / "new"
    port = reserve(sandbox, old)
    client = start(TROP_BUSY_TIMEOUT="0")
    client.initialize(str(sandbox.work))

    with sandbox.locked():
        rename(client, (old, new))
        shown = next_of(client, SHOWN)["params"]

    assert shown["type"] == 1
    assert shown["message"].startswith(f"What is reserved for {old.as_uri()} has not moved along to {new.as_uri()}: ")
    assert ". " in shown["message"]
    assert [row[:3] for row in sandbox.rows()] == [(str(old), "", port)]


def test_a_shutdown_takes_back_a_move_that_waits(client: Client, sandbox: Sandbox) -> None:
    old, new = sandbox.work / "old", sandbox.work / "new"
    port = reserve(sandbox, old)

    with sandbox.locked():
        rename(client, (old, new))
        client.send(command(1, "trop.reserve", {"tag": "behind"}))
        client.send(request("bye", "shutdown"))
        waited, bye = client.answer(1), client.answer("bye")
        client.notify("exit")
        code = client.wait()

    assert waited["error"]["code"] == -32800
    assert (bye["result"], code) == (None, 0)
    assert [row[:3] for row in sandbox.rows()] == [(str(old), "", port)]
    assert said(client, SHOWN) == []


def test_turned_off_nothing_moves_and_the_server_does_not_want_to_hear_of_it(
    start: Callable[..., Client], sandbox: Sandbox
) -> None:
    decoy = Decoy(sandbox)
    old, new = sandbox.work / "old", sandbox.work / "new"
    ports = reserve(sandbox, old), reserve(sandbox, new)
    client = start()
    options = {"migrateOnRename": False, "notifications": False, "reserveOnOpen": "never"}
    capabilities = client.initialize(str(sandbox.work), initializationOptions=options)["capabilities"]

    rename(client, (old, new))
    decoy.wait(client)

    assert "didRename" not in capabilities["workspace"].get("fileOperations", {})
    assert decoy.rows(sandbox) == [(str(new), "", ports[1]), (str(old), "", ports[0])]
    assert said(client, ASKED) == []


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"migrateOnRename": "no"}, id="migrateOnRename is a text"),
        pytest.param({"migrateOnRename": 0}, id="migrateOnRename is a number"),
        pytest.param({"notifications": "yes"}, id="notifications is a text"),
        pytest.param({"reserveOnOpen": "sometimes"}, id="reserveOnOpen is an unknown word"),
        pytest.param({"reserveOnOpen": True}, id="reserveOnOpen is a boolean"),
        pytest.param({"reserveOnOpen": ["git"]}, id="reserveOnOpen is a list"),
        pytest.param({"openedBefore": "file:///w"}, id="openedBefore is a text"),
        pytest.param({"openedBefore": [7]}, id="openedBefore is a list of numbers"),
    ],
)
def test_an_option_of_a_wrong_type_is_refused_by_name(start: Callable[..., Client], options: dict[str, Any]) -> None:
    client = start()
    (name,) = options
    expected = {"reserveOnOpen": "one of never, git, always", "openedBefore": "a list of URIs"}

    with pytest.raises(ServerError) as refused:
        client.initialize(initializationOptions=options)
    client.initialize(initializationOptions={name: None, "unknown": 1})

    assert refused.value.code == -32602
    assert refused.value.message.startswith(f"{name}: expected ")
    assert refused.value.data["details"] == {
        "field": name,
        "expected": expected.get(name, "true or false"),
        "given": options[name],
    }
    assert json.dumps(refused.value.data["hint"])
