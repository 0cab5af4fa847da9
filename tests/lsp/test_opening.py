"""A folder that opens is found again where it was moved to, and gets its port."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from support.repositories import add_worktree, make_repository
from support.window import ASKED, LOGGED, SHOWN, Decoy, choose, ending, eventually, next_of, open_folder, reply, said

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.client import Client
    from support.sandbox import Sandbox


@pytest.fixture(autouse=True)
def nothing_is_certain(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is known by its identity needs no question: here it is not."""
    monkeypatch.setenv("TROP_FOLLOW_MOVES", "no")


@pytest.fixture
def start(start: Callable[..., Client]) -> Iterator[Callable[..., Client]]:
    yield from ending(start)


@pytest.fixture
def decoy(sandbox: Sandbox) -> Decoy:
    return Decoy(sandbox)


@pytest.fixture
def moved_clone(sandbox: Sandbox) -> tuple[Path, Path, int]:
    """Where a plain clone was, where it is now, and the port that is reserved for where it was."""
    old, new = sandbox.work / "old" / "shop", sandbox.work / "new" / "shop"
    make_repository(old)
    port = sandbox.reserve(cwd=old)
    new.parent.mkdir()
    old.rename(new)
    return old, new, port


@pytest.fixture
def moved_worktree(sandbox: Sandbox) -> tuple[Path, Path, int]:
    """The same for a linked worktree that has another name now, and was moved without git."""
    repository = make_repository(sandbox.work / "shop")
    old, new = sandbox.work / "login", sandbox.work / "signup"
    add_worktree(repository, old, "login")
    port = sandbox.reserve(cwd=old)
    old.rename(new)
    return old, new, port


class TestAFolderThatWasMoved:
    """It has no reservation where it is, and one place in the store tells where it was."""

    def test_the_question_names_both_places_and_the_ports(
        self, start: Callable[..., Client], sandbox: Sandbox, moved_clone: tuple[Path, Path, int]
    ) -> None:
        old, new, port = moved_clone
        below = sandbox.reserve("--path", str(old / "api"), "--allow-unrelated-path", cwd=sandbox.work)
        client = start()

        client.initialize(str(new))
        asked = next_of(client, ASKED)["params"]

        assert asked == {
            "type": 3,
            "message": f"{new} seems to have been {old} before. "
            f"Take along what is reserved there (ports {port}, {below})?",
            "actions": [{"title": "Take Along"}, {"title": "Leave"}],
        }

    @pytest.mark.parametrize("kind", ["moved_clone", "moved_worktree"])
    def test_it_takes_along_what_was_reserved(
        self, start: Callable[..., Client], sandbox: Sandbox, kind: str, request: pytest.FixtureRequest
    ) -> None:
        old, new, port = request.getfixturevalue(kind)
        below = sandbox.reserve("--path", str(old / "api"), "--tag", "web")
        client = start()
        client.initialize(str(new))

        choose(client, next_of(client, ASKED), "Take Along")

        eventually(
            lambda: [row[:3] for row in sandbox.rows()] == [(str(new), "", port), (str(new / "api"), "web", below)]
        )

    def test_a_folder_inside_of_a_moved_worktree_is_found_too(
        self, start: Callable[..., Client], sandbox: Sandbox
    ) -> None:
        repository = make_repository(sandbox.work / "shop")
        old, new = sandbox.work / "login", sandbox.work / "signup"
        add_worktree(repository, old, "login")
        (old / "packages" / "api").mkdir(parents=True)
        port = sandbox.reserve(cwd=old / "packages" / "api")
        old.rename(new)
        client = start()

        client.initialize(str(new / "packages" / "api"))
        choose(client, next_of(client, ASKED), "Take Along")

        eventually(lambda: [row[:3] for row in sandbox.rows()] == [(str(new / "packages" / "api"), "", port)])

    def test_a_folder_that_is_added_later_is_asked_about(
        self, client: Client, sandbox: Sandbox, moved_clone: tuple[Path, Path, int]
    ) -> None:
        _, new, port = moved_clone

        open_folder(client, new)
        choose(client, next_of(client, ASKED), "Take Along")

        eventually(lambda: [row[:3] for row in sandbox.rows()] == [(str(new), "", port)])

    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param({"result": {"title": "Leave"}}, id="Leave"),
            pytest.param({"result": None}, id="no choice"),
            pytest.param({"error": {"code": -32601, "message": "cannot ask"}}, id="an error"),
        ],
    )
    def test_anything_else_leaves_it_where_it_was_and_the_folder_gets_a_port_of_its_own(
        self,
        start: Callable[..., Client],
        sandbox: Sandbox,
        moved_clone: tuple[Path, Path, int],
        answer: dict[str, object],
    ) -> None:
        old, new, port = moved_clone
        client = start()
        client.initialize(str(new), initializationOptions={"reserveOnOpen": "git"})
        asked = next_of(client, ASKED)
        before = [row[0] for row in sandbox.rows()]

        reply(client, asked, **answer)

        assert before == [str(old)]
        eventually(lambda: [row[0] for row in sandbox.rows()] == [str(new), str(old)])
        assert sandbox.rows()[1][2] == port

    def test_what_it_took_along_is_enough(
        self, start: Callable[..., Client], sandbox: Sandbox, moved_clone: tuple[Path, Path, int], decoy: Decoy
    ) -> None:
        _, new, port = moved_clone
        client = start()
        client.initialize(str(new), initializationOptions={"reserveOnOpen": "always"})

        choose(client, next_of(client, ASKED), "Take Along")

        eventually(lambda: decoy.rows(sandbox) == [(str(new), "", port)])
        decoy.wait(client)
        assert decoy.rows(sandbox) == [(str(new), "", port)]

    def test_nothing_waits_for_the_answer_and_nothing_is_forced(
        self, start: Callable[..., Client], sandbox: Sandbox, moved_clone: tuple[Path, Path, int]
    ) -> None:
        old, new, port = moved_clone
        client = start()
        client.initialize(str(new))
        asked = next_of(client, ASKED)

        meanwhile = client.call("trop.reserve")["reservation"]["port"]
        choose(client, asked, "Take Along")
        shown = next_of(client, SHOWN)["params"]

        assert shown["type"] == 1
        assert shown["message"].startswith(f"What is reserved for {old} was not taken along to {new}: ")
        assert str(new) in shown["message"].partition(": ")[2]
        assert [row[:3] for row in sandbox.rows()] == [(str(new), "", meanwhile), (str(old), "", port)]

    def test_a_session_that_ends_leaves_everything_as_it_is(
        self, start: Callable[..., Client], sandbox: Sandbox, moved_clone: tuple[Path, Path, int]
    ) -> None:
        old, new, port = moved_clone
        client = start()
        client.initialize(str(new), initializationOptions={"reserveOnOpen": "always"})
        next_of(client, ASKED)

        client.request("shutdown")
        client.notify("exit")

        assert client.wait() == 0
        assert [row[:3] for row in sandbox.rows()] == [(str(old), "", port)]
        assert "Traceback" not in client.logged()


class TestADoubt:
    """Nothing is asked, and nothing is done."""

    @pytest.fixture
    def opened(self, start: Callable[..., Client], sandbox: Sandbox, decoy: Decoy) -> Callable[[Path], list[object]]:
        """Opens a folder and says what was asked and stored because of it."""

        def open_it(folder: Path) -> list[object]:
            before = sandbox.rows()
            client = start()
            client.initialize(str(folder))
            decoy.wait(client)
            changes: list[object] = [row for row in sandbox.rows() if row not in before]
            return [*changes, *said(client, ASKED), *said(client, SHOWN), *said(client, LOGGED)]

        return open_it

    def test_two_places_may_be_meant(self, opened: Callable[[Path], list[object]], sandbox: Sandbox) -> None:
        places = [sandbox.work / name / "shop" for name in ("one", "other")]
        for place in places:
            make_repository(place)
            sandbox.reserve(cwd=place)
        new = sandbox.directory("new") / "shop"
        places[0].rename(new)
        places[1].rename(sandbox.work / "away")

        assert opened(new) == []

    def test_the_name_and_git_say_different_places(
        self, opened: Callable[[Path], list[object]], sandbox: Sandbox, moved_worktree: tuple[Path, Path, int]
    ) -> None:
        _, new, _ = moved_worktree
        sandbox.reserve("--path", str(sandbox.work / "gone" / new.name), "--project", "shop")

        assert opened(new) == []

    def test_another_project_has_the_same_name(
        self, opened: Callable[[Path], list[object]], sandbox: Sandbox, moved_clone: tuple[Path, Path, int]
    ) -> None:
        _, new, _ = moved_clone
        sandbox.execute("UPDATE reservations SET project = 'another' WHERE project = 'shop'")

        assert opened(new) == []

    def test_the_other_place_still_exists(
        self, opened: Callable[[Path], list[object]], moved_clone: tuple[Path, Path, int]
    ) -> None:
        old, new, _ = moved_clone
        old.mkdir()

        assert opened(new) == []

    def test_the_system_does_not_tell_whether_the_other_place_exists(
        self, opened: Callable[[Path], list[object]], moved_clone: tuple[Path, Path, int]
    ) -> None:
        old, new, _ = moved_clone
        old.parent.rmdir()
        old.parent.symlink_to(old.parent)

        assert opened(new) == []

    def test_one_place_is_gone_and_of_another_one_nobody_knows(
        self, opened: Callable[[Path], list[object]], sandbox: Sandbox, moved_clone: tuple[Path, Path, int]
    ) -> None:
        _, new, _ = moved_clone
        loop = sandbox.work / "loop"
        loop.symlink_to(loop)
        sandbox.reserve("--path", str(loop / "shop"), "--project", "shop")

        assert opened(new) == []

    def test_the_folder_has_a_tag_reserved(
        self, opened: Callable[[Path], list[object]], sandbox: Sandbox, moved_clone: tuple[Path, Path, int]
    ) -> None:
        _, new, _ = moved_clone
        sandbox.reserve("--tag", "web", cwd=new)

        assert opened(new) == []

    def test_the_folder_is_no_repository(self, opened: Callable[[Path], list[object]], sandbox: Sandbox) -> None:
        old, new = sandbox.directory("old/shop"), sandbox.directory("new") / "shop"
        sandbox.reserve(cwd=old)
        old.rename(new)

        assert opened(new) == []

    def test_the_name_ends_alike(
        self, opened: Callable[[Path], list[object]], sandbox: Sandbox, moved_clone: tuple[Path, Path, int]
    ) -> None:
        old, new, _ = moved_clone
        sandbox.execute("UPDATE reservations SET path = ? WHERE path = ?", [(f"{old.parent}/workshop", str(old))])

        assert opened(new) == []

    def test_the_folder_does_not_exist(self, opened: Callable[[Path], list[object]], sandbox: Sandbox) -> None:
        repository = make_repository(sandbox.work / "shop")
        sandbox.reserve("--path", str(sandbox.work / "gone" / "api"), "--project", "shop")

        assert opened(repository / "api") == []


class TestReserveOnOpen:
    """The option ``reserveOnOpen``."""

    @pytest.mark.parametrize(
        ("option", "reserved"),
        [
            pytest.param("always", ["plain", "repository", "repository/below"], id="always"),
            pytest.param("git", ["repository", "repository/below"], id="git"),
            pytest.param("never", [], id="never"),
            pytest.param(None, [], id="null"),
        ],
    )
    def test_folders_get_their_ports(
        self,
        start: Callable[..., Client],
        sandbox: Sandbox,
        decoy: Decoy,
        option: str | None,
        reserved: list[str],
    ) -> None:
        repository = make_repository(sandbox.work / "repository")
        below, plain = repository / "below", sandbox.directory("plain")
        below.mkdir()
        client = start()

        client.initialize(str(repository), str(plain), initializationOptions={"reserveOnOpen": option})
        open_folder(client, below)
        decoy.wait(client)

        expected = [(str(sandbox.work / name), "") for name in reserved]
        eventually(lambda: [row[:2] for row in decoy.rows(sandbox)] == expected)
        # That the repository around it has a port already is said of the one below, if it has one by then.
        assert [entry for entry in said(client, LOGGED) if not entry["message"].startswith(f"{below}: ")] == []
        assert said(client, SHOWN) == []

    def test_what_was_released_stays_so_when_the_server_starts_again(
        self, start: Callable[..., Client], sandbox: Sandbox, decoy: Decoy
    ) -> None:
        before, new, later = (sandbox.directory(f"a place {number}") for number in range(3))
        client = start()
        options = {"reserveOnOpen": "always", "openedBefore": [before.as_uri(), "untitled:x"]}

        client.initialize(str(before), str(new), initializationOptions=options)
        open_folder(client, later)
        decoy.wait(client)

        eventually(lambda: [row[0] for row in decoy.rows(sandbox)] == [str(new), str(later)])
        client.change_folders(removed=[before])
        open_folder(client, before)
        eventually(lambda: [row[0] for row in decoy.rows(sandbox)] == [str(before), str(new), str(later)])

    def test_it_is_what_a_command_would_reserve(self, start: Callable[..., Client], sandbox: Sandbox) -> None:
        repository = make_repository(sandbox.work / "shop")
        worktree = add_worktree(repository, sandbox.work / "login", "login")
        (worktree / "trop.yaml").write_text("ports: {min: 6100, max: 6200}\n")
        sandbox.make_store()
        client = start()

        client.initialize(str(worktree), initializationOptions={"reserveOnOpen": "git"})

        eventually(lambda: sandbox.rows() == [(str(worktree), "", 6100, "shop", "login")])
        assert client.call("trop.reserve")["outcome"] == "reused"

    @pytest.mark.parametrize("option", ["never", "git", "always"])
    def test_a_port_that_a_folder_has_is_noted_as_used(
        self, start: Callable[..., Client], sandbox: Sandbox, decoy: Decoy, option: str
    ) -> None:
        plain = sandbox.directory("plain")
        for tag in ([], ["--tag", "web"]):
            sandbox.reserve(*tag, cwd=plain)
        sandbox.execute("UPDATE reservations SET last_used_at = 7")
        client = start()

        client.initialize(str(plain), initializationOptions={"reserveOnOpen": option})
        decoy.wait(client)

        def used(tag: str) -> bool:
            with closing(sqlite3.connect(sandbox.database)) as connection:
                sql = "SELECT last_used_at FROM reservations WHERE path = ? AND tag = ?"
                (at,) = connection.execute(sql, (str(plain), tag)).fetchone()
            return bool(at != 7)

        eventually(lambda: used("") == (option != "never"))
        assert not used("web")

    def test_a_folder_with_nothing_but_a_tag_gets_nothing_else(
        self, start: Callable[..., Client], sandbox: Sandbox, decoy: Decoy
    ) -> None:
        plain = sandbox.directory("plain")
        port = sandbox.reserve("--tag", "web", cwd=plain)
        client = start()

        client.initialize(str(plain), initializationOptions={"reserveOnOpen": "always"})
        decoy.wait(client)

        assert decoy.rows(sandbox) == [(str(plain), "web", port)]

    def test_what_is_reserved_for_a_link_counts(
        self, start: Callable[..., Client], sandbox: Sandbox, decoy: Decoy
    ) -> None:
        plain, link = sandbox.directory("plain"), sandbox.root / "link"
        link.symlink_to(plain)
        port = sandbox.reserve("--path", str(link), "--allow-unrelated-path")
        client = start()

        client.initialize(str(link), initializationOptions={"reserveOnOpen": "always"})
        decoy.wait(client)

        assert decoy.rows(sandbox) == [(str(link), "", port)]

    def test_what_fails_is_logged_and_never_shown(self, start: Callable[..., Client], sandbox: Sandbox) -> None:
        plain = sandbox.directory("plain")
        (plain / "trop.yaml").write_text("ports: 5\n")
        client = start()

        client.initialize(str(plain), initializationOptions={"reserveOnOpen": "always"})
        logged = next_of(client, LOGGED)["params"]
        client.call("trop.showPath")

        assert logged["type"] == 2
        assert logged["message"].startswith(f"opening {plain} did nothing for its reservations: ")
        assert "trop.yaml" in logged["message"]
        assert sandbox.rows() == []
        assert said(client, SHOWN) == said(client, ASKED) == []

    def test_what_there_is_to_warn_of_is_logged_and_never_shown(
        self, start: Callable[..., Client], sandbox: Sandbox
    ) -> None:
        taken = sandbox.reserve(cwd=sandbox.directory("other"))
        plain = sandbox.directory("plain")
        (plain / "trop.yaml").write_text(f"reservations: {{services: {{web: {{preferred: {taken}}}}}}}\n")
        client = start()

        client.initialize(str(plain), initializationOptions={"reserveOnOpen": "always"})
        logged = next_of(client, LOGGED)["params"]
        client.call("trop.showPath")

        assert logged["type"] == 2
        assert logged["message"].startswith(f"{plain}: ")
        assert f"port {taken}" in logged["message"]
        eventually(lambda: client.logged() == f"WARNING trop_server.lsp.opening: {logged['message']}\n")
        assert said(client, SHOWN) == []

    def test_a_damaged_store_is_logged_and_costs_nothing_else(
        self, start: Callable[..., Client], sandbox: Sandbox
    ) -> None:
        sandbox.data.mkdir()
        sandbox.database.write_bytes(b"noise" * 4096)
        client = start()

        client.initialize(str(sandbox.work), initializationOptions={"reserveOnOpen": "always"})
        logged = next_of(client, LOGGED)["params"]["message"]

        assert "did nothing for its reservations" in logged
        assert client.call("trop.showPath")["path"] == str(sandbox.work)
        assert sandbox.database.read_bytes() == b"noise" * 4096

    def test_a_folder_that_is_not_on_this_disk_is_left_alone(
        self, start: Callable[..., Client], sandbox: Sandbox, decoy: Decoy
    ) -> None:
        client = start()

        client.initialize("vscode-remote://host/w/a", initializationOptions={"reserveOnOpen": "always"})
        decoy.wait(client)

        assert decoy.rows(sandbox) == []
        assert said(client, SHOWN) == []


def test_that_a_folder_is_on_another_machine_is_in_the_clients_log_once_and_no_warning(
    start: Callable[..., Client],
) -> None:
    client = start()

    client.initialize("file://host/w/a")
    logged = next_of(client, LOGGED)["params"]
    client.call("trop.list")
    client.call("trop.list")

    assert logged == {
        "type": 3,
        "message": "the folder file://host/w/a is not on this machine's disk: "
        '"file://host/w/a" cannot be used as a path: it names the machine host',
    }
    assert said(client, LOGGED) == []
    assert client.logged() == ""


@pytest.mark.parametrize("option", ["never", "git"])
def test_opening_a_folder_that_needs_nothing_creates_no_store(
    start: Callable[..., Client], sandbox: Sandbox, option: str
) -> None:
    client = start()
    client.initialize(str(sandbox.work), initializationOptions={"reserveOnOpen": option})

    client.call("trop.list")
    client.request("shutdown")
    client.notify("exit")

    assert client.wait() == 0
    assert not sandbox.data.exists()


def test_what_a_folder_gets_when_it_opens_it_has_though_the_server_is_restarted_at_once(
    start: Callable[..., Client], sandbox: Sandbox
) -> None:
    make_repository(sandbox.work / "shop")
    client = start()

    client.initialize(str(sandbox.work / "shop"), initializationOptions={"reserveOnOpen": "git"})
    client.request("shutdown")
    client.notify("exit")

    assert client.wait() == 0
    assert [row[0] for row in sandbox.rows()] == [str(sandbox.work / "shop")]


@pytest.mark.parametrize("is_asked", [True, False], ids=["while it is asked about", "before it is"])
def test_a_folder_that_is_asked_about_keeps_what_it_had_once_the_session_ends(
    start: Callable[..., Client], sandbox: Sandbox, moved_clone: tuple[Path, Path, int], is_asked: bool
) -> None:
    old, new, port = moved_clone
    client = start()

    client.initialize(str(new), initializationOptions={"reserveOnOpen": "git"})
    if is_asked:
        next_of(client, ASKED)
    client.request("shutdown")
    client.notify("exit")

    assert client.wait() == 0
    assert [row[:3] for row in sandbox.rows()] == [(str(old), "", port)]


class TestAFolderThatIsKnownByItsIdentity:
    def test_it_takes_its_port_along_where_it_is_reserved_for(
        self, start: Callable[..., Client], sandbox: Sandbox, moved_clone: tuple[Path, Path, int]
    ) -> None:
        _, new, port = moved_clone
        client = start(TROP_FOLLOW_MOVES=None)

        client.initialize(str(new), initializationOptions={"reserveOnOpen": "git"})

        eventually(lambda: [row[:3] for row in sandbox.rows()] == [(str(new), "", port)])

    def test_a_folder_with_services_gets_its_group(self, start: Callable[..., Client], sandbox: Sandbox) -> None:
        (sandbox.work / "trop.yaml").write_text("reservations: {services: {web: {}, api: {}}}\n")
        client = start()

        client.initialize(str(sandbox.work), initializationOptions={"reserveOnOpen": "always"})

        eventually(lambda: sorted(row["tag"] for row in client.call("trop.list")["reservations"]) == ["api", "web"])
