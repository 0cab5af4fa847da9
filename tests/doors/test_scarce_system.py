"""A system that has little to give: no descriptors, no working directory, no place for temporary files.

Whatever is missing, a call does what it was asked for or says in one sentence what is missing and what to do.
"""

from __future__ import annotations

import json
import os
import resource
import shlex
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from support.messages import command, initialize_params, notification, request
from support.requirements import needs_root
from support.sandbox import TROP, UNMEASURED, Sandbox, error_lines
from support.users import GROUP, USER, as_the_user, run_as_the_user

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from subprocess import CompletedProcess

    from support.client import Client

UNCOUNTED: dict[str, Any] = {**UNMEASURED}
"""Who measures coverage needs descriptors too."""

SERVER = f"{TROP}-server"
FEW_THREADS = "cannot begin a thread: the system lets no more of them begin"
NO_MORE = "this process may not open any more files"
MORE = "Allow it more open files (ulimit -n shows how many there may be), then try again."


class TestDescriptors:
    @pytest.mark.parametrize("limit", [5, 6, 7, 8, 10, 12, 16])
    @pytest.mark.parametrize(
        "arguments",
        [
            ["reserve", "--tag", "new"],
            ["reserve"],
            ["list"],
            ["list-projects"],
            ["release"],
            ["prune"],
            ["migrate", "--from", "/old", "--to", "/new", "--recursive"],
            ["assert-data-dir", "--validate"],
            ["call", "trop.list"],
            ["init", "--overwrite", "--with-config"],
            ["autoreserve"],
            ["--help"],
        ],
        ids=" ".join,
    )
    def test_a_call_is_done_or_says_that_there_are_too_few(
        self, sandbox: Sandbox, arguments: list[str], limit: int
    ) -> None:
        sandbox.fill(3, below="/old")
        sandbox.reserve()
        before = sandbox.rows()
        (sandbox.work / "trop.yaml").write_text("reservations: {services: {web: {}}}\n")

        script = f"ulimit -n {limit}; exec {TROP} {shlex.join(arguments)}"
        done = sandbox.run("sh", "-c", script, **UNCOUNTED)

        assert done.returncode in (0, 5), done.stderr
        if done.returncode:
            message, hint = error_lines(done)
            assert message.endswith(NO_MORE)
            assert hint == MORE
            assert sandbox.rows() == before
        elif arguments[0] == "reserve":
            assert int(done.stdout) in {port for _, _, port, *_ in sandbox.rows()}
        elif arguments[0] == "migrate":
            assert [row[0] for row in sandbox.rows() if row[0].startswith("/old")] == []

    @pytest.mark.parametrize("limit", [5, 6, 7, 8, 9, 10, 12, 14, 20])
    @pytest.mark.parametrize("mode", [[], ["--mcp"]], ids=["lsp", "mcp"])
    def test_a_server_starts_or_says_that_there_are_too_few(
        self, sandbox: Sandbox, limit: int, mode: list[str]
    ) -> None:
        script = f"ulimit -n {limit}; exec {SERVER} {shlex.join(mode)}"

        done = sandbox.run("sh", "-c", script, **UNCOUNTED)

        assert "Traceback" not in done.stderr
        assert done.returncode in (0 if mode else 1, 5), done.stderr
        if done.returncode == 5:
            message, hint = error_lines(done)
            assert message.endswith(NO_MORE)
            assert hint == MORE

    @pytest.mark.parametrize("limit", [9, 10, 11, 12, 13, 14, 16])
    def test_a_command_of_a_server_is_done_or_says_that_there_are_too_few(self, sandbox: Sandbox, limit: int) -> None:
        sandbox.make_store()
        answers = talk(sandbox, limit, command(2, "trop.reserve", {"tag": "web"}))

        if "error" in answers[2]:
            assert answers[2]["error"]["data"]["kind"] == "io_error"
            assert answers[2]["error"]["data"]["hint"] == MORE
        else:
            assert answers[2]["result"]["reservation"]["port"] in {port for _, _, port, *_ in sandbox.rows()}

    def test_a_file_of_the_project_that_cannot_be_opened_for_it_is_no_file_that_is_not_there(
        self, sandbox: Sandbox
    ) -> None:
        sandbox.reserve()
        (sandbox.work / "trop.yaml").write_text("ports: {min: 6000}\n")
        outcomes = set()
        for limit in range(5, 10):
            script = f"ulimit -n {limit}; exec {TROP} reserve --tag t{limit}"
            done = sandbox.run("sh", "-c", script, **UNCOUNTED)
            outcomes.add("refused" if done.returncode else int(done.stdout) >= 6000)

        assert outcomes == {"refused", True}


class TestThreads:
    """A container may allow a few processes only, of which each thread is one."""

    @pytest.mark.parametrize(
        "arguments", [["list"], ["reserve"], ["prune"], ["doctor"], ["call", "trop.list"]], ids=" ".join
    )
    def test_a_call_is_done_or_says_that_there_are_too_few(self, public_place: Path, arguments: list[str]) -> None:
        sandbox = Sandbox(public_place)
        sandbox.fill(3, below="/old")
        for directory in (sandbox.data, sandbox.database, sandbox.work):
            os.chown(directory, USER, GROUP)
        before = sandbox.rows()

        with limited(resource.RLIMIT_NPROC, 1):
            done = as_the_user(sandbox, *arguments)

        assert "Traceback" not in done.stderr
        if done.returncode == 5:
            message, hint = error_lines(done)
            assert message == FEW_THREADS
            assert hint.startswith("Allow this user, or its container, more processes")
            assert sandbox.rows() == before
        else:
            assert done.returncode == 0, done.stderr

    @pytest.mark.parametrize("options", [{}, {"notifications": True}], ids=["", "that watches the store"])
    @pytest.mark.parametrize("allowed", [1, 2, 3, 4, 5, 6, 8, 12, 40])
    def test_a_server_does_as_much_as_it_can_and_ends_in_good_order(
        self, public_place: Path, allowed: int, options: dict[str, Any]
    ) -> None:
        sandbox = Sandbox(public_place)
        sandbox.make_store()
        for directory in (sandbox.data, sandbox.database, sandbox.work):
            os.chown(directory, USER, GROUP)
        asked = [command(number, "trop.reserve", {"tag": f"t{number}"}) for number in range(2, 62)]

        with limited(resource.RLIMIT_NPROC, allowed):
            done = run_as_the_user(sandbox, SERVER, stdin=conversation(sandbox, *asked, **options))

        answers = answers_in(done.stdout)
        assert "Traceback" not in done.stderr
        assert done.returncode in (0, 1, 5), done.stderr
        if done.returncode == 5:
            assert error_lines(done)[0] == FEW_THREADS
        else:
            failed = [answers[number]["error"] for number in range(2, 62) if "error" in answers[number]]
            # After the end of the input, a busy machine may not come to all of them in time.
            in_time = [error["message"] for error in failed if error["data"]["kind"] != "cancelled"]
            assert set(in_time) <= {FEW_THREADS}
            assert len(sandbox.rows()) == 60 - len(failed)
            # A single thread is enough for all of them.
            assert len(in_time) in (0, 60)


@contextmanager
def limited(limit: int, soft: int) -> Iterator[None]:
    """Let what is started have little of something; whoever starts it, as root, is not held to it."""
    before = resource.getrlimit(limit)
    resource.setrlimit(limit, (soft, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(limit, before)


def talk(sandbox: Sandbox, limit: int, *messages: dict[str, Any]) -> dict[Any, dict[str, Any]]:
    """The answers of a server that may have so many files open; all is sent at once."""
    script = f"ulimit -n {limit}; exec {SERVER}"
    done = sandbox.run("sh", "-c", script, stdin=conversation(sandbox, *messages), **UNCOUNTED)
    return answers_in(done.stdout)


def conversation(sandbox: Sandbox, *messages: dict[str, Any], **options: Any) -> str:
    """All that a client with these options says to a server in a session, in which it sends these messages."""
    params = initialize_params(str(sandbox.work), initializationOptions=options)
    sent = [request(1, "initialize", params), notification("initialized", {}), *messages, request("end", "shutdown")]
    return "".join(f"Content-Length: {len(body)}\r\n\r\n{body}" for body in map(json.dumps, sent))


def answers_in(stdout: str) -> dict[Any, dict[str, Any]]:
    """The answers of a server, by the ids of what they answer."""
    bodies = [part.partition("\r\n\r\n")[2] or part.partition("\n\n")[2] for part in stdout.split("Content-Length:")]
    answers = [json.loads(body) for body in bodies if body]
    return {answer["id"]: answer for answer in answers if "id" in answer and "method" not in answer}


class TestNoWorkingDirectory:
    """It was removed, as that of a shell which stands in a worktree that is gone."""

    @staticmethod
    def run(sandbox: Sandbox, *arguments: str, **environment: str | None) -> CompletedProcess[str]:
        gone = sandbox.directory("gone")
        script = f"rmdir {gone} && exec {TROP} {shlex.join(arguments)}"
        return sandbox.run("sh", "-c", script, cwd=gone, **environment)

    @pytest.mark.parametrize(
        "arguments",
        [
            ["reserve"],
            ["reserve", "--path", "sub"],
            ["list", "--here"],
            ["release"],
            ["migrate", "--from", "a", "--to", "b"],
            ["assert-reservation"],
            ["show-path"],
            ["autoreserve"],
            ["call", "trop.reserve", "{}"],
            ["init", "--data-dir", "sub"],
            ["--data-dir", "sub", "list"],
        ],
        ids=" ".join,
    )
    def test_what_needs_it_says_that_it_is_gone(self, sandbox: Sandbox, arguments: list[str]) -> None:
        sandbox.reserve()

        done = self.run(sandbox, *arguments)

        message, hint = error_lines(done)
        assert done.returncode == 4
        assert message.endswith("the working directory no longer exists")
        assert hint.startswith("Change to")

    @pytest.mark.parametrize(
        "arguments",
        [
            ["list"],
            ["list-projects"],
            ["assert-data-dir", "--validate"],
            ["migrate", "--from", "/old", "--to", "/new", "--recursive"],
            ["call", "trop.list"],
            ["reserve", "--path", "/any/where", "--allow-unrelated-path"],
            ["prune"],
            ["show-data-dir"],
        ],
        ids=" ".join,
    )
    def test_what_does_not_need_it_is_done(self, sandbox: Sandbox, arguments: list[str]) -> None:
        sandbox.fill(3, below="/old")

        done = self.run(sandbox, *arguments)

        assert done.returncode == 0, done.stderr

    def test_a_path_that_nothing_is_related_to_is_refused_with_the_reason(self, sandbox: Sandbox) -> None:
        done = self.run(sandbox, "reserve", "--path", "/any/where")

        message, hint = error_lines(done)
        assert done.returncode == 1
        assert message == '"/any/where" is related to nothing: the working directory no longer exists'
        assert hint == "If this path is what you mean, add --allow-unrelated-path."

    def test_a_relative_variable_names_no_directory_at_the_root(self, sandbox: Sandbox) -> None:
        done = self.run(sandbox, "list", TROP_DATA_DIR="sub")

        assert done.returncode == 4
        assert error_lines(done)[0] == (
            '"sub" cannot be used as a path: it is relative, and the working directory no longer exists'
        )

    def test_a_server_answers(self, start: Callable[..., Client], sandbox: Sandbox) -> None:
        gone = sandbox.directory("gone")
        client = start(cwd=str(gone))
        gone.rmdir()
        client.initialize()

        listed = client.call("trop.list")
        refused = client.refused("trop.reserve")

        assert listed["reservations"] == []
        assert refused.data["kind"] == "invalid_path"
        assert "no longer exists" in refused.message


class TestNoTemporaryDirectory:
    @staticmethod
    def run(sandbox: Sandbox, *arguments: str) -> CompletedProcess[str]:
        """Run trop where nothing but the data directory can be written to."""
        needs_root()
        places = "/tmp /var/tmp /usr/tmp /dev/shm"
        data = shlex.quote(str(sandbox.data))
        script = f"""
            mount --bind {data} {data}
            for place in {places} / {shlex.quote(str(sandbox.work))}; do
                test -d $place && mount --bind $place $place && mount -o remount,bind,ro $place
            done
            mount --bind {data} {data} && mount -o remount,bind,rw {data}
            exec {TROP} {shlex.join(arguments)}
        """
        return sandbox.run("unshare", "-m", "sh", "-c", script, TMPDIR="/nowhere", SQLITE_TMPDIR="/nowhere")

    @pytest.mark.parametrize(
        "arguments",
        [
            ["reserve"],
            ["list"],
            ["migrate", "--from", "/old", "--to", "/new", "--recursive"],
            ["call", "trop.list", '{"limit": 1}'],
            ["init", "--overwrite", "--with-config"],
            ["prune"],
        ],
        ids=lambda arguments: " ".join(arguments[:2]),
    )
    def test_what_needs_none_is_done(self, sandbox: Sandbox, arguments: list[str]) -> None:
        sandbox.fill(20_000, below="/old")

        done = self.run(sandbox, *arguments)

        assert done.returncode == 0, done.stderr

    def test_what_needs_one_names_the_variable(self, sandbox: Sandbox) -> None:
        sandbox.make_store()

        done = self.run(sandbox, "assert-data-dir", "--validate")

        if done.returncode:
            message, hint = error_lines(done)
            assert done.returncode == 5
            assert message == "cannot make a temporary directory: the system has no place for one"
            assert hint.endswith("with TMPDIR, then try again.")
