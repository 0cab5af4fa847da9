"""``trop reserve``: one port on stdout, and always the same one."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.repositories import add_worktree, make_repository
from support.sandbox import TROP, Sandbox, as_json, error_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.client import Client


def test_it_prints_the_port_and_nothing_else(sandbox: Sandbox) -> None:
    done = sandbox.trop("reserve")

    assert (done.returncode, done.stdout, done.stderr) == (0, "5000\n", "")


def test_the_same_directory_gets_the_same_port_again(sandbox: Sandbox) -> None:
    first = sandbox.reserve()
    other = sandbox.reserve(cwd=sandbox.directory("other"))
    again = sandbox.reserve()

    assert again == first != other


def test_two_worktrees_have_two_ports_and_say_whose_they_are(sandbox: Sandbox) -> None:
    repository = make_repository(sandbox.work / "shop")
    worktree = add_worktree(repository, sandbox.work / "shop-login", "login-form")

    ports = [sandbox.reserve(cwd=path) for path in (repository, worktree, repository, worktree)]

    assert ports[:2] == ports[2:]
    assert ports[0] != ports[1]
    assert sandbox.rows() == [
        (str(repository), "", ports[0], "shop", "main"),
        (str(worktree), "", ports[1], "shop", "shop-login"),
    ]


def test_inherited_git_variables_do_not_lead_it_astray(sandbox: Sandbox) -> None:
    shop, other = make_repository(sandbox.work / "shop"), make_repository(sandbox.work / "other")

    sandbox.reserve(cwd=shop, GIT_DIR=str(other / ".git"), GIT_WORK_TREE=str(other))

    assert sandbox.rows()[0][3] == "shop"


def test_server_and_command_line_agree(client: Client, sandbox: Sandbox) -> None:
    printed = sandbox.reserve()
    answered = client.call("trop.reserve")
    tagged = client.call("trop.reserve", {"tag": "web"})
    printed_tagged = sandbox.reserve("--tag", "web")

    assert (answered["outcome"], answered["reservation"]["port"]) == ("reused", printed)
    assert printed_tagged == tagged["reservation"]["port"]


def test_tags_have_ports_of_their_own(sandbox: Sandbox) -> None:
    ports = [sandbox.reserve(*arguments) for arguments in ([], ["--tag", "web"], ["--tag=api"], ["--tag", " web "])]

    assert len(set(ports[:3])) == 3
    assert ports[3] == ports[1]


@pytest.mark.parametrize(
    ("arguments", "port"),
    [
        (["--port", "6500"], 6500),
        (["--port", "9000"], 9000),
        (["--min", "6100"], 6100),
        (["--min", "6100", "--max", "6100"], 6100),
        (["--max", "5000"], 5000),
        (["--port=6500", "--min=6000"], 6500),
        (["--port", "65535"], 65535),
    ],
    ids=str,
)
def test_a_port_is_preferred_or_the_lowest_of_a_range(sandbox: Sandbox, arguments: list[str], port: int) -> None:
    assert sandbox.reserve(*arguments) == port


def test_another_preferred_port_changes_nothing_without_overwrite(sandbox: Sandbox) -> None:
    first = sandbox.reserve()
    kept = sandbox.trop("reserve", "--port", "6500")
    moved = sandbox.reserve("--port", "6500", "--overwrite")

    assert kept.stdout == f"{first}\n"
    assert kept.stderr.startswith("warning: ")
    assert moved == 6500
    assert sandbox.reserve() == 6500


def test_a_dry_run_prints_the_port_and_creates_nothing(sandbox: Sandbox) -> None:
    done = sandbox.trop("reserve", "--dry-run")

    assert (done.returncode, done.stdout) == (0, "5000\n")
    assert done.stderr == "Dry run - no changes made.\n"
    assert not sandbox.data.exists()


def test_a_port_that_is_taken_falls_back_with_a_warning(sandbox: Sandbox) -> None:
    sandbox.reserve("--port", "6500")

    done = sandbox.trop("reserve", "--tag", "web", "--port", "6500")

    assert done.stdout == "5000\n"
    assert done.stderr == f"warning: the preferred port 6500 is reserved for {sandbox.work}\n"


def test_a_port_that_something_listens_on_is_passed_over(sandbox: Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        passed_over = sandbox.trop("reserve", "--port", str(port), TROP_SKIP_OCCUPANCY_CHECK=None)
        taken = sandbox.trop(
            "reserve", "--tag", "b", "--port", str(port), "--ignore-occupied", TROP_SKIP_OCCUPANCY_CHECK=None
        )

    assert passed_over.stdout != f"{port}\n"
    assert passed_over.stderr == f"warning: the preferred port {port} is occupied\n"
    assert taken.stdout == f"{port}\n"


def test_sticky_fields_need_a_permission_to_change(sandbox: Sandbox) -> None:
    sandbox.reserve("--project", "shop", "--task", "login")

    refused = sandbox.trop("reserve", "--project", "mall")
    from_environment = sandbox.trop("reserve", TROP_TASK="other")
    sandbox.reserve("--project", "mall", "--allow-change-project")
    sandbox.reserve("--clear-task", "--allow-task-change")

    message, hint = error_lines(refused)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert message == f'the reservation of "{sandbox.work}" has the project "shop", which would become "mall"'
    assert hint == "Leave --project away to keep it, or add --allow-change-project to change it."
    assert from_environment.returncode == 1
    assert sandbox.rows() == [(str(sandbox.work), "", 5000, "mall", None)]


@pytest.mark.parametrize(
    ("arguments", "variable", "said"),
    [
        pytest.param(["--clear-project"], None, "--clear-project", id="cleared"),
        pytest.param([], "other", "TROP_PROJECT", id="by the environment"),
    ],
)
def test_what_would_change_a_sticky_field_is_named(
    sandbox: Sandbox, arguments: list[str], variable: str | None, said: str
) -> None:
    sandbox.reserve("--project", "shop")

    done = sandbox.trop("reserve", *arguments, TROP_PROJECT=variable)

    _, hint = error_lines(done)
    assert done.returncode == 1
    assert hint == f"Leave {said} away to keep it, or add --allow-change-project to change it."


class TestRelations:
    """A reservation for what has nothing to do with the working directory takes a permission."""

    @pytest.mark.parametrize(
        ("path", "allowed"),
        [
            pytest.param(".", True, id="itself"),
            pytest.param("..", True, id="the parent"),
            pytest.param("/", True, id="the root"),
            pytest.param("sub/deeper", True, id="a child"),
            pytest.param("../a/sub", True, id="a child by a detour"),
            pytest.param("../ab", False, id="a name that begins the same"),
            pytest.param("../b", False, id="a sibling"),
            pytest.param("../b/a", False, id="a child of a sibling"),
        ],
    )
    def test_the_guard_goes_by_component(self, sandbox: Sandbox, path: str, allowed: bool) -> None:
        here = sandbox.directory("a")

        done = sandbox.trop("reserve", "--path", path, cwd=here)

        if allowed:
            assert (done.returncode, done.stdout) == (0, "5000\n")
            return
        message, hint = error_lines(done)
        assert (done.returncode, done.stdout) == (1, "")
        assert str(here) in message
        assert hint == "If this path is what you mean, add --allow-unrelated-path."
        assert sandbox.rows() == []

    @pytest.mark.parametrize("permission", ["--allow-unrelated-path", "--force"])
    def test_a_permission_lifts_it(self, sandbox: Sandbox, permission: str) -> None:
        assert sandbox.reserve("--path", "/elsewhere", permission) == 5000

    def test_the_environment_lifts_it(self, sandbox: Sandbox) -> None:
        assert sandbox.reserve("--path", "/elsewhere", TROP_ALLOW_UNRELATED_PATH="yes") == 5000

    def test_links_count_as_what_they_lead_to(self, sandbox: Sandbox) -> None:
        project, link = sandbox.directory("project"), sandbox.root / "link"
        link.symlink_to(project)

        below = sandbox.trop("reserve", "--path", str(link / "sub"), cwd=project)
        outside = sandbox.trop("reserve", "--path", str(link), cwd=sandbox.directory("other"))

        assert below.returncode == 0
        assert outside.returncode == 1


class TestPaths:
    """An explicit path is kept as it is spelled, an inferred one is the canonical one."""

    def test_the_working_directory_is_canonicalised(self, sandbox: Sandbox) -> None:
        project, link = sandbox.directory("project"), sandbox.root / "link"
        link.symlink_to(project)

        through_link = sandbox.reserve(cwd=link, PWD=str(link))

        assert sandbox.rows()[0][0] == str(project)
        assert sandbox.reserve(cwd=project) == through_link

    def test_an_explicit_path_keeps_its_links_and_is_told_of_what_is_behind(self, sandbox: Sandbox) -> None:
        project, link = sandbox.directory("project"), sandbox.work / "link"
        link.symlink_to(project)
        sandbox.reserve(cwd=project)

        done = sandbox.trop("reserve", "--path", str(link))

        assert done.stdout == "5001\n"
        assert done.stderr == f"warning: {link} leads to {project}, which has reservations of its own\n"
        assert [row[0] for row in sandbox.rows()] == [str(link), str(project)]

    @pytest.mark.parametrize("spelling", ["sub/.", "./sub//", "other/../sub", "{work}/sub/", "//{work}/sub"])
    def test_spellings_of_one_path_are_one_key(self, sandbox: Sandbox, spelling: str) -> None:
        sandbox.reserve("--path", "sub")

        sandbox.reserve("--path", spelling.format(work=sandbox.work))

        assert [row[0] for row in sandbox.rows()] == [str(sandbox.work / "sub")]

    def test_a_tilde_is_the_home_directory(self, sandbox: Sandbox) -> None:
        done = sandbox.trop("show-path", "--path", "~/x")

        assert done.stdout == f"{sandbox.home}/x\n"

    def test_the_variable_for_the_path_is_explicit(self, sandbox: Sandbox) -> None:
        link = sandbox.work / "link"
        link.symlink_to(sandbox.directory("project"))

        shown = sandbox.trop("show-path", TROP_PATH="link").stdout
        canonical = sandbox.trop("show-path", "--canonicalize", TROP_PATH="link").stdout

        assert shown == f"{link}\n"
        assert canonical == f"{sandbox.work / 'project'}\n"

    @pytest.mark.parametrize("name", ["with space", "größe", "line\nfeed", "a%b", "-dash", "'\"\\"])
    def test_odd_names_are_stored_as_they_are(self, sandbox: Sandbox, name: str) -> None:
        directory = sandbox.directory(name)

        sandbox.reserve(cwd=directory)
        sandbox.reserve(f"--path={directory}")

        assert [row[0] for row in sandbox.rows()] == [str(directory)]

    def test_a_uri_is_no_path_on_the_command_line(self, sandbox: Sandbox) -> None:
        done = sandbox.trop("show-path", "--path", "file:///w/a")

        assert done.stdout == f"{sandbox.work}/file:/w/a\n"


class TestMissingStores:
    """``--disable-autoinit`` creates nothing by the way."""

    @pytest.mark.parametrize(
        "command", [["reserve"], ["reserve", "--dry-run"], ["list"], ["call", "trop.list"]], ids=" ".join
    )
    @pytest.mark.parametrize("how", ["before", "after", "variable"])
    def test_a_missing_store_is_an_error_of_its_own(self, sandbox: Sandbox, command: list[str], how: str) -> None:
        arguments = {"before": ["--disable-autoinit", *command], "after": [*command, "--disable-autoinit"]}

        done = sandbox.trop(*arguments.get(how, command), TROP_DISABLE_AUTOINIT="on" if how == "variable" else None)

        message, _ = error_lines(done)
        assert done.returncode == 3
        assert str(sandbox.database) in message
        assert not sandbox.data.exists()

    def test_an_existing_store_is_used(self, sandbox: Sandbox) -> None:
        first = sandbox.reserve()

        assert sandbox.reserve("--disable-autoinit") == first

    def test_what_is_created_is_private(self, sandbox: Sandbox) -> None:
        sandbox.reserve()

        assert sandbox.data.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in sandbox.data.iterdir()} == {0o600}


class TestDataDirectory:
    """Which directory holds the store."""

    @pytest.mark.parametrize("position", ["before", "after"])
    def test_the_option_comes_first(self, sandbox: Sandbox, position: str) -> None:
        option = ["--data-dir", "here"]

        done = sandbox.trop(
            *(option if position == "before" else []), "show-data-dir", *(option if position == "after" else [])
        )

        assert done.stdout == f"{sandbox.work / 'here'}\n"

    def test_the_variable_comes_next(self, sandbox: Sandbox) -> None:
        assert sandbox.trop("show-data-dir").stdout == f"{sandbox.data}\n"

    def test_then_a_store_of_the_rust_tool(self, sandbox: Sandbox) -> None:
        (sandbox.home / ".trop").mkdir()
        without = sandbox.trop("show-data-dir", TROP_DATA_DIR=None).stdout
        (sandbox.home / ".trop" / "trop.db").touch()

        assert sandbox.trop("show-data-dir", TROP_DATA_DIR=None).stdout == f"{sandbox.home / '.trop'}\n"
        assert without == f"{sandbox.home / '.local/share/trop'}\n"

    def test_looking_creates_nothing(self, sandbox: Sandbox) -> None:
        sandbox.trop("show-data-dir")
        sandbox.trop("show-path")
        listed = sandbox.trop("list")

        assert listed.returncode == 0
        assert not sandbox.data.exists()


def test_what_is_printed_is_what_json_says(sandbox: Sandbox) -> None:
    port = sandbox.reserve("--tag", "web")

    answer = as_json(sandbox.trop("call", "trop.reserve", '{"tag": "web"}'))

    assert (answer["outcome"], answer["reservation"]["port"]) == ("reused", port)
    assert Path(answer["reservation"]["path"]) == sandbox.work


def test_a_server_that_waits_for_nothing_is_no_obstacle(start: Callable[..., Client], sandbox: Sandbox) -> None:
    clients = [start() for _ in range(2)]
    for client in clients:
        client.initialize(str(sandbox.work))
        client.call("trop.reserve")
        client.call("trop.list")

    assert sandbox.reserve("--busy-timeout", "0") == 5000


def test_a_tilde_that_is_nobodys_home_begins_a_name(sandbox: Sandbox) -> None:
    sandbox.directory("~nobody-of-this-name")

    done = sandbox.trop("reserve", "--path", "~nobody-of-this-name")

    assert (done.returncode, done.stderr) == (0, "")
    assert [path for path, *_ in sandbox.rows()] == [str(sandbox.work / "~nobody-of-this-name")]


def test_a_store_that_cannot_be_written_from_the_start_is_the_systems_failure(sandbox: Sandbox) -> None:
    done = sandbox.run("sh", "-c", 'ulimit -f 0; exec "$0" reserve', TROP, PYTHONDONTWRITEBYTECODE="1")

    assert (done.returncode, done.stdout) == (5, "")
    assert "Traceback" not in done.stderr


def test_the_sixty_first_port_of_a_directory_is_one_that_a_browser_opens(sandbox: Sandbox) -> None:
    sandbox.make_store()
    sandbox.execute(
        "INSERT INTO reservations VALUES (?, ?, ?, NULL, NULL, 1700000000, 1700000000)",
        [(str(sandbox.work), f"tag-{number}", 5000 + number) for number in range(60)],
    )

    assert sandbox.reserve("--tag", "the-next") == 5062


def test_a_service_gets_a_port_that_a_browser_opens(sandbox: Sandbox) -> None:
    services = ", ".join(f"s{number}: " for number in range(60))
    (sandbox.work / "trop.yaml").write_text(f"reservations: {{base: 5001, services: {{{services}}}}}\n")

    done = sandbox.trop("autoreserve", "--format", "json")

    assert done.returncode == 0, done.stderr
    assert set(as_json(done).values()) == set(range(5062, 5122))


def test_a_full_range_is_cleared_of_what_was_gone_for_a_week_and_of_nothing_else(sandbox: Sandbox) -> None:
    now = int(time.time())
    ages = {"long-a": 8, "long-b": 8, "short-a": 6, "short-b": 6, "elsewhere": 20}
    for name, days in ages.items():
        directory = sandbox.directory(name)
        sandbox.reserve(*(["--port", "6000"] if name == "elsewhere" else []), cwd=directory)
        sandbox.execute(
            "UPDATE reservations SET last_used_at = ? WHERE path = ?", [[now - days * 86_400, str(directory)]]
        )
        directory.rmdir()

    port = sandbox.reserve("--max", "5003", cwd=sandbox.directory("new"))

    assert port == 5000
    assert [os.path.basename(row[0]) for row in sandbox.rows()] == ["elsewhere", "new", "short-a", "short-b"]
