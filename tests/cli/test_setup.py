"""``trop setup``: the registration of the MCP server, printed and written into a project's own files."""

from __future__ import annotations

import json
import os
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.repositories import add_worktree, git, make_bare_clone, make_repository
from support.sandbox import SCRIPTS, error_lines
from support.stores import snapshot

from trop_core.hosts import json_text, toml_text
from trop_core.hosts.registrations import HOSTS, reconciled
from trop_server.cli import subcommands

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from support.sandbox import Sandbox

PROGRAM = str(SCRIPTS / "trop-server")
PLAIN = {"command": PROGRAM, "args": ["--mcp"]}
OLD = 'command = "/old/trop-server", args = ["--mcp"]'
STDIO = {"type": "stdio", **PLAIN}
ENTRIES: dict[str, dict[str, Any]] = {
    "claude-code": {"mcpServers": {"trop": STDIO}},
    "codex": {"mcp_servers": {"trop": PLAIN}},
    "cursor": {"mcpServers": {"trop": STDIO}},
    "vscode": {"servers": {"trop": {**STDIO, "cwd": "${workspaceFolder}"}}},
    "gemini": {"mcpServers": {"trop": PLAIN}},
    "opencode": {
        "$schema": "https://opencode.ai/config.json",
        "mcp": {"trop": {"type": "local", "enabled": True, "command": [PROGRAM, "--mcp"]}},
    },
    "zed": {"context_servers": {"trop": PLAIN}},
    "claude-desktop": {"mcpServers": {"trop": PLAIN}},
}
FILES = {
    "claude-code": ".mcp.json",
    "codex": ".codex/config.toml",
    "cursor": ".cursor/mcp.json",
    "vscode": ".vscode/mcp.json",
    "gemini": ".gemini/settings.json",
    "opencode": "opencode.json",
    "zed": ".zed/settings.json",
}
JSON_FILES = [host for host in FILES if host != "codex"]

COMMENTED = """\
// Of this project.
{
\t"theme": "One", // quite dark
\t/* the servers */
\t"context_servers": {
\t\t"other": {"command": "other"}, // mine
\t},
}
"""


def read(path: Path) -> Any:
    text = path.read_text()
    return tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)


def write(sandbox: Sandbox, host: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return sandbox.trop("setup", host, "--write", cwd=cwd)


def written(sandbox: Sandbox, host: str, cwd: Path) -> str:
    """What is in the file afterwards; a second run does not touch it."""
    done = write(sandbox, host, cwd)
    assert done.returncode == 0, done.stderr
    path = cwd / FILES[host]
    assert done.stdout == f"{path}\n"
    before = path.stat()
    again = write(sandbox, host, cwd)
    assert (again.returncode, again.stdout) == (0, done.stdout)
    assert "already" in again.stderr
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    return path.read_bytes().decode()


def put(directory: Path, name: str, text: str | bytes) -> Path:
    path = directory / name
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_the_command_line_knows_every_host() -> None:
    assert set(subcommands.HOSTS) == set(HOSTS)


class TestPrinted:
    @pytest.mark.parametrize("host", ENTRIES)
    def test_it_is_what_the_host_reads_with_the_whole_path(self, sandbox: Sandbox, host: str) -> None:
        done = sandbox.trop("setup", host, TROP_DATA_DIR=None)

        found = tomllib.loads(done.stdout) if host == "codex" else json.loads(done.stdout)
        assert (done.returncode, done.stderr) == (0, "")
        assert found == ENTRIES[host]
        assert list(sandbox.work.iterdir()) == []

    def test_a_host_that_is_not_known_is_a_usage_error(self, sandbox: Sandbox) -> None:
        done = sandbox.trop("setup", "claude-cod")

        assert done.returncode == 4
        assert "did you mean claude-code?" in done.stderr


class TestOfAnotherStore:
    """The host starts the server without the options and variables of this shell."""

    @pytest.mark.parametrize("host", FILES)
    @pytest.mark.parametrize(
        ("arguments", "source"),
        [
            ([], "TROP_DATA_DIR, which few hosts pass on,"),
            (["--data-dir", "../elsewhere"], "the data directory"),
        ],
        ids=["a-variable", "an-option"],
    )
    def test_how_the_server_gets_to_know_of_it_is_told(
        self, sandbox: Sandbox, host: str, arguments: list[str], source: str
    ) -> None:
        place = sandbox.root / "elsewhere" if arguments else sandbox.data
        note = f'{source} is not written down: add "--data-dir", "{place}" to the arguments by hand'

        printed = sandbox.trop("setup", host, *arguments)
        written = sandbox.trop("setup", host, "--write", *arguments)
        quiet = sandbox.trop("setup", host, "--write", "--quiet", *arguments)

        assert printed.stderr == f"{note}\n"
        assert note in written.stderr.splitlines()
        assert (quiet.returncode, quiet.stderr) == (0, "")

    @pytest.mark.parametrize("host", FILES)
    @pytest.mark.parametrize("way", ["arguments", "one-argument", "variable"])
    def test_an_entry_that_names_it_needs_no_note(self, sandbox: Sandbox, host: str, way: str) -> None:
        known = HOSTS[host]
        entry, more = known.entry(PROGRAM), ""
        if way != "variable":
            arguments = entry["command"] if known.whole_command else entry["args"]
            arguments += ["--data-dir=x"] if way == "one-argument" else ["--data-dir", "x"]
        elif known.in_toml:
            more = '[mcp_servers.trop.env]\nTROP_DATA_DIR = "x"\n'
        else:
            entry["environment" if host == "opencode" else "env"] = {"TROP_DATA_DIR": "x"}
        in_toml = toml_text.table((known.section, "trop"), entry) if known.in_toml else ""
        put(sandbox.work, FILES[host], in_toml + more or json.dumps({known.section: {"trop": entry}}))

        done = write(sandbox, host, sandbox.work)

        assert (done.returncode, "not written down" in done.stderr) == (0, False), done.stderr

    def test_the_users_one_place_is_found_without_a_note(self, sandbox: Sandbox) -> None:
        place = sandbox.home / ".local/share/trop"

        done = sandbox.trop("setup", "codex", TROP_DATA_DIR=str(place), XDG_DATA_HOME=None)

        assert (done.returncode, done.stderr) == (0, "")


class TestWritten:
    @pytest.mark.parametrize("host", FILES)
    def test_a_file_that_is_missing_is_made(self, sandbox: Sandbox, host: str) -> None:
        repository = make_repository(sandbox.work / "shop")

        written(sandbox, host, repository)

        assert read(repository / FILES[host]) == ENTRIES[host]

    @pytest.mark.parametrize("host", JSON_FILES)
    @pytest.mark.parametrize(
        "text", ["", " \n", "{}", "{\n}\n"], ids=["empty", "blank", "object", "object on two lines"]
    )
    def test_a_file_that_says_nothing_is_filled(self, sandbox: Sandbox, host: str, text: str) -> None:
        put(sandbox.work, FILES[host], text)

        found = json.loads(written(sandbox, host, sandbox.work))

        assert {key: value for key, value in found.items() if key != "$schema"} == {
            key: value for key, value in ENTRIES[host].items() if key != "$schema"
        }

    def test_it_goes_into_the_root_of_the_worktree(self, sandbox: Sandbox) -> None:
        worktree = add_worktree(make_repository(sandbox.work / "shop"), sandbox.work / "login")
        (worktree / "src").mkdir()

        done = write(sandbox, "cursor", worktree / "src")

        assert done.stdout == f"{worktree}/.cursor/mcp.json\n"

    def test_all_else_stays_byte_for_byte(self, sandbox: Sandbox) -> None:
        put(sandbox.work, ".zed/settings.json", COMMENTED)

        text = written(sandbox, "zed", sandbox.work)

        program = json.dumps(PROGRAM)
        added = f'\t\t"trop": {{\n\t\t\t"command": {program},\n\t\t\t"args": [\n\t\t\t\t"--mcp"\n\t\t\t]\n\t\t}},\n'
        assert text == COMMENTED.replace("// mine\n", f"// mine\n{added}")

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            pytest.param('{"a": 1}', '{"a": 1, "mcpServers": {"trop": ENTRY}}', id="one line"),
            pytest.param('{"a": [1, 2,],}\n', '{"a": [1, 2,], "mcpServers": {"trop": ENTRY}}\n', id="trailing comma"),
            pytest.param(
                '{"mcpServers": {"b": {}} }', '{"mcpServers": {"b": {}, "trop": ENTRY} }', id="beside another one"
            ),
        ],
    )
    def test_one_line_stays_one_line(self, sandbox: Sandbox, text: str, expected: str) -> None:
        put(sandbox.work, ".gemini/settings.json", text)

        found = written(sandbox, "gemini", sandbox.work)

        assert found == expected.replace("ENTRY", json.dumps(PLAIN))

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param('{\r\n    "a": 1\r\n}\r\n', id="CRLF"),
            pytest.param('{\n  "a": 1 // one\n}\n', id="comment behind the last"),
            pytest.param('{\n  "a": 1, // one\n}\n', id="comment behind the comma"),
            pytest.param('{\n  "a": 1 /* one\n two */\n}\n', id="comment of two lines"),
            pytest.param("{\n  // nothing yet\n}\n", id="comment alone"),
            pytest.param("{ // nothing yet\n}", id="comment behind the brace"),
            pytest.param('\ufeff{\n  "a": "ü"\n}', id="byte order mark"),
            pytest.param('{\n  "a": 1\n, "b": {}}', id="as nobody writes it"),
            pytest.param('{"mcpServers": {\n}}', id="empty section"),
        ],
    )
    def test_any_layout_keeps_its_lines(self, sandbox: Sandbox, text: str) -> None:
        put(sandbox.work, ".gemini/settings.json", text)

        found = written(sandbox, "gemini", sandbox.work)

        node = json_text.parse(found.removeprefix("\ufeff")).value
        assert node["mcpServers"] == {"trop": PLAIN}
        assert {key: value for key, value in node.items() if key != "mcpServers"} == {
            key: value
            for key, value in json_text.parse(text.removeprefix("\ufeff")).value.items()
            if key != "mcpServers"
        }
        assert found.startswith("\ufeff") == text.startswith("\ufeff")
        assert ("\r\n" in text) == ("\r\n" in found)
        assert "\r\n" not in text or "\n" not in found.replace("\r\n", "")
        for comment in ("// one", "/* one\n two */", "// nothing yet"):
            assert found.count(comment) == text.count(comment)

    def test_what_the_user_has_added_to_the_entry_stays(self, sandbox: Sandbox) -> None:
        entry = {"command": "/old/trop-server", "args": ["--mcp", "--data-dir", "/d"], "env": {"A": "1"}}
        put(sandbox.work, ".mcp.json", json.dumps({"mcpServers": {"trop": entry, "b": {"command": "b"}}}, indent=4))

        found = json.loads(written(sandbox, "claude-code", sandbox.work))

        assert found["mcpServers"] == {"trop": {**entry, "type": "stdio", "command": PROGRAM}, "b": {"command": "b"}}

    def test_an_opencode_server_that_is_switched_off_stays_off(self, sandbox: Sandbox) -> None:
        entry = {"type": "local", "command": ["trop-server", "--mcp", "--quiet"], "enabled": False}
        put(sandbox.work, "opencode.jsonc", json.dumps({"mcp": {"trop": entry}}))

        done = write(sandbox, "opencode", sandbox.work)

        found = json.loads((sandbox.work / "opencode.jsonc").read_text())
        assert done.stdout == f"{sandbox.work}/opencode.jsonc\n"
        assert found["mcp"]["trop"] == {**entry, "command": [PROGRAM, "--mcp", "--quiet"]}

    def test_a_table_is_added_to_toml_and_changed_in_it(self, sandbox: Sandbox) -> None:
        before = '# mine\nmodel = "x"\n\n[mcp_servers.other]\ncommand = "o" # other\n'
        put(sandbox.work, ".codex/config.toml", before)

        added = written(sandbox, "codex", sandbox.work)
        old = added.replace(json.dumps(PROGRAM), "'/old/trop-server' # here").replace(
            "[mcp_servers.trop]", '[mcp_servers."trop"]'
        )
        put(sandbox.work, ".codex/config.toml", old + "\n[mcp_servers.trop.env]\nA = '1'\n")
        changed = written(sandbox, "codex", sandbox.work)

        assert added == f'{before}\n[mcp_servers.trop]\ncommand = {json.dumps(PROGRAM)}\nargs = ["--mcp"]\n'
        assert changed == old.replace("'/old/trop-server'", json.dumps(PROGRAM)) + "\n[mcp_servers.trop.env]\nA = '1'\n"

    def test_a_mode_stays(self, sandbox: Sandbox) -> None:
        put(sandbox.work, ".mcp.json", "{}").chmod(0o664)

        written(sandbox, "claude-code", sandbox.work)

        assert (sandbox.work / ".mcp.json").stat().st_mode & 0o777 == 0o664

    def test_numbers_stay_as_they_are_written(self, sandbox: Sandbox) -> None:
        text = f'{{"a": 1.50, "b": -0, "c": {"9" * 10_000}, "d": 1E+400}}'
        put(sandbox.work, ".gemini/settings.json", text)

        found = written(sandbox, "gemini", sandbox.work)

        assert found == text[:-1] + f', "mcpServers": {{"trop": {json.dumps(PLAIN)}}}}}'


class TestTracked:
    """A path of this machine goes only into a file that git does not track."""

    def command(self, sandbox: Sandbox, directory: Path) -> str:
        text: str = json.loads(written(sandbox, "claude-code", directory))["mcpServers"]["trop"]["command"]
        return text

    @pytest.mark.parametrize("kind", ["main", "linked", "submodule"])
    def test_a_tracked_file_names_the_program(self, sandbox: Sandbox, kind: str) -> None:
        repository = make_repository(sandbox.work / "shop")
        put(repository, ".mcp.json", "{}")
        git(repository, "add", ".")
        git(repository, "commit", "-m", "second")
        directory = repository
        if kind == "linked":
            directory = add_worktree(repository, sandbox.work / "login")
        elif kind == "submodule":
            outer = make_repository(sandbox.work / "outer")
            git(outer, "submodule", "add", str(repository), "inner")
            directory = outer / "inner"

        assert self.command(sandbox, directory) == "trop-server"
        git(repository, "rm", "--cached", ".mcp.json")
        assert kind != "main" or self.command(sandbox, directory) == PROGRAM

    @pytest.mark.parametrize("damage", ["noise", "pipe", "directory", "broken repository", "split"])
    def test_where_nobody_can_tell_it_counts_as_tracked(self, sandbox: Sandbox, damage: str) -> None:
        repository = make_repository(sandbox.work / "shop")
        index = repository / ".git" / "index"
        if damage == "broken repository":
            (repository / ".git" / "HEAD").unlink()
        elif damage == "split":
            put(repository, "a", "")
            git(repository, "add", "a")
            git(repository, "update-index", "--split-index")
        else:
            index.unlink(missing_ok=True)
            if damage == "noise":
                index.write_bytes(b"DIRC" + os.urandom(200))
            elif damage == "pipe":
                os.mkfifo(index)
            else:
                index.mkdir()

        assert self.command(sandbox, repository) == "trop-server"

    @pytest.mark.parametrize("place", ["no repository", "no index", "other files"])
    def test_any_other_file_has_the_path(self, sandbox: Sandbox, place: str) -> None:
        directory = sandbox.directory("shop")
        if place != "no repository":
            make_repository(directory)
        if place == "other files":
            put(directory, "sub/.mcp.json", "{}")
            git(directory, "add", ".")

        assert self.command(sandbox, directory) == PROGRAM


class TestRefused:
    """What is refused leaves everything as it is."""

    @pytest.mark.parametrize(
        ("host", "text", "told"),
        [
            ("claude-code", '{"a": 1', ":1:8: expected a comma or }"),
            ("claude-code", '{\n  "a": 1\n  "b": 2}', ":3:3: expected a comma or }"),
            ("claude-code", '{"a": 1} x', ":1:10: expected nothing more here"),
            ("claude-code", "{'a': 1}", ":1:2: expected a key between double quotes"),
            ("claude-code", '{"a": nil}', ":1:7: expected a value of JSON"),
            ("claude-code", '{"a": "\\x"}', ":1:7: expected a text that ends"),
            ("claude-code", '{"a": 1, "a": 2}', ":1:10: a: this key is there twice"),
            ("claude-code", "[]", ":1:1: expected an object at the top"),
            ("claude-code", '{"mcpServers": []}', ":1:16: mcpServers: expected an object"),
            ("claude-code", '{"mcpServers": {"trop": 5}}', ":1:25: mcpServers.trop: expected an object"),
            ("claude-code", "[" * 100_000, "this is too deep"),
            ("claude-code", "/*" * 100_000, "expected a value of JSON"),
            ("claude-code", b'{"a": "\xff"}', "not valid UTF-8"),
            ("claude-code", " " * 2_000_000, "the most that is read"),
            ("codex", "a = \n", ":1:5: this is no TOML"),
            ("codex", 'mcp_servers = {b = {command = "b"}}\n', "cannot be changed with certainty"),
            ("codex", "mcp_servers = 5\n", "expected mcp_servers.trop to be a table"),
            ("codex", f"[mcp_servers]\ntrop = {{{OLD}}}\n", "cannot be changed with certainty"),
            ("codex", f"mcp_servers.trop = {{{OLD}}}\n", "cannot be changed with certainty"),
        ],
    )
    def test_a_damaged_file(self, sandbox: Sandbox, host: str, text: str | bytes, told: str) -> None:
        path = put(sandbox.work, FILES[host], text)

        done = write(sandbox, host, sandbox.work)

        message, hint = error_lines(done)
        assert done.returncode == 7
        assert message.startswith(str(path))
        assert told in message
        assert hint.startswith("Nothing has changed. Correct the file")
        assert f"`trop setup {host}`" in hint
        assert path.read_bytes() == (text if isinstance(text, bytes) else text.encode())

    @pytest.mark.parametrize("kind", ["file", "directory", "pipe", "git", "nothing"])
    def test_what_is_no_file_of_the_project(self, sandbox: Sandbox, kind: str) -> None:
        repository = make_repository(sandbox.work / "shop")
        outside = put(sandbox.root / "outside", "mcp.json", "{}")
        if kind == "file":
            put(repository, ".cursor/x", "")
            (repository / ".cursor" / "mcp.json").symlink_to(outside)
        elif kind == "directory":
            (repository / ".cursor").symlink_to(outside.parent)
        elif kind == "pipe":
            put(repository, ".cursor/x", "")
            os.mkfifo(repository / ".cursor" / "mcp.json")
        elif kind == "git":
            (repository / ".cursor").symlink_to(".git")
        else:
            put(repository, ".cursor/x", "")
            (repository / ".cursor" / "mcp.json").symlink_to("nothing.json")

        done = write(sandbox, "cursor", repository)

        assert done.returncode == (7 if kind == "pipe" else 4), done.stderr
        assert outside.read_text() == "{}"
        assert sorted(outside.parent.iterdir()) == [outside]
        assert not (repository / ".git" / "mcp.json").exists()

    def test_a_link_within_the_project_stays_one(self, sandbox: Sandbox) -> None:
        put(sandbox.work, "agents/mcp.json", "{}")
        (sandbox.work / ".mcp.json").symlink_to("agents/mcp.json")

        done = write(sandbox, "claude-code", sandbox.work)

        assert done.returncode == 0
        assert (sandbox.work / ".mcp.json").is_symlink()
        assert read(sandbox.work / "agents" / "mcp.json") == ENTRIES["claude-code"]

    def test_the_files_of_all_projects(self, sandbox: Sandbox) -> None:
        make_repository(sandbox.home)
        (sandbox.home / "notes").mkdir()

        for place in (sandbox.home, sandbox.home / "notes"):
            done = write(sandbox, "gemini", place)
            assert (done.returncode, done.stdout) == (4, "")
        assert not (sandbox.home / ".gemini").exists()

    def test_a_host_that_has_no_file_in_a_project(self, sandbox: Sandbox) -> None:
        done = write(sandbox, "claude-desktop", sandbox.work)

        assert done.returncode == 4
        assert error_lines(done) == (
            "--write cannot be used here: claude-desktop has no file of a project's, only one of the user's",
            "Leave --write away.",
        )

    def test_a_directory_that_is_locked_is_not_waited_for_longer_than_wanted(self, sandbox: Sandbox) -> None:
        import fcntl

        descriptor = os.open(sandbox.work, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            done = sandbox.trop("setup", "claude-code", "--write", "--busy-timeout", "0")
        finally:
            os.close(descriptor)

        assert done.returncode == 2
        assert snapshot(sandbox.work) == {}


_SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5)
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)


@given(
    document=st.dictionaries(st.text(max_size=4), _VALUES, max_size=4),
    section=st.none() | st.dictionaries(st.text(max_size=4), st.dictionaries(st.text(max_size=3), _VALUES), max_size=3),
    indent=st.sampled_from([None, 1, 2, 4, "\t"]),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_whatever_stands_there_the_entry_is_added_once_and_nothing_lost(
    document: dict[str, Any], section: dict[str, Any] | None, indent: int | str | None, newline: str
) -> None:
    if section is not None:
        document["servers"] = section
    entry = {"command": "trop-server", "args": ["--mcp"]}
    text = json.dumps(document, indent=indent).replace("\n", newline)

    new = json_text.merged(text, ("servers", "trop"), entry, reconciled)

    servers = document.get("servers", {}) if isinstance(document.get("servers", {}), dict) else {}
    assert json.loads(new) == {**document, "servers": {**servers, "trop": {**servers.get("trop", {}), **entry}}}
    assert json_text.merged(new, ("servers", "trop"), entry, reconciled) == new


@pytest.mark.parametrize("is_bare", [True, False])
def test_a_git_directory_is_no_place_for_a_hosts_file(sandbox: Sandbox, is_bare: bool) -> None:
    repository = make_repository(sandbox.work / "shop")
    place = make_bare_clone(repository, sandbox.work / "bare.git") if is_bare else repository / ".git"

    done = sandbox.trop("setup", "cursor", "--write", cwd=place)

    assert (done.returncode, done.stdout) == (4, "")
    assert "it lies in a git directory" in done.stderr
    assert not (place / ".cursor").exists()


@pytest.mark.parametrize(
    ("host", "entry"),
    [
        ("claude-code", {"command": "uv", "args": ["run", "trop-server", "--mcp"]}),
        ("claude-code", {"command": "trop-server", "args": ["--data-dir", "/d"]}),
        ("claude-code", {"type": "http", "url": "x:1", "headers": {"A": "b"}}),
        ("cursor", {"command": "python3", "args": ["-m", "trop_server", "--mcp"]}),
        ("gemini", {"httpUrl": "x:1"}),
        ("gemini", {"command": "trop-server", "args": ["--mcp"], "url": "x:1"}),
        ("opencode", {"type": "remote", "url": "x:1"}),
        ("opencode", {"type": "local", "command": ["uv", "run", "trop-server", "--mcp"]}),
        ("zed", {"source": "custom", "command": {"path": "x", "args": ["--mcp"], "env": {"A": "1"}}}),
    ],
)
def test_an_entry_that_starts_something_else_stays_as_it_is(sandbox: Sandbox, host: str, entry: dict[str, Any]) -> None:
    known = HOSTS[host]
    file = sandbox.work / known.files[0]
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({known.section: {"trop": entry}}))
    before = file.read_bytes()

    done = sandbox.trop("setup", host, "--write")

    assert (done.returncode, done.stdout) == (7, "")
    assert f"{known.section}.trop: this starts something else than trop-server" in done.stderr
    assert file.read_bytes() == before


@pytest.mark.parametrize("text", ["a=" + "[" * 3000 + "]" * 3000, "a." * 3000 + "b=1", "a=1" + "0" * 5000])
def test_toml_that_python_cannot_read_is_refused_as_that(sandbox: Sandbox, text: str) -> None:
    file = sandbox.work / ".codex/config.toml"
    file.parent.mkdir()
    file.write_text(text)

    done = sandbox.trop("setup", "codex", "--write")

    assert (done.returncode, file.read_text()) == (7, text)


def test_toml_with_what_is_no_number_is_no_hindrance(sandbox: Sandbox) -> None:
    file = sandbox.work / ".codex/config.toml"
    file.parent.mkdir()
    file.write_text("pad = nan\n")

    assert sandbox.trop("setup", "codex", "--write").returncode == 0
    assert file.read_text().startswith("pad = nan\n\n[mcp_servers.trop]\n")
