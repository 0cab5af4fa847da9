"""Which directory a command is about."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from support.repositories import make_repository

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.client import Client
    from support.sandbox import Sandbox


def test_the_open_folder_is_meant(client: Client, sandbox: Sandbox) -> None:
    reservation = client.call("trop.reserve")["reservation"]

    assert reservation["path"] == str(sandbox.work)


def test_an_open_folder_is_canonicalised(start: Callable[..., Client], sandbox: Sandbox) -> None:
    project = sandbox.directory("project")
    link = sandbox.root / "link"
    link.symlink_to(project)
    client = start()
    client.initialize(str(link))

    reservation = client.call("trop.reserve")["reservation"]

    assert reservation["path"] == str(project)


def test_of_several_open_folders_one_has_to_be_named(start: Callable[..., Client], sandbox: Sandbox) -> None:
    one, other = sandbox.directory("one"), sandbox.directory("other")
    client = start()
    client.initialize(str(one), str(other))

    refusal = client.refused("trop.reserve")
    named = client.call("trop.reserve", {"folder": other.as_uri()})

    assert (refusal.code, refusal.data["kind"]) == (-32803, "ambiguous_folder")
    assert sorted(refusal.data["details"]["folders"]) == [str(one), str(other)]
    assert "folder" in refusal.data["hint"]
    assert "--" not in refusal.data["hint"]
    assert named["reservation"]["path"] == str(other)


def test_a_relative_path_among_several_folders_is_ambiguous(start: Callable[..., Client], sandbox: Sandbox) -> None:
    client = start()
    client.initialize(str(sandbox.directory("one")), str(sandbox.directory("other")))

    refusal = client.refused("trop.reserve", {"path": "sub"})

    assert refusal.data["kind"] == "ambiguous_folder"


def test_a_relative_path_starts_at_the_open_folder(start: Callable[..., Client], sandbox: Sandbox) -> None:
    project = sandbox.directory("project")
    client = start(cwd="/")
    client.initialize(str(project))

    reservation = client.call("trop.reserve", {"path": "sub/../api"})["reservation"]

    assert reservation["path"] == str(project / "api")


def test_without_a_folder_the_working_directory_is_meant(start: Callable[..., Client], sandbox: Sandbox) -> None:
    client = start()
    client.initialize()

    reservation = client.call("trop.reserve")["reservation"]

    assert reservation["path"] == str(sandbox.work)


@pytest.mark.parametrize("place", ["root", "home", "a link to home"])
def test_a_working_directory_that_nobody_chose_is_refused(
    start: Callable[..., Client], sandbox: Sandbox, place: str
) -> None:
    link = sandbox.root / "link"
    link.symlink_to(sandbox.home)
    home = str(link) if place == "a link to home" else str(sandbox.home)
    client = start(cwd="/" if place == "root" else str(sandbox.home), HOME=home)
    client.initialize()

    refusal = client.refused("trop.reserve")
    elsewhere = client.refused("trop.reserve", {"path": str(sandbox.work)})
    allowed = client.call("trop.reserve", {"path": str(sandbox.work), "allowUnrelatedPath": True})
    everything = client.call("trop.list")["reservations"]

    assert (refusal.code, refusal.data["kind"]) == (-32803, "invalid_argument")
    assert refusal.data["details"]["field"] == "folder"
    assert elsewhere.data["kind"] == "unrelated_path"
    assert allowed["outcome"] == "created"
    assert len(everything) == 1


def test_the_root_uri_counts_where_a_client_knows_no_folders(start: Callable[..., Client], sandbox: Sandbox) -> None:
    project = sandbox.directory("project")
    client = start()
    client.initialize(rootUri=project.as_uri())

    assert client.call("trop.reserve")["reservation"]["path"] == str(project)


def test_an_empty_list_of_folders_means_that_none_is_open(start: Callable[..., Client], sandbox: Sandbox) -> None:
    project = sandbox.directory("project")
    client = start()
    client.initialize(rootUri=project.as_uri(), rootPath=str(project), workspaceFolders=[])

    reserved = client.call("trop.reserve")["reservation"]
    relative = client.call("trop.showPath", {"path": "sub"})["path"]
    client.change_folders(added=[project])
    opened = client.call("trop.reserve")["reservation"]

    assert reserved["path"] == str(sandbox.work)
    assert relative == str(sandbox.work / "sub")
    assert opened["path"] == str(project)


def test_the_root_path_of_an_old_client_counts(start: Callable[..., Client], sandbox: Sandbox) -> None:
    project = sandbox.directory("pro ject")
    client = start()
    client.initialize(rootPath=str(project))

    assert client.call("trop.reserve")["reservation"]["path"] == str(project)


def test_folders_come_and_go(start: Callable[..., Client], sandbox: Sandbox) -> None:
    one, other = sandbox.directory("one"), sandbox.directory("other")
    client = start()
    client.initialize(str(one))

    client.change_folders(added=[other])
    several = client.refused("trop.reserve")
    client.change_folders(removed=[one])
    second = client.call("trop.reserve")["reservation"]["path"]
    client.change_folders(added=[one], removed=[other])
    first = client.call("trop.reserve")["reservation"]["path"]

    assert several.data["kind"] == "ambiguous_folder"
    assert (first, second) == (str(one), str(other))


def test_when_the_last_folder_is_closed_the_first_one_does_not_come_back(
    start: Callable[..., Client], sandbox: Sandbox
) -> None:
    project = sandbox.directory("project")
    client = start()
    client.initialize(str(project), rootUri=project.as_uri())

    client.change_folders(removed=[project])

    assert client.call("trop.showPath")["path"] == str(sandbox.work)


def test_a_folder_that_was_never_open_can_be_closed(client: Client, sandbox: Sandbox) -> None:
    client.change_folders(removed=["/never/open"])

    assert client.call("trop.showPath")["path"] == str(sandbox.work)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("with space", id="space"),
        pytest.param("100%", id="percent"),
        pytest.param("a%20b", id="what looks like an escape"),
        pytest.param("größe-日本-🙂", id="Unicode"),
        pytest.param("a#b?c", id="fragment and query"),
        pytest.param("a+b&c=d;e", id="delimiters"),
        pytest.param("back\\slash", id="backslash"),
        pytest.param('quo"te', id="quotes"),
        pytest.param("line\nfeed", id="line feed"),
    ],
)
class TestNames:
    """Names that a URI has to escape, opened as a folder and named by hand."""

    def test_a_folder_with_an_odd_name_is_found(self, shared: Client, shared_sandbox: Sandbox, name: str) -> None:
        path = str(shared_sandbox.work / name)
        uri = Path(path).as_uri()
        shared.change_folders(added=[uri], removed=[shared_sandbox.work])

        opened = shared.call("trop.showPath")["path"]
        shared.change_folders(added=[shared_sandbox.work], removed=[uri])

        assert opened == path
        assert shared.call("trop.showPath")["path"] == str(shared_sandbox.work)

    @pytest.mark.parametrize(
        "spell",
        [
            pytest.param(lambda path: Path(path).as_uri(), id="as Python escapes it"),
            pytest.param(lambda path: "file:///" + quote(path[1:], safe=""), id="everything escaped"),
            pytest.param(lambda path: "file://localhost" + quote(path), id="with a host"),
            pytest.param(
                lambda path: "FILE://" + quote(path).lower() if path.isascii() else path, id="in another case"
            ),
        ],
    )
    def test_a_uri_names_what_was_escaped(
        self, shared: Client, shared_sandbox: Sandbox, name: str, spell: Callable[[str], str]
    ) -> None:
        path = str(shared_sandbox.work / name).lower()
        uri = spell(path)

        assert shared.call("trop.showPath", {"path": uri})["path"] == path
        assert shared.call("trop.showPath", {"folder": uri})["path"] == os.path.realpath(path)


@pytest.mark.parametrize(
    "uri",
    [
        pytest.param("untitled:one", id="untitled"),
        pytest.param("vscode-remote://ssh-remote%2Bhost/w/a", id="remote"),
        pytest.param("http://example.org/w", id="web"),
        pytest.param("file://other-machine/w/a", id="another machine"),
        pytest.param("file:///w/%ff", id="no UTF-8"),
        pytest.param("file:///w/%00", id="a NUL"),
        pytest.param("", id="empty"),
        pytest.param("file://", id="no path"),
    ],
)
def test_a_folder_that_is_not_on_this_disk_does_not_count(shared: Client, shared_sandbox: Sandbox, uri: str) -> None:
    shared.change_folders(added=[uri])

    meant = shared.call("trop.showPath")["path"]

    shared.change_folders(removed=[uri])
    assert meant == str(shared_sandbox.work)


def test_an_editor_is_told_in_which_directories_a_projects_files_count(shared: Client, shared_sandbox: Sandbox) -> None:
    repository = make_repository(shared_sandbox.work / "searched")
    inner = repository / "apps" / "shop"
    inner.mkdir(parents=True)

    def counting() -> list[str]:
        found: list[str] = shared.call("trop.showPath", {"folder": inner.as_uri()})["configDirectories"]
        return found

    nowhere = counting()
    (repository / "apps" / "trop.local.yaml").write_text("projekt: x\n")

    assert nowhere == [str(inner), str(inner.parent), str(repository)]
    assert counting() == [str(inner), str(inner.parent)]


@pytest.mark.parametrize(
    "uri",
    ["http://example.org/w", "file://other-machine/w/a", "file:///w/%ff", "file:///w/%00", "file://", "file://w"],
)
@pytest.mark.parametrize("field", ["path", "folder"])
def test_a_uri_that_names_no_directory_here_is_refused(shared: Client, uri: str, field: str) -> None:
    refusal = shared.refused("trop.showPath", {field: uri})

    assert (refusal.code, refusal.data["kind"]) == (-32602, "invalid_path")
    assert refusal.data["details"]["path"] in (uri, "/w/\0")


def test_another_spelling_of_one_of_several_is_not_counted(start: Callable[..., Client], sandbox: Sandbox) -> None:
    link, second = sandbox.root / "link", sandbox.directory("second")
    link.symlink_to(sandbox.work)
    client = start()
    client.initialize(str(sandbox.work), str(link), str(second))

    refusal = client.refused("trop.reserve")

    assert refusal.data["details"]["folders"] == [str(sandbox.work), str(second)]
    assert "2 folders are open" in refusal.message


@pytest.mark.parametrize("other", ["{work}/", "file://{work}/%77eb/..", "{link}"])
def test_two_spellings_of_an_open_folder_are_one(start: Callable[..., Client], sandbox: Sandbox, other: str) -> None:
    link = sandbox.root / "link"
    link.symlink_to(sandbox.work)
    client = start()
    client.initialize(str(sandbox.work), other.format(work=sandbox.work, link=link))

    found = client.call("trop.reserve")

    assert found["reservation"]["path"] == str(sandbox.work)
